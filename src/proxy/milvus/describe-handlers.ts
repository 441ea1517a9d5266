import type { FrontServices, Handlers, MilvusCall } from './handler.ts';
import { loadedPercentage } from './load-progress.ts';
import { collectionOf, databaseOf } from './lookup.ts';
import { hybridNow, physicalMs } from './timestamps.ts';
import { updateTimestampOf } from './update-timestamp.ts';
import type { CollectionMeta } from '../../catalog/model.ts';
import { MishardsError } from '../../errors/index.ts';
import type { CollectionId } from '../../schema/index.ts';
import { shownCollection } from '../translate/altered-properties.ts';
import { schemaToWire } from '../translate/collection-schema.ts';
import {
  ShowType,
  type DescribeCollectionRequest,
  type DescribeCollectionResponseInit,
  type ShowCollectionsRequest,
} from '../translate/generated/milvus.js';
import { pairsOf } from '../translate/key-values.ts';
import { statusOf, SUCCESS } from '../translate/status.ts';
import { zoneOf } from '../translate/times.ts';

/** Calls that show collections. */
export function describeHandlers(
  services: FrontServices,
): Handlers<
  'DescribeCollection' | 'BatchDescribeCollection' | 'ShowCollections' | 'GetCollectionStatistics'
> {
  const { core } = services;
  return {
    DescribeCollection: (request, call) => describe(services, request, call),
    BatchDescribeCollection({ dbName, collectionName, collectionID }, call) {
      if (collectionName.length === 0 && collectionID.length === 0) {
        throw new MishardsError(
          'PARAMETER_INVALID',
          'collection names and ids are empty; name the collections to describe',
        );
      }
      const byName = collectionName.map((name) => ({ collectionName: name, collectionID: 0n }));
      const byId = [...collectionID].map((id) => ({ collectionName: '', collectionID: id }));
      const responses = [...byName, ...byId].map((one) => {
        try {
          return describe(services, { dbName, ...one }, call);
        } catch (error) {
          return { status: statusOf(error), collectionName: one.collectionName };
        }
      });
      return { status: SUCCESS, responses };
    },
    async ShowCollections(request, call) {
      const collections = shownCollections(services, request, call);
      const percentages = await Promise.all(
        collections.map((collection) => loadedPercentage(core, collection, null, call)),
      );
      return {
        status: SUCCESS,
        collectionNames: collections.map((collection) => collection.name),
        collectionIds: BigInt64Array.from(collections, ({ id }) => BigInt(id)),
        createdTimestamps: BigUint64Array.from(collections, (one) => BigInt(one.createdTimestamp)),
        createdUtcTimestamps: BigUint64Array.from(collections, (one) =>
          physicalMs(BigInt(one.createdTimestamp)),
        ),
        shardsNum: Int32Array.from(collections, ({ channels }) => channels.length),
        ...(request.type === ShowType.InMemory
          ? {
              inMemoryPercentages: BigInt64Array.from(percentages, BigInt),
              queryServiceAvailable: Uint8Array.from(percentages, (percentage) => Number(percentage === 100)),
            }
          : {}),
      };
    },
    async GetCollectionStatistics(request, call) {
      const count = await core.rowCount(collectionOf(services, request, call), null, call);
      return { status: SUCCESS, stats: pairsOf({ row_count: String(count) }) };
    },
  };
}

type NamedOrNumbered = Pick<DescribeCollectionRequest, 'dbName' | 'collectionName' | 'collectionID'>;

function describe(
  services: FrontServices,
  request: NamedOrNumbered,
  call: MilvusCall,
): DescribeCollectionResponseInit {
  const { core, clock } = services;
  const collection =
    request.collectionName === '' && request.collectionID !== 0n
      ? collectionById(services, request.collectionID)
      : collectionOf(services, request, call);
  const created = BigInt(collection.createdTimestamp);
  const updated = updateTimestampOf(collection);
  const { schema, consistencyLevel, properties } = shownCollection(collection);
  return {
    status: SUCCESS,
    schema: schemaToWire(collection.name, collection.databaseName, schema, zoneOf(collection)),
    collectionID: BigInt(collection.id),
    collectionName: collection.name,
    dbName: collection.databaseName,
    dbId: BigInt(core.catalog.snapshot().databases.get(collection.databaseName)?.id ?? 0),
    virtualChannelNames: collection.channels,
    physicalChannelNames: collection.channels,
    createdTimestamp: created,
    createdUtcTimestamp: physicalMs(created),
    updateTimestamp: updated,
    updateTimestampStr: String(updated),
    requestTime: hybridNow(clock),
    shardsNum: collection.channels.length,
    aliases: collection.aliases,
    consistencyLevel,
    properties: pairsOf(properties),
    numPartitions: BigInt(collection.partitions.length),
  };
}

function collectionById({ core }: FrontServices, id: bigint): CollectionMeta {
  const collection = core.catalog.snapshot().collections.get(String(id) as CollectionId);
  if (collection === undefined) {
    throw new MishardsError('COLLECTION_NOT_FOUND', `collection not found[collection=${id}]`);
  }
  return collection;
}

function shownCollections(
  services: FrontServices,
  request: ShowCollectionsRequest,
  call: MilvusCall,
): readonly CollectionMeta[] {
  const snapshot = services.core.catalog.snapshot();
  const { collectionNames } = request;
  if (collectionNames.length > 0) {
    return collectionNames.map((name) => collectionOf(services, { ...request, collectionName: name }, call));
  }
  const all = snapshot.collectionsOf(databaseOf(snapshot, request, call).name);
  return request.type === ShowType.InMemory ? all.filter((collection) => collection.load !== null) : all;
}
