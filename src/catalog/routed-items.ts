import type { CatalogSnapshot } from './catalog.ts';
import type { CollectionMeta } from './model.ts';
import type { RoutedItem } from '../routing/router.ts';
import type { ChannelId, SegmentId } from '../schema/index.ts';

/** Channels carry little weight: their rows are few and on every reader. */
export const CHANNEL_WEIGHT = 1;

export const channelKey = (id: ChannelId): string => `channel/${id}`;
export const segmentKey = (id: SegmentId): string => `segment/${id}`;

/** All that is to be placed for a collection. Proxies and readers must give their routers the same, so both take it from here. */
export function routedItems(snapshot: CatalogSnapshot, collection: CollectionMeta): readonly RoutedItem[] {
  const placed = [...snapshot.segmentsOf(collection.id), ...snapshot.incomingOf(collection.id)];
  const segments = placed.map((segment) => ({
    key: segmentKey(segment.id),
    weight: Math.max(1, segment.rowCount),
  }));
  const channels = collection.channels.map((id) => ({ key: channelKey(id), weight: CHANNEL_WEIGHT }));
  return [...segments, ...channels];
}
