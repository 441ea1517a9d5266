import type { RouteSources } from './explain-route.ts';
import { segmentKey } from '../../catalog/routed-items.ts';
import { compareIds } from '../../catalog/collection-contents.ts';
import type { RequestContext } from '../proxy-core.ts';
import type { CollectionMeta } from '../../catalog/model.ts';
import { MishardsError } from '../../errors/index.ts';
import type { NodeId, PartitionId, SegmentId } from '../../schema/index.ts';

/**
 * Loaded copies of segments among all copies that must be, in percent rounded down; of the segments that were there when loading
 * was asked for, so that what is loaded stays so through flushes and compaction. A reader that does not answer has none.
 */
export async function loadProgress(
  { catalog, pool, placements }: RouteSources,
  collection: CollectionMeta,
  partitionIds: readonly PartitionId[] | null,
  context: RequestContext,
): Promise<number> {
  if (collection.load === null) {
    throw new MishardsError('COLLECTION_NOT_LOADED', `collection not loaded[collection=${collection.name}]`);
  }
  const snapshot = catalog.snapshot();
  const readers = pool.readers();
  if (readers.length === 0) return 0;
  const placement = placements.placementOf(snapshot, collection, readers);
  const copies = Math.min(collection.load.replicas, readers.length);
  const wanted = partitionIds ?? collection.load.partitionIds;
  const loadedBy = await askReaders(
    pool,
    readers.map((node) => node.id),
    collection,
    context,
  );
  let total = 0;
  let loaded = 0;
  const { before } = collection.load;
  for (const segment of snapshot.segmentsOf(collection.id)) {
    if (wanted !== null && !wanted.includes(segment.partitionId)) continue;
    if (before !== null && compareIds(segment.id, before) > 0) continue;
    for (const node of (placement.get(segmentKey(segment.id)) ?? []).slice(0, copies)) {
      total++;
      if (loadedBy.get(node)?.has(segment.id) === true) loaded++;
    }
  }
  if (total === 0) return [...loadedBy.values()].some((segments) => segments !== null) ? 100 : 0;
  return Math.floor((100 * loaded) / total);
}

async function askReaders(
  pool: RouteSources['pool'],
  nodes: readonly NodeId[],
  collection: CollectionMeta,
  context: RequestContext,
): Promise<ReadonlyMap<NodeId, ReadonlySet<SegmentId> | null>> {
  const reports = await Promise.all(
    nodes.map(async (id) => {
      const call = pool.find(id)?.api.loaded(collection.id, { ...context });
      const report = await call?.catch(() => undefined);
      return [id, report === undefined ? null : new Set(report.segmentIds)] as const;
    }),
  );
  return new Map(reports);
}
