import type { PlacementCache } from './placement-cache.ts';
import { channelKey, segmentKey } from '../../catalog/routed-items.ts';
import type { ReaderPool } from './reader-pool.ts';
import type { RouteExplanation, RouteItem } from '../proxy-core.ts';
import type { Catalog } from '../../catalog/catalog.ts';
import type { CollectionMeta } from '../../catalog/model.ts';

export interface RouteSources {
  readonly catalog: Catalog;
  readonly pool: ReaderPool;
  readonly placements: PlacementCache;
}

export function explainRoute(
  { catalog, pool, placements }: RouteSources,
  collection: CollectionMeta,
): RouteExplanation {
  const snapshot = catalog.snapshot();
  const placement = placements.placementOf(snapshot, collection, pool.readers());
  const segments = snapshot.segmentsOf(collection.id).map((segment): RouteItem => {
    const nodes = placement.get(segmentKey(segment.id)) ?? [];
    return { key: segment.id, kind: 'segment', rowCount: segment.rowCount, nodes };
  });
  const channels = collection.channels.map((id): RouteItem => {
    return { key: id, kind: 'channel', rowCount: 0, nodes: placement.get(channelKey(id)) ?? [] };
  });
  return {
    router: placements.router,
    copies: collection.load?.replicas ?? 1,
    items: [...segments, ...channels],
  };
}
