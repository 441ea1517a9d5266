import type { FrontServices, Handlers } from './handler.ts';
import { collectionOf } from './lookup.ts';
import { readPartitions } from './read-partitions.ts';
import { hybridNow } from './timestamps.ts';
import type { SearchCommand } from '../proxy-core.ts';
import type { CollectionMeta } from '../../catalog/model.ts';
import { MishardsError } from '../../errors/index.ts';
import type { FieldSchema, Metric } from '../../schema/index.ts';
import { readConsistency } from '../translate/consistency.ts';
import type { SearchRequest } from '../translate/generated/milvus.js';
import { outputFieldsFromWire, type OutputFields } from '../translate/output-fields.ts';
import { queriesFromWire } from '../translate/placeholder-group.ts';
import { scoreRange } from '../translate/scores.ts';
import { searchParamsFromWire, type SearchParams } from '../translate/search-params.ts';
import { searchResultsToWire } from '../translate/search-results.ts';
import { SUCCESS } from '../translate/status.ts';
import { templateValuesFromWire } from '../translate/template-values.ts';

export function searchHandlers(services: FrontServices): Handlers<'Search'> {
  return {
    async Search(request, call) {
      refuseWhatIsMissing(request);
      const collection = collectionOf(services, request, call);
      const output = outputFieldsFromWire(request.outputFields, collection.schema);
      const params = searchParamsFromWire(request.searchParams, collection.schema);
      const metric = metricFor(collection, params);
      const command = searchCommand(collection, request, params, metric, output);
      const answer = await services.core.search(command, call);
      return {
        status: SUCCESS,
        collectionName: collection.name,
        sessionTs: hybridNow(services.clock),
        results: searchResultsToWire(answer, { ...params, schema: collection.schema, metric, output }),
      };
    },
  };
}

function searchCommand(
  collection: CollectionMeta,
  request: SearchRequest,
  params: SearchParams,
  metric: Metric,
  output: OutputFields,
): SearchCommand {
  const queries = queriesFromWire(request.placeholderGroup ?? new Uint8Array(0), request.nq, params.field);
  checkEf(params);
  const values = templateValuesFromWire(request.exprTemplateValues);
  const filter = request.dsl.trim() === '' ? null : { text: request.dsl, values };
  return {
    collection,
    partitionIds: readPartitions(collection, request.partitionNames, filter),
    filter,
    outputFieldIds: readFieldIds(output.fields),
    ...readConsistency(request, collection),
    fieldId: params.field.id,
    metric,
    queryCount: queries.count,
    queries: queries.vectors,
    limit: params.limit,
    offset: params.offset,
    params: params.indexParams,
    ...scoreRange(metric, params.radius, params.rangeFilter),
  };
}

/** The primary key comes with every answer. */
export function readFieldIds(fields: readonly FieldSchema[]): readonly number[] {
  return fields.filter((field) => !field.isPrimaryKey).map((field) => field.id);
}

/** The index decides; a client that names another metric is told so. */
function metricFor(collection: CollectionMeta, { field, metric }: SearchParams): Metric {
  if (collection.load === null) {
    throw new MishardsError('COLLECTION_NOT_LOADED', `collection not loaded[collection=${collection.name}]`);
  }
  const indexed = collection.indexes.find((index) => index.fieldId === field.id)?.metric ?? null;
  if (indexed === null) {
    throw new MishardsError(
      'INDEX_NOT_FOUND',
      `index not found[collection=${collection.name}][field=${field.name}], create one and load again`,
    );
  }
  if (metric !== null && metric !== indexed) {
    throw new MishardsError(
      'PARAMETER_INVALID',
      `metric type not match: invalid parameter[expected=${indexed}][actual=${metric}]`,
    );
  }
  return indexed;
}

/** `ef` is the size of HNSW's list of candidates, so it cannot be below the hits wanted. */
function checkEf({ indexParams, limit, offset }: SearchParams): void {
  const ef = indexParams['ef'];
  if (ef === undefined) return;
  const hits = limit + offset;
  if (typeof ef === 'number' && Number.isInteger(ef) && ef >= hits) return;
  throw new MishardsError('PARAMETER_INVALID', `ef(${ef}) should be larger than k(${hits})`);
}

function refuseWhatIsMissing(request: SearchRequest): void {
  const refuse = (what: string): never => {
    throw new MishardsError('NOT_SUPPORTED', `${what} is not supported yet`);
  };
  if (request.subReqs.length > 0) refuse('hybrid search');
  if (request.ids !== null) refuse('search by primary keys');
  if (request.functionScore !== null && request.functionScore.functions.length > 0)
    refuse('reranking (function_score)');
  if (request.functionChains.length > 0) refuse('function chains');
  if (request.highlighter !== null) refuse('highlighting');
  if (request.searchAggregation !== null) refuse('search aggregation');
  if (request.namespace !== null && request.namespace !== '') refuse('a namespace');
}
