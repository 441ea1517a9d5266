import type { FrontServices, Handlers, MilvusCall } from './handler.ts';
import { collectionOf, partitionIdsOf } from './lookup.ts';
import { defaultReplicas } from './properties.ts';
import { replicasOf } from './replica-info.ts';
import type { CollectionMeta } from '../../catalog/model.ts';
import { MishardsError } from '../../errors/index.ts';
import {
  checkCollectionName,
  findField,
  isVectorType,
  type CollectionId,
  type FieldSchema,
  type PartitionId,
} from '../../schema/index.ts';
import { LoadState, type StatusInit } from '../translate/generated/milvus.js';
import { SUCCESS } from '../translate/status.ts';

const DEFAULT_RESOURCE_GROUP = '__default_resource_group';

interface LoadOptions {
  readonly replicaNumber: number;
  readonly resourceGroups: readonly string[];
  readonly loadFields: readonly string[];
  readonly skipLoadDynamicField: boolean;
}

export function loadHandlers(
  services: FrontServices,
): Handlers<
  | 'LoadCollection'
  | 'ReleaseCollection'
  | 'LoadPartitions'
  | 'ReleasePartitions'
  | 'GetLoadingProgress'
  | 'GetLoadState'
  | 'GetReplicas'
> {
  const { core } = services;
  return {
    LoadCollection: (request, call) =>
      load(services, collectionOf(services, request, call), null, request, call),
    LoadPartitions(request, call) {
      const collection = collectionOf(services, request, call);
      const partitionIds = partitionIdsOf(collection, request.partitionNames);
      if (partitionIds === null) {
        throw new MishardsError(
          'PARAMETER_INVALID',
          'partition names are empty; name the partitions to load',
        );
      }
      return load(services, collection, partitionIds, request, call);
    },
    async ReleaseCollection(request, call) {
      const { id } = collectionOf(services, request, call);
      await core.execute({ kind: 'release', collectionId: id, partitionIds: null }, call);
      return SUCCESS;
    },
    async ReleasePartitions(request, call) {
      const collection = collectionOf(services, request, call);
      const partitionIds = partitionIdsOf(collection, request.partitionNames);
      if (partitionIds === null) {
        throw new MishardsError(
          'PARAMETER_INVALID',
          'partition names are empty; name the partitions to release',
        );
      }
      await core.execute({ kind: 'release', collectionId: collection.id, partitionIds }, call);
      return SUCCESS;
    },
    async GetLoadingProgress(request, call) {
      const collection = collectionOf(services, request, call);
      const partitionIds = partitionIdsOf(collection, request.partitionNames);
      refuseUnloaded(collection, partitionIds);
      const progress = BigInt(await core.loadProgress(collection, partitionIds, call));
      return { status: SUCCESS, progress, refreshProgress: progress };
    },
    async GetLoadState(request, call) {
      checkCollectionName(request.collectionName);
      const collection = findOrNull(services, request, call);
      if (collection === null) return { status: SUCCESS, state: LoadState.LoadStateNotExist };
      const partitionIds = partitionIdsOf(collection, request.partitionNames);
      if (!isAskedToLoad(collection, partitionIds)) {
        return { status: SUCCESS, state: LoadState.LoadStateNotLoad };
      }
      const progress = await core.loadProgress(collection, partitionIds, call);
      const state = progress === 100 ? LoadState.LoadStateLoaded : LoadState.LoadStateLoading;
      return { status: SUCCESS, state };
    },
    GetReplicas(request, call) {
      const byId = core.catalog.snapshot().collections.get(String(request.collectionID) as CollectionId);
      const collection =
        request.collectionName === '' && byId !== undefined ? byId : collectionOf(services, request, call);
      return { status: SUCCESS, replicas: replicasOf(core, collection) };
    },
  };
}

async function load(
  { core }: FrontServices,
  collection: CollectionMeta,
  partitionIds: readonly PartitionId[] | null,
  options: LoadOptions,
  call: MilvusCall,
): Promise<StatusInit> {
  if (options.resourceGroups.some((group) => group !== DEFAULT_RESOURCE_GROUP)) {
    throw new MishardsError(
      'NOT_SUPPORTED',
      `resource groups are not supported yet, but got ${options.resourceGroups.join(', ')}`,
    );
  }
  if (options.replicaNumber < 0) {
    throw new MishardsError(
      'PARAMETER_INVALID',
      `replica number [${options.replicaNumber}] should be positive`,
    );
  }
  if (collection.indexes.length === 0) {
    throw new MishardsError(
      'INDEX_NOT_FOUND',
      `index not found[collection=${collection.name}], create one on each vector field to load`,
    );
  }
  const fieldIds = loadedFieldIds(collection, options);
  const database = core.catalog.snapshot().databases.get(collection.databaseName);
  const replicas =
    options.replicaNumber !== 0
      ? options.replicaNumber
      : (collection.load?.replicas ?? defaultReplicas(collection.properties, database?.properties ?? {}));
  await core.execute({ kind: 'load', collectionId: collection.id, replicas, partitionIds, fieldIds }, call);
  return SUCCESS;
}

/** null = all. The primary key and at least one vector must be among them, as in Milvus. */
function loadedFieldIds(collection: CollectionMeta, options: LoadOptions): readonly number[] | null {
  const { fields } = collection.schema;
  if (options.loadFields.length === 0) {
    if (!options.skipLoadDynamicField) return null;
    return fields.filter((field) => !field.isDynamic).map((field) => field.id);
  }
  const named = options.loadFields.map((name): FieldSchema => {
    const field = findField(collection.schema, name);
    if (field !== undefined) return field;
    throw new MishardsError(
      'FIELD_NOT_FOUND',
      `failed to get field schema by name: fieldName(${name}) not found`,
    );
  });
  if (!named.some((field) => field.isPrimaryKey)) {
    throw new MishardsError(
      'PARAMETER_INVALID',
      `load field list ${options.loadFields.join(', ')} does not contain primary key field`,
    );
  }
  if (!named.some((field) => isVectorType(field.type))) {
    throw new MishardsError(
      'PARAMETER_INVALID',
      `load field list ${options.loadFields.join(', ')} does not contain vector field`,
    );
  }
  const dynamic = options.skipLoadDynamicField ? [] : fields.filter((field) => field.isDynamic);
  const ids = new Set([...named, ...dynamic].map((field) => field.id));
  return ids.size === fields.length ? null : [...ids];
}

function isAskedToLoad({ load }: CollectionMeta, partitionIds: readonly PartitionId[] | null): boolean {
  if (load === null) return false;
  const loaded = load.partitionIds;
  return partitionIds === null || loaded === null || partitionIds.every((id) => loaded.includes(id));
}

function refuseUnloaded(collection: CollectionMeta, partitionIds: readonly PartitionId[] | null): void {
  if (isAskedToLoad(collection, partitionIds)) return;
  if (collection.load === null) {
    throw new MishardsError('COLLECTION_NOT_LOADED', `collection not loaded[collection=${collection.name}]`);
  }
  throw new MishardsError('PARTITION_NOT_LOADED', `partition not loaded[collection=${collection.name}]`);
}

function findOrNull(
  services: FrontServices,
  request: { readonly dbName: string; readonly collectionName: string },
  call: MilvusCall,
): CollectionMeta | null {
  try {
    return collectionOf(services, request, call);
  } catch (error) {
    if (error instanceof MishardsError && error.code === 'COLLECTION_NOT_FOUND') return null;
    throw error;
  }
}
