import type { Ending, Rewrite } from './compaction-plan.ts';
import type { MakingSession } from '../objects-in-making.ts';
import type { FencedCatalog } from '../fenced-catalog.ts';
import type { CatalogSnapshot } from '../../catalog/catalog.ts';
import type { IdAllocator } from '../../catalog/id-allocator.ts';
import type { CollectionMeta, SegmentMeta } from '../../catalog/model.ts';
import { deletesKnownThrough, needsDelta } from '../../catalog/pending-deletes.ts';
import { rowLifeOf, type RowLife } from '../../catalog/time-to-live.ts';
import { bitAt } from '../../columns/index.ts';
import type { Host } from '../../host/index.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import type { ObjectStore } from '../../object-store/object-store.ts';
import type { SegmentId } from '../../schema/index.ts';
import { readDelta } from '../../segment/delta.ts';
import { mergeSegments } from '../../segment/merge/merge-segments.ts';
import { rowsThatLive, whenOver } from '../../segment/merge/rows-that-live.ts';
import { openSegment } from '../../segment/open-segment.ts';
import type { SegmentCache } from '../../segment/segment-cache.ts';
import { segmentPrefix } from '../../segment/segment-keys.ts';
import type { DeleteBatch, SealedSegment } from '../../segment/segment.ts';

export interface RewriteTools {
  readonly host: Pick<Host, 'files' | 'clock' | 'timers'>;
  readonly catalog: FencedCatalog;
  readonly ids: IdAllocator;
  readonly objectStore: ObjectStore;
  readonly kernel: Kernel;
  readonly cache: SegmentCache;
  readonly temporaryDirectory: string;
  readonly signal: AbortSignal;
  /** Rows that have outlived their time by less stay. */
  readonly graceMs: number;
}

export type RewriteResult =
  /** Some of the segments are no longer there, or another is to replace them already. */
  | { readonly kind: 'gone' }
  /** Too few rows would go. */
  | {
      readonly kind: 'not-worth-it';
      readonly deadRowCount: number;
      /** As in `SegmentMeta`, had it been rewritten. */
      readonly deletesThrough: bigint;
      /** Of the collection, when it was looked at. */
      readonly life: RowLife;
      readonly ending: Ending | null;
    }
  /** Stored, not committed; null = none of the rows lives. */
  | { readonly kind: 'written'; readonly target: SegmentMeta | null };

/** Writes what is left of the segments as one. Whatever it stores is under a prefix that `making` knows. */
export async function rewriteSegments(
  rewrite: Rewrite,
  making: MakingSession,
  tools: RewriteTools,
): Promise<RewriteResult> {
  const snapshot = await tools.catalog.current();
  const collection = snapshot.collections.get(rewrite.collectionId);
  const sources = presentSources(snapshot, rewrite);
  if (collection === undefined || sources === null) return { kind: 'gone' };
  const life = rowLifeOf(collection, tools.host.clock.nowMs() - tools.graceMs);
  const deltas = snapshot.channel(rewrite.channelId)?.deltas ?? [];
  const segments = snapshot.segmentsOf(collection.id);
  const ofChannel = segments.filter((segment) => segment.channelId === rewrite.channelId);
  const deletesThrough = deletesKnownThrough(deltas, ofChannel);
  const deletes: DeleteBatch[] = [];
  for (const delta of deltas) {
    if (!sources.some((segment) => needsDelta(segment, delta))) continue;
    deletes.push(await readDelta(tools.objectStore, delta));
  }
  const opening = { collection, deletes, tools };
  if (rewrite.deadRowsMin > 0) {
    const seen = await examine(sources[0]!, { life, deadRowsMin: rewrite.deadRowsMin }, opening);
    if (seen.deadRowCount < rewrite.deadRowsMin) {
      return { kind: 'not-worth-it', ...seen, deletesThrough, life };
    }
  }
  return await write({ rewrite, sources, life, deletesThrough }, making, opening);
}

interface Opening {
  readonly collection: CollectionMeta;
  readonly deletes: readonly DeleteBatch[];
  readonly tools: RewriteTools;
}

interface Writing {
  readonly rewrite: Rewrite;
  readonly sources: readonly SegmentMeta[];
  readonly life: RowLife;
  readonly deletesThrough: bigint;
}

async function write(
  { rewrite, sources, life, deletesThrough }: Writing,
  making: MakingSession,
  opening: Opening,
): Promise<RewriteResult> {
  const { collection, tools } = opening;
  await using stack = new AsyncDisposableStack();
  const opened: SealedSegment[] = [];
  for (const meta of sources) opened.push(stack.use(await openWithDeletes(meta, null, opening)));
  const segmentId = await tools.ids.takeOne<SegmentId>();
  making.add(segmentPrefix(collection.id, segmentId));
  const target = await mergeSegments({
    ...tools,
    collectionId: collection.id,
    segmentId,
    partitionId: sources[0]!.partitionId,
    channelId: rewrite.channelId,
    schema: collection.schema,
    schemaVersion: collection.schemaVersion,
    sources: opened,
    life,
    deletesThrough,
    replaces: sources.map((segment) => segment.id),
    pause: () => tools.host.timers.sleep(0, tools.signal),
  });
  return { kind: 'written', target };
}

/** As the catalog has them now; null when some are gone, or are to be replaced already. */
function presentSources(snapshot: CatalogSnapshot, { collectionId, sources }: Rewrite): SegmentMeta[] | null {
  const claimed = new Set(snapshot.incomingOf(collectionId).flatMap((segment) => segment.replaces));
  const present = sources.map(({ id }) => (claimed.has(id) ? undefined : snapshot.segment(collectionId, id)));
  return present.every((segment) => segment !== undefined) ? present : null;
}

/** Only one segment is rewritten for its dead rows. Without its vectors, which need not be fetched for that. */
async function examine(
  meta: SegmentMeta,
  { life, deadRowsMin }: { readonly life: RowLife; readonly deadRowsMin: number },
  opening: Opening,
): Promise<{ readonly deadRowCount: number; readonly ending: Ending | null }> {
  await using segment = await openWithDeletes(meta, [], opening);
  const living = await rowsThatLive(segment, life);
  let deadRowCount = 0;
  for (let row = 0; row < segment.rowCount; row++) {
    const isDead = segment.timestamps[row]! < life.since || (living !== null && !bitAt(living, row));
    if (isDead) deadRowCount++;
  }
  await opening.tools.host.timers.sleep(0, opening.tools.signal);
  const missing = deadRowsMin - deadRowCount;
  if (life.end === null || missing <= 0) return { deadRowCount, ending: null };
  const through = await whenOver(segment, life.end.field, living, missing);
  return { deadRowCount, ending: { fieldId: life.end.field.id, through } };
}

async function openWithDeletes(
  meta: SegmentMeta,
  vectorFieldIds: readonly number[] | null,
  { collection, deletes, tools }: Opening,
): Promise<SealedSegment> {
  const { schema } = collection;
  const withoutIndexes = { ...meta, indexes: [] };
  const segment = await openSegment({
    ...tools,
    meta: withoutIndexes,
    schema,
    vectorFieldIds,
    keepsColumns: false,
  });
  for (const batch of deletes) segment.applyDeletes(batch);
  return segment;
}
