import { neededDeltas } from './compaction-plan.ts';
import type { CatalogSnapshot } from '../../catalog/catalog.ts';
import { encodeDocument } from '../../catalog/document.ts';
import { channelDocumentKey, segmentDocumentKey } from '../../catalog/keys.ts';
import type { ChannelMeta, DeltaMeta, SegmentMeta } from '../../catalog/model.ts';
import type { Write } from '../../metastore/metastore.ts';
import type { SegmentId } from '../../schema/index.ts';

/** Writes of one transaction, and what nobody needs once it has happened. */
export interface CompactionCommit {
  readonly writes: readonly Write[];
  readonly removed: readonly SegmentMeta[];
  readonly superseded: readonly DeltaMeta[];
}

export const NOTHING: CompactionCommit = { writes: [], removed: [], superseded: [] };

/** Shows the segment as incoming, when all it replaces are there and no other is to replace them. */
export function announce(present: CatalogSnapshot, target: SegmentMeta): readonly Write[] {
  const claimed = present.incomingOf(target.collectionId).flatMap((segment) => segment.replaces);
  const isFree = (id: SegmentId): boolean =>
    isVisible(present.segment(target.collectionId, id)) && !claimed.includes(id);
  return target.replaces.every(isFree) ? [putSegment(target)] : [];
}

/**
 * Lets an incoming segment take the place of those it replaces, and drops deltas nobody needs any more. One whose sources are
 * no longer all there is removed itself.
 */
export function takePlace(present: CatalogSnapshot, target: SegmentMeta): CompactionCommit {
  const incoming = present.segment(target.collectionId, target.id);
  if (incoming === undefined || incoming.replaces.length === 0) return NOTHING;
  const replaced = incoming.replaces.map((id) => present.segment(target.collectionId, id));
  if (!replaced.every(isVisible)) return { ...NOTHING, writes: [deletionOf(incoming)], removed: [incoming] };
  return removal(present, replaced, [{ ...incoming, replaces: [] }]);
}

/** Gives up an incoming segment: those it was to replace stay. */
export function withdraw(present: CatalogSnapshot, target: SegmentMeta): CompactionCommit {
  const incoming = present.segment(target.collectionId, target.id);
  if (incoming === undefined || incoming.replaces.length === 0) return NOTHING;
  return removal(present, [incoming], []);
}

/** Removes segments none of whose rows lives, as far as they are there and nothing is to replace them. */
export function removeDead(present: CatalogSnapshot, dead: readonly SegmentMeta[]): CompactionCommit {
  const claimed = dead.flatMap(({ collectionId }) =>
    present.incomingOf(collectionId).flatMap((segment) => segment.replaces),
  );
  const removed = dead
    .map(({ collectionId, id }) => present.segment(collectionId, id))
    .filter(isVisible)
    .filter((segment) => !claimed.includes(segment.id));
  return removal(present, removed, []);
}

export function trimDeltas(present: CatalogSnapshot, { id }: ChannelMeta): CompactionCommit {
  const channel = present.channel(id);
  return channel === undefined ? NOTHING : trimmed(channel, segmentsIn(present, channel));
}

/** Notes that no delete through this timestamp meets a row of the segment. */
export function settle(present: CatalogSnapshot, segment: SegmentMeta, through: bigint): readonly Write[] {
  const meta = present.segment(segment.collectionId, segment.id);
  return meta === undefined ? [] : [putSegment({ ...meta, deletesThrough: String(through) })];
}

/** Of segments of one collection. */
function removal(
  present: CatalogSnapshot,
  removed: readonly SegmentMeta[],
  added: readonly SegmentMeta[],
): CompactionCommit {
  const gone = new Set(removed.map(({ id }) => id));
  const writes = [...removed.map(deletionOf), ...added.map(putSegment)];
  const superseded: DeltaMeta[] = [];
  for (const id of new Set(removed.map(({ channelId }) => channelId))) {
    const channel = present.channel(id);
    if (channel === undefined) continue;
    const rest = segmentsIn(present, channel).filter((segment) => !gone.has(segment.id));
    const trim = trimmed(channel, [...rest, ...added]);
    writes.push(...trim.writes);
    superseded.push(...trim.superseded);
  }
  return { writes, removed, superseded };
}

function trimmed(channel: ChannelMeta, segments: readonly SegmentMeta[]): CompactionCommit {
  const deltas = neededDeltas(channel, segments);
  if (deltas === channel.deltas) return NOTHING;
  const value = encodeDocument({ ...channel, deltas });
  return {
    writes: [{ kind: 'put', key: channelDocumentKey(channel.id), value }],
    removed: [],
    superseded: channel.deltas.filter((delta) => !deltas.includes(delta)),
  };
}

function segmentsIn(present: CatalogSnapshot, { collectionId }: ChannelMeta): readonly SegmentMeta[] {
  return [...present.segmentsOf(collectionId), ...present.incomingOf(collectionId)];
}

function isVisible(segment: SegmentMeta | undefined): segment is SegmentMeta {
  return segment !== undefined && segment.replaces.length === 0;
}

function putSegment(segment: SegmentMeta): Write {
  const key = segmentDocumentKey(segment.collectionId, segment.id);
  return { kind: 'put', key, value: encodeDocument(segment) };
}

function deletionOf({ collectionId, id }: SegmentMeta): Write {
  return { kind: 'delete', key: segmentDocumentKey(collectionId, id) };
}
