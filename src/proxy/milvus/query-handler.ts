import type { FrontServices, Handlers } from './handler.ts';
import { collectionOf, refusePartitionNames } from './lookup.ts';
import { livingRows } from './living-rows.ts';
import { checkMayRead } from './quotas.ts';
import { readPartitions } from './read-partitions.ts';
import { readFieldIds } from './search-command.ts';
import { hybridNow } from './timestamps.ts';
import type { QueryAnswer, QueryCommand } from '../proxy-core.ts';
import type { CollectionMeta } from '../../catalog/model.ts';
import { MishardsError } from '../../errors/index.ts';
import { zonedFilter } from '../../filter/index.ts';
import { primaryKeyField } from '../../schema/index.ts';
import { readConsistency } from '../translate/consistency.ts';
import { DataType, type QueryRequest, type QueryResultsInit } from '../translate/generated/milvus.js';
import { outputFieldsFromWire, type OutputFields } from '../translate/output-fields.ts';
import { isCount, queryParamsFromWire } from '../translate/query-params.ts';
import { fieldsToWire } from '../translate/search-results.ts';
import { SUCCESS } from '../translate/status.ts';
import { timeViewFromWire, type TimeView } from '../translate/times.ts';
import { templateValuesFromWire } from '../translate/template-values.ts';

const COUNT = 'count(*)';

export function queryHandlers(services: FrontServices): Handlers<'Query'> {
  return {
    async Query(request, call) {
      const collection = collectionOf(services, request, call);
      checkMayRead(services, collection);
      const countOnly = isCount(request.outputFields);
      const times = timeViewFromWire(request.queryParams, collection);
      const output = outputOf(collection, countOnly ? [] : request.outputFields, times);
      const command = queryCommand(collection, request, output, countOnly, services.clock.nowMs());
      const answer = await services.core.query(command, call);
      return {
        status: SUCCESS,
        collectionName: collection.name,
        sessionTs: hybridNow(services.clock),
        primaryFieldName: primaryKeyField(collection.schema).name,
        ...(countOnly ? countResult(answer) : rowsResult(collection, answer, output)),
      };
    },
  };
}

/** The primary key is always among a query's fields. */
function outputOf(collection: CollectionMeta, asked: readonly string[], times: TimeView): OutputFields {
  const output = outputFieldsFromWire(asked, collection.schema, times);
  const key = primaryKeyField(collection.schema);
  if (output.wantsKey) return output;
  const names = asked.length === 0 ? [key.name] : output.names;
  return { ...output, fields: [...output.fields, key], names };
}

function queryCommand(
  collection: CollectionMeta,
  request: QueryRequest,
  output: OutputFields,
  countOnly: boolean,
  nowMs: number,
): QueryCommand {
  const { limit, offset, ignoresFresh, orderBy } = queryParamsFromWire(
    request.queryParams,
    collection.schema,
  );
  const hasFilter = request.expr.trim() !== '';
  if (countOnly && limit !== null) {
    throw new MishardsError('PARAMETER_INVALID', 'count entities with pagination is not allowed');
  }
  if (!hasFilter && limit === null && !countOnly) {
    throw new MishardsError('PARAMETER_INVALID', 'empty expression should be used with limit');
  }
  if (request.partitionNames.length > 0) refusePartitionNames(collection, 'PARAMETER_INVALID');
  const values = templateValuesFromWire(request.exprTemplateValues);
  const filter = hasFilter ? { text: zonedFilter(request.expr, output.times.zone), values } : null;
  return {
    collection,
    partitionIds: readPartitions(collection, request.partitionNames, filter),
    filter: livingRows(collection, filter, nowMs),
    outputFieldIds: countOnly ? [] : readFieldIds(output.fields),
    ...readConsistency(request, collection),
    ignoresFresh,
    countOnly,
    orderBy: countOnly ? [] : orderBy,
    limit,
    offset,
  };
}

function countResult(answer: QueryAnswer): QueryResultsInit {
  const data = BigInt64Array.of(BigInt(answer.count));
  return {
    outputFields: [COUNT],
    fieldsData: [{ type: DataType.Int64, fieldName: COUNT, scalars: { longData: { data } } }],
  };
}

function rowsResult(collection: CollectionMeta, answer: QueryAnswer, output: OutputFields): QueryResultsInit {
  return {
    outputFields: output.names,
    fieldsData: fieldsToWire(answer.keys, answer.rows, collection.schema, output),
  };
}
