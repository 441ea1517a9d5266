import type { FrontServices, Handlers, MilvusCall } from './handler.ts';
import { indexProgress, type IndexProgress } from './index-progress.ts';
import { collectionOf } from './lookup.ts';
import type { CollectionMeta, IndexMeta } from '../../catalog/model.ts';
import { MishardsError } from '../../errors/index.ts';
import {
  checkIndexName,
  dynamicField,
  findField,
  type CollectionSchema,
  type FieldSchema,
} from '../../schema/index.ts';
import {
  IndexState,
  type AlterIndexRequest,
  type IndexDescriptionInit,
  type StatusInit,
} from '../translate/generated/milvus.js';
import {
  checkAlterableIndexKey,
  indexParamsToWire,
  indexRequestFromWire,
} from '../translate/index-params.ts';
import { recordOfPairs } from '../translate/key-values.ts';
import { SUCCESS } from '../translate/status.ts';

interface NamesIndex {
  readonly dbName: string;
  readonly collectionName: string;
  readonly indexName: string;
  readonly fieldName?: string;
}

export function indexHandlers(
  services: FrontServices,
): Handlers<
  | 'CreateIndex'
  | 'DescribeIndex'
  | 'DropIndex'
  | 'AlterIndex'
  | 'GetIndexState'
  | 'GetIndexBuildProgress'
  | 'GetIndexStatistics'
> {
  const { core } = services;
  return {
    async CreateIndex(request, call) {
      const collection = collectionOf(services, request, call);
      checkIndexName(request.indexName);
      const field = indexedField(collection.schema, request.fieldName);
      if (field === undefined) {
        throw new MishardsError(
          'FIELD_NOT_FOUND',
          `cannot create index on non-exist field: ${request.fieldName}`,
        );
      }
      const wanted = indexRequestFromWire(request.extraParams, field);
      await core.execute(
        {
          kind: 'create-index',
          collectionId: collection.id,
          name: request.indexName,
          fieldId: field.id,
          ...wanted,
        },
        call,
      );
      return SUCCESS;
    },
    DescribeIndex(request, call) {
      const collection = collectionOf(services, request, call);
      const indexes = indexesOf(collection, request);
      return {
        status: SUCCESS,
        indexDescriptions: indexes.map((index) => describe(services, collection, index)),
      };
    },
    async DropIndex(request, call) {
      const collection = collectionOf(services, request, call);
      const indexes = matching(collection, request);
      // Dropping what is not there succeeds, so that a drop can be repeated.
      for (const { id } of indexes) {
        await core.execute({ kind: 'drop-index', collectionId: collection.id, indexId: id }, call);
      }
      return SUCCESS;
    },
    AlterIndex: (request, call) => alter(services, request, call),
    GetIndexState(request, call) {
      const progress = totalProgress(services, request, call);
      return { status: SUCCESS, state: stateOf(progress) };
    },
    GetIndexBuildProgress(request, call) {
      const { indexedRows, totalRows } = totalProgress(services, request, call);
      return { status: SUCCESS, indexedRows: BigInt(indexedRows), totalRows: BigInt(totalRows) };
    },
    GetIndexStatistics(request, call) {
      const collection = collectionOf(services, request, call);
      return {
        status: SUCCESS,
        indexDescriptions: indexesOf(collection, request).map((index) =>
          describe(services, collection, index),
        ),
      };
    },
  };
}

/** A name that is no field is a key of the dynamic field, where there is one. */
function indexedField(schema: CollectionSchema, name: string): FieldSchema | undefined {
  return findField(schema, name) ?? (name === '' ? undefined : dynamicField(schema));
}

async function alter(
  services: FrontServices,
  request: AlterIndexRequest,
  call: MilvusCall,
): Promise<StatusInit> {
  checkIndexName(request.indexName);
  if (request.indexName === '') throw new MishardsError('PARAMETER_INVALID', 'index name is empty');
  const set = recordOfPairs(request.extraParams);
  const remove = request.deleteKeys;
  if (Object.keys(set).length > 0 && remove.length > 0) {
    throw new MishardsError('PARAMETER_INVALID', 'can not provide both DeleteKeys and ExtraParams');
  }
  for (const key of [...Object.keys(set), ...remove]) checkAlterableIndexKey(key);
  const collection = collectionOf(services, request, call);
  for (const { id } of indexesOf(collection, request)) {
    await services.core.execute(
      { kind: 'alter-index', collectionId: collection.id, indexId: id, set, remove },
      call,
    );
  }
  return SUCCESS;
}

function matching(
  collection: CollectionMeta,
  { indexName, fieldName = '' }: NamesIndex,
): readonly IndexMeta[] {
  if (indexName !== '') return collection.indexes.filter((index) => index.name === indexName);
  if (fieldName === '') return collection.indexes;
  const field = findField(collection.schema, fieldName);
  return collection.indexes.filter((index) => index.fieldId === field?.id);
}

function indexesOf(collection: CollectionMeta, request: NamesIndex): readonly IndexMeta[] {
  const indexes = matching(collection, request);
  if (indexes.length > 0) return indexes;
  throw new MishardsError(
    'INDEX_NOT_FOUND',
    `index not found[indexName=${request.indexName}][collection=${collection.name}]`,
  );
}

function progressOf(
  { core, indexRowsMin }: FrontServices,
  collection: CollectionMeta,
  index: IndexMeta,
): IndexProgress {
  return indexProgress(core.catalog.snapshot(), collection, index, indexRowsMin);
}

function describe(
  services: FrontServices,
  collection: CollectionMeta,
  index: IndexMeta,
): IndexDescriptionInit {
  const progress = progressOf(services, collection, index);
  return {
    indexName: index.name,
    indexID: BigInt(index.id),
    fieldName: collection.schema.fields.find((field) => field.id === index.fieldId)?.name ?? '',
    params: indexParamsToWire(index),
    indexedRows: BigInt(progress.indexedRows),
    totalRows: BigInt(progress.totalRows),
    pendingIndexRows: BigInt(progress.pendingRows),
    state: stateOf(progress),
  };
}

function totalProgress(services: FrontServices, request: NamesIndex, call: MilvusCall): IndexProgress {
  const collection = collectionOf(services, request, call);
  return indexesOf(collection, request)
    .map((index) => progressOf(services, collection, index))
    .reduce((sum, one) => ({
      indexedRows: sum.indexedRows + one.indexedRows,
      totalRows: sum.totalRows + one.totalRows,
      pendingRows: sum.pendingRows + one.pendingRows,
    }));
}

function stateOf({ pendingRows }: IndexProgress): number {
  return pendingRows === 0 ? IndexState.Finished : IndexState.InProgress;
}
