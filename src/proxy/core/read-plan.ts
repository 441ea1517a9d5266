import type { CatalogSnapshot } from '../../catalog/catalog.ts';
import type { CollectionMeta, SegmentMeta } from '../../catalog/model.ts';
import { CHANNEL_WEIGHT, channelKey, segmentKey } from '../../catalog/routed-items.ts';
import { channelIndexes, keysFromValues } from '../../columns/index.ts';
import { MishardsError } from '../../errors/index.ts';
import { mayPass, partitionKeyValues, pruningCost, type FilterPlan } from '../../filter/index.ts';
import type { PartitionChoice } from '../../protocol/reader-api.ts';
import {
  primaryKeyField,
  type ChannelId,
  type LogSequence,
  type NodeId,
  type PartitionId,
  type PrimaryKeyType,
  type SegmentId,
  type Timestamp,
} from '../../schema/index.ts';

/** Keys whose channels are looked up; more are in all channels anyway. */
const KEYS_MAX = 4_096;
/** Values compared with those of segments, for one plan: some milliseconds. A filter of more excludes no segment. */
const COMPARISONS_MAX = 50_000;
/** The choice of partitions is of fresh rows, so this is none of them. */
const NO_PARTITION: PartitionChoice = { ids: [], newerThan: null };

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
  /** true: no fresh row counts; the channels are read for what they take away from segments. Default false. */
  readonly ignoresFresh?: boolean;
  /** Bound to the collection's schema; null = every row passes. Segments and channels where none can pass are left out. */
  readonly filter: FilterPlan | null;
  readonly placement: ReadonlyMap<string, readonly NodeId[]>;
}

export function planRead({
  snapshot,
  collection,
  partitionIds,
  rowsSince,
  ignoresFresh = false,
  filter,
  placement,
}: ReadToPlan): ReadPlan {
  const ids = loadedPartitions(collection, partitionIds);
  const wanted = new Set(ids);
  const channelIds = channelsToRead(collection, filter);
  const present = snapshot.segmentsOf(collection.id);
  const isCheap = filter !== null && pruningCost(filter) * present.length <= COMPARISONS_MAX;
  const prune = isCheap ? filter : null;
  const segments = present
    .filter((segment) => wanted.has(segment.partitionId) && channelIds.has(segment.channelId))
    .filter((segment) => !isOutlived(segment, rowsSince) && maySatisfy(segment, prune))
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
  const channels = [...channelIds].map(
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
    partitions: ignoresFresh ? NO_PARTITION : { ids, newerThan: isAll ? collection.newestPartitionId : null },
    rowsSince,
    segments,
    channels,
  };
}

/** A key is in one channel, so of keys named by the filter only theirs are read. */
function channelsToRead(
  { channels, schema }: CollectionMeta,
  filter: FilterPlan | null,
): ReadonlySet<ChannelId> {
  const key = filter === null ? null : primaryKeyField(schema);
  const values = key === null ? null : partitionKeyValues(filter!, key);
  if (values === null || values.length > KEYS_MAX) return new Set(channels);
  // That no row passes has to be told too, by any one channel.
  if (values.length === 0) return new Set(channels.slice(0, 1));
  const keys = keysFromValues(key!.type as PrimaryKeyType, values);
  return new Set([...channelIndexes(keys, channels.length)].map((index) => channels[index]!));
}

function maySatisfy({ stats }: SegmentMeta, filter: FilterPlan | null): boolean {
  if (filter === null) return true;
  return mayPass(filter, (id) => stats.find(({ fieldId }) => fieldId === id) ?? null);
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
