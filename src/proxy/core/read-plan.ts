import type { CatalogSnapshot } from '../../catalog/catalog.ts';
import type { CollectionMeta } from '../../catalog/model.ts';
import { CHANNEL_WEIGHT, channelKey, segmentKey } from '../../catalog/routed-items.ts';
import { MishardsError } from '../../errors/index.ts';
import type { ChannelId, LogSequence, NodeId, PartitionId, SegmentId } from '../../schema/index.ts';

/** One thing a node must look through to answer a read, with the nodes that may do it in order of preference. */
export type PlanItem =
  | {
      readonly kind: 'segment';
      readonly id: SegmentId;
      readonly weight: number;
      readonly nodes: readonly NodeId[];
    }
  | {
      readonly kind: 'channel';
      readonly id: ChannelId;
      readonly after: LogSequence;
      readonly weight: number;
      readonly nodes: readonly NodeId[];
    };

/** What a read of a collection must look through, from one snapshot: the segments and, behind each channel's checkpoint, the fresh rows. */
export interface ReadPlan {
  /** Of the snapshot it was made from. */
  readonly revision: number;
  readonly collection: CollectionMeta;
  /** Those read: what was asked for or is loaded, or all there are. Fresh rows of dropped partitions are in none of them. */
  readonly partitionIds: readonly PartitionId[];
  readonly segments: readonly (PlanItem & { readonly kind: 'segment' })[];
  readonly channels: readonly (PlanItem & { readonly kind: 'channel' })[];
}

export function planRead(
  snapshot: CatalogSnapshot,
  collection: CollectionMeta,
  partitionIds: readonly PartitionId[] | null,
  placement: ReadonlyMap<string, readonly NodeId[]>,
): ReadPlan {
  const wanted = loadedPartitions(collection, partitionIds);
  const wantedSet = new Set(wanted);
  const segments = snapshot
    .segmentsOf(collection.id)
    .filter((segment) => wantedSet.has(segment.partitionId))
    .map(
      (segment) =>
        ({
          kind: 'segment',
          id: segment.id,
          weight: segment.rowCount,
          nodes: placement.get(segmentKey(segment.id)) ?? [],
        }) as const,
    );
  const channels = collection.channels.map(
    (id) =>
      ({
        kind: 'channel',
        id,
        after: snapshot.channel(id)?.checkpoint ?? 0,
        weight: CHANNEL_WEIGHT,
        nodes: placement.get(channelKey(id)) ?? [],
      }) as const,
  );
  return { revision: snapshot.revision, collection, partitionIds: wanted, segments, channels };
}

/** The partitions to read: those asked for, all of which must be loaded, or all that are. */
function loadedPartitions(
  collection: CollectionMeta,
  asked: readonly PartitionId[] | null,
): readonly PartitionId[] {
  if (collection.load === null) {
    throw new MishardsError('COLLECTION_NOT_LOADED', `collection not loaded[collection=${collection.name}]`);
  }
  const loaded = collection.load.partitionIds;
  if (asked === null || loaded === null) {
    return asked ?? loaded ?? collection.partitions.map((partition) => partition.id);
  }
  const absent = asked.filter((id) => !loaded.includes(id));
  if (absent.length > 0) {
    const names = absent.map(
      (id) => collection.partitions.find((partition) => partition.id === id)?.name ?? id,
    );
    throw new MishardsError('PARTITION_NOT_LOADED', `partition not loaded[partition=${names.join(',')}]`);
  }
  return asked;
}
