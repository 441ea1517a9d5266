import type { DeltaMeta, SegmentMeta } from './model.ts';

/** Deletes at or before this timestamp meet no row of the segment. */
export function settledThrough(segment: Pick<SegmentMeta, 'minTimestamp' | 'deletesThrough'>): bigint {
  const oldest = BigInt(segment.minTimestamp);
  const applied = BigInt(segment.deletesThrough);
  return applied > oldest ? applied : oldest;
}

/** Whether the delta, which is of the segment's channel, may delete rows of it. */
export function needsDelta(
  segment: Pick<SegmentMeta, 'minTimestamp' | 'deletesThrough'>,
  delta: Pick<DeltaMeta, 'maxTimestamp'>,
): boolean {
  return BigInt(delta.maxTimestamp) > settledThrough(segment);
}

/**
 * The highest timestamp such that all deletes at or before it are up to the checkpoint that the segments and deltas of a
 * channel belong to: timestamps ascend in its log. Whoever applies all these deltas has applied every delete through it.
 */
export function deletesKnownThrough(deltas: readonly DeltaMeta[], segments: readonly SegmentMeta[]): bigint {
  let through = 0n;
  const see = (timestamp: string): void => {
    if (BigInt(timestamp) > through) through = BigInt(timestamp);
  };
  for (const { maxTimestamp } of deltas) see(maxTimestamp);
  for (const { maxTimestamp, deletesThrough } of segments) {
    see(maxTimestamp);
    see(deletesThrough);
  }
  return through;
}
