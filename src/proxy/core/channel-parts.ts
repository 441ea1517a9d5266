import type { Assignment } from './assign.ts';
import type { ChannelPart } from '../../protocol/reader-api.ts';
import type { ChannelId, LogSequence } from '../../schema/index.ts';
import { assert } from '../../util/assert.ts';

/** For each channel an entry that whoever answers for its fresh rows has applied when it looks. */
export type ChannelFloors = ReadonlyMap<ChannelId, LogSequence>;

/** From what the nodes that are asked first have said of themselves, and the checkpoint where they have said nothing. */
export function channelFloors(assignments: readonly Assignment[]): ChannelFloors {
  return new Map(
    assignments.flatMap(({ reader, channels }) =>
      channels.map(({ id, after }) => [id, Math.max(after, reader.positions.get(id) ?? 0)] as const),
    ),
  );
}

/** Of a node's own channels the fresh rows; whoever takes them over from another comes up to the floor first. */
export function ownParts(
  { channels }: Pick<Assignment, 'channels'>,
  floors: ChannelFloors,
): readonly ChannelPart[] {
  return channels.map(({ id, after }) => ({ id, after, atLeast: floors.get(id) ?? after }));
}

/**
 * Of each other channel whose segments the node reads the entries above the floor. A row that a later upsert replaced has its
 * new version among them, so a node that is ahead of the one that answers for the channel brings itself what it hides.
 */
export function overlapParts(
  { segments, channels }: Pick<Assignment, 'segments' | 'channels'>,
  floors: ChannelFloors,
): readonly ChannelPart[] {
  const others = new Set(segments.map(({ channelId }) => channelId));
  for (const { id } of channels) others.delete(id);
  return Array.from(others, (id) => {
    const after = floors.get(id);
    assert(after !== undefined, `no node answers for channel ${id}, whose segments are read`);
    return { id, after, atLeast: 0 };
  });
}
