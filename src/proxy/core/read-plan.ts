import type { CatalogSnapshot } from '../../catalog/catalog.ts';
import type { CollectionMeta, SegmentMeta } from '../../catalog/model.ts';
import { CHANNEL_WEIGHT, channelKey, segmentKey } from '../../catalog/routed-items.ts';
import { MishardsError } from '../../errors/index.ts';
import type { PartitionChoice } from '../../protocol/reader-api.ts';
import type {
  ChannelId,
  LogSequence,
  NodeId,
  PartitionId,
  SegmentId,
  Timestamp,
} from '../../schema/index.ts';

/** One thing a node must look through to answer a read, with the nodes that may do it in order of preference. */
export type PlanItem =
  | {
      readonly kind: 'segment';
      readonly id: SegmentId;
      readonly channelId: ChannelId;
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
  readonly partitions: PartitionChoice;
  /** As in `SubRequest`; segments whose rows are all older are left out. */
  readonly rowsSince: Timestamp;
  readonly segments: readonly (PlanItem & { readonly kind: 'segment' })[];
  readonly channels: readonly (PlanItem & { readonly kind: 'channel' })[];
}

export interface ReadToPlan {
  readonly snapshot: CatalogSnapshot;
  /** Of the snapshot. */
  readonly collection: CollectionMeta;
  /** null = all that are loaded. */
  readonly partitionIds: readonly PartitionId[] | null;
  readonly rowsSince: Timestamp;
  readonly placement: ReadonlyMap<string, readonly NodeId[]>;
}

export function planRead({ snapshot, collection, partitionIds, rowsSince, placement }: ReadToPlan): ReadPlan {
  const ids = loadedPartitions(collection, partitionIds);
  const wanted = new Set(ids);
  const segments = snapshot
    .segmentsOf(collection.id)
    .filter((segment) => wanted.has(segment.partitionId) && !isOutlived(segment, rowsSince))
    .map(
      (segment) =>
        ({
          kind: 'segment',
          id: segment.id,
          channelId: segment.channelId,
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
  const isAll = partitionIds === null && collection.load?.partitionIds === null;
  return {
    revision: snapshot.revision,
    collection,
    partitions: { ids, newerThan: isAll ? collection.newestPartitionId : null },
    rowsSince,
    segments,
    channels,
  };
}

function isOutlived({ maxTimestamp }: SegmentMeta, rowsSince: Timestamp): boolean {
  return rowsSince > 0n && BigInt(maxTimestamp) < rowsSince;
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
