import type { FrontServices, MilvusCall } from './handler.ts';
import type { CatalogSnapshot } from '../../catalog/catalog.ts';
import type { CollectionMeta, DatabaseMeta, PartitionMeta } from '../../catalog/model.ts';
import { MishardsError } from '../../errors/index.ts';
import { checkCollectionName, checkPartitionName, type PartitionId } from '../../schema/index.ts';

interface NamesDatabase {
  readonly dbName: string;
}
interface NamesCollection extends NamesDatabase {
  readonly collectionName: string;
}

function databaseNameOf(request: NamesDatabase, call: MilvusCall): string {
  return request.dbName === '' ? call.databaseName : request.dbName;
}

export function databaseOf(
  snapshot: CatalogSnapshot,
  request: NamesDatabase,
  call: MilvusCall,
): DatabaseMeta {
  const name = databaseNameOf(request, call);
  const database = snapshot.databases.get(name);
  if (database === undefined) {
    throw new MishardsError('DATABASE_NOT_FOUND', `database not found[database=${name}]`);
  }
  return database;
}

/** By name or alias, in the request's database or else the connection's. Throws `COLLECTION_NOT_FOUND`. */
export function collectionOf(
  { core }: FrontServices,
  request: NamesCollection,
  call: MilvusCall,
): CollectionMeta {
  const name = request.collectionName.trim();
  checkCollectionName(name);
  const snapshot = core.catalog.snapshot();
  const database = databaseOf(snapshot, request, call);
  const collection = snapshot.findCollection(database.name, name);
  if (collection === undefined) {
    throw new MishardsError(
      'COLLECTION_NOT_FOUND',
      `collection not found[database=${database.name}][collection=${name}]`,
    );
  }
  return collection;
}

/** To write into. */
export function partitionOf(collection: CollectionMeta, name: string): PartitionMeta {
  checkPartitionName(name.trim());
  return knownPartition(collection, name);
}

function knownPartition(collection: CollectionMeta, name: string): PartitionMeta {
  const partition = collection.partitions.find((candidate) => candidate.name === name.trim());
  if (partition === undefined) {
    throw new MishardsError('PARTITION_NOT_FOUND', `partition not found[partition=${name}]`);
  }
  return partition;
}

/** Ids of named partitions; null when none is named. */
export function partitionIdsOf(
  collection: CollectionMeta,
  names: readonly string[],
): readonly PartitionId[] | null {
  if (names.length === 0) return null;
  refusePartitionNames(collection);
  return [...new Set(names.map((name) => knownPartition(collection, name).id))];
}

/** With a partition key, rows find their partition by themselves. Milvus says so with another code where rows are queried. */
export function refusePartitionNames(
  collection: CollectionMeta,
  code: 'PARTITION_KEY_DECIDES' | 'PARAMETER_INVALID' = 'PARTITION_KEY_DECIDES',
): void {
  if (!collection.schema.fields.some((field) => field.isPartitionKey)) return;
  throw new MishardsError(
    code,
    'not support manually specifying the partition names if partition key mode is used',
  );
}
