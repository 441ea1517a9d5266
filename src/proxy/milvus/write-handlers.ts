import type { FrontServices, Handlers, MilvusCall } from './handler.ts';
import { collectionOf, partitionOf, refusePartitionNames } from './lookup.ts';
import { routedRows } from './partition-routing.ts';
import { checkMayDelete, checkMayWrite } from './quotas.ts';
import { checkSchemaTimestamp } from './update-timestamp.ts';
import { DEFAULT_PARTITION_NAME, type CollectionMeta } from '../../catalog/model.ts';
import { MishardsError } from '../../errors/index.ts';
import { zonedFilter } from '../../filter/index.ts';
import { keysToWire } from '../translate/column-to-wire.ts';
import type { FieldData, MutationResultInit } from '../translate/generated/milvus.js';
import { completeRows } from './partial-rows.ts';
import { rowsFromWire, sentRowsFromWire } from '../translate/row-batch.ts';
import { SUCCESS } from '../translate/status.ts';
import { zoneOf } from '../translate/times.ts';
import { templateValuesFromWire } from '../translate/template-values.ts';

interface WireMutation {
  readonly dbName: string;
  readonly collectionName: string;
  readonly partitionName: string;
  readonly fieldsData: readonly FieldData[];
  readonly numRows: number;
  readonly schemaTimestamp: bigint;
}

export function writeHandlers(services: FrontServices): Handlers<'Insert' | 'Upsert' | 'Delete'> {
  const { core } = services;
  return {
    async Insert(request, call) {
      const result = await mutate(services, 'insert', request, call);
      return { ...result, insertCnt: BigInt(request.numRows) };
    },
    async Upsert(request, call) {
      if (request.fieldOps.length > 0) {
        throw new MishardsError('NOT_SUPPORTED', 'operations on fields (field_ops) are not supported yet');
      }
      const result = await mutate(
        services,
        request.partialUpdate ? 'partial upsert' : 'upsert',
        request,
        call,
      );
      const count = BigInt(request.numRows);
      return { ...result, insertCnt: count, deleteCnt: count, upsertCnt: count };
    },
    async Delete(request, call) {
      const collection = collectionOf(services, request, call);
      checkMayDelete(services, collection);
      if (request.expr.trim() === '') {
        throw new MishardsError(
          'PARAMETER_INVALID',
          'expr is empty; a delete needs an expression that names rows',
        );
      }
      if (request.partitionName !== '') refusePartitionNames(collection);
      const partitionId =
        request.partitionName === '' ? null : partitionOf(collection, request.partitionName).id;
      const filter = {
        text: zonedFilter(request.expr, zoneOf(collection)),
        values: templateValuesFromWire(request.exprTemplateValues),
      };
      const result = await core.delete({ collection, partitionId, filter }, call);
      return {
        status: SUCCESS,
        IDs: {},
        deleteCnt: BigInt(result.keys.length),
        timestamp: result.timestamp,
      };
    },
  };
}

async function mutate(
  services: FrontServices,
  kind: 'insert' | 'upsert' | 'partial upsert',
  request: WireMutation,
  call: MilvusCall,
): Promise<MutationResultInit> {
  const collection = collectionOf(services, request, call);
  checkMayWrite(services, collection);
  checkSchemaTimestamp(collection, request.schemaTimestamp);
  const zone = zoneOf(collection);
  const isPartial = kind === 'partial upsert';
  const method = isPartial ? 'upsert' : kind;
  const rows = isPartial
    ? await completeRows(services, collection, sentRowsFromWire(collection.schema, request, zone), call)
    : rowsFromWire(collection.schema, request, kind, zone);
  const result = await routedRows(
    collection,
    namedPartition(collection, request.partitionName),
    rows,
    (part) => services.core[method]({ collection, ...part }, call),
  );
  return {
    status: SUCCESS,
    IDs: keysToWire(result.keys),
    succIndex: Uint32Array.from({ length: rows.rowCount }, (_, index) => index),
    acknowledged: true,
    timestamp: result.timestamp,
  };
}

/** null: each row's partition follows from its partition key. */
function namedPartition(collection: CollectionMeta, name: string): string | null {
  const hasPartitionKey = collection.schema.fields.some((field) => field.isPartitionKey);
  if (!hasPartitionKey) return partitionOf(collection, name === '' ? DEFAULT_PARTITION_NAME : name).name;
  if (name !== '') refusePartitionNames(collection);
  return null;
}
