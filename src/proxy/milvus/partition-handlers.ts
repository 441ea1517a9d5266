import type { FrontServices, Handlers } from './handler.ts';
import { loadedPercentage } from './load-progress.ts';
import { collectionOf, partitionOf, refusePartitionNames } from './lookup.ts';
import { physicalMs } from './timestamps.ts';
import type { CollectionMeta, PartitionMeta } from '../../catalog/model.ts';
import { MishardsError } from '../../errors/index.ts';
import { checkPartitionName } from '../../schema/index.ts';
import { ShowType } from '../translate/generated/milvus.js';
import { pairsOf } from '../translate/key-values.ts';
import { SUCCESS } from '../translate/status.ts';

export function partitionHandlers(
  services: FrontServices,
): Handlers<
  'CreatePartition' | 'DropPartition' | 'HasPartition' | 'ShowPartitions' | 'GetPartitionStatistics'
> {
  const { core } = services;
  return {
    async CreatePartition(request, call) {
      const collection = collectionOf(services, request, call);
      const name = request.partitionName.trim();
      checkPartitionName(name);
      refusePartitionNames(collection);
      await core.execute({ kind: 'create-partition', collectionId: collection.id, name }, call);
      return SUCCESS;
    },
    async DropPartition(request, call) {
      const collection = collectionOf(services, request, call);
      const name = request.partitionName.trim();
      checkPartitionName(name);
      refusePartitionNames(collection);
      await core.execute({ kind: 'drop-partition', collectionId: collection.id, name }, call);
      return SUCCESS;
    },
    HasPartition(request, call) {
      const { partitions } = collectionOf(services, request, call);
      checkPartitionName(request.partitionName);
      return { status: SUCCESS, value: partitions.some(({ name }) => name === request.partitionName) };
    },
    async ShowPartitions(request, call) {
      const collection = collectionOf(
        services,
        { ...request, collectionName: request.collectionName || nameOf(services, request.collectionID) },
        call,
      );
      const isInMemory = request.type === ShowType.InMemory;
      const partitions = shownPartitions(collection, request.partitionNames, isInMemory);
      const percentages = isInMemory
        ? await Promise.all(
            partitions.map((partition) => loadedPercentage(core, collection, [partition.id], call)),
          )
        : [];
      return {
        status: SUCCESS,
        partitionNames: partitions.map(({ name }) => name),
        partitionIDs: BigInt64Array.from(partitions, ({ id }) => BigInt(id)),
        createdTimestamps: BigUint64Array.from(partitions, (one) => BigInt(one.createdTimestamp)),
        createdUtcTimestamps: BigUint64Array.from(partitions, (one) =>
          physicalMs(BigInt(one.createdTimestamp)),
        ),
        inMemoryPercentages: BigInt64Array.from(percentages, BigInt),
      };
    },
    async GetPartitionStatistics(request, call) {
      const collection = collectionOf(services, request, call);
      const partition = partitionOf(collection, request.partitionName);
      const count = await core.rowCount(collection, partition.id, call);
      return { status: SUCCESS, stats: pairsOf({ row_count: String(count) }) };
    },
  };
}

/** In memory are those that are asked to be. */
function shownPartitions(
  collection: CollectionMeta,
  names: readonly string[],
  isInMemory: boolean,
): readonly PartitionMeta[] {
  const named =
    names.length === 0 ? collection.partitions : names.map((name) => partitionOf(collection, name));
  if (!isInMemory) return named;
  const { load } = collection;
  if (load === null) {
    throw new MishardsError('COLLECTION_NOT_LOADED', `collection not loaded[collection=${collection.name}]`);
  }
  return named.filter(({ id }) => load.partitionIds === null || load.partitionIds.includes(id));
}

function nameOf({ core }: FrontServices, id: bigint): string {
  return [...core.catalog.snapshot().collections.values()].find((one) => one.id === String(id))?.name ?? '';
}
