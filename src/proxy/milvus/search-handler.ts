import type { FrontServices, Handlers, MilvusCall } from './handler.ts';
import { collectionOf } from './lookup.ts';
import { livingRows } from './living-rows.ts';
import { checkMayRead } from './quotas.ts';
import { readPartitions } from './read-partitions.ts';
import { hybridNow } from './timestamps.ts';
import { queriesByKey } from './queries-by-key.ts';
import { searchGroups, searchInOrder } from '../core/arrange-hits.ts';
import type { ProxyCore, ReadCommand, SearchAnswer, SearchCommand } from '../proxy-core.ts';
import type { CollectionMeta, IndexMeta } from '../../catalog/model.ts';
import type { VectorColumn } from '../../columns/index.ts';
import { MishardsError } from '../../errors/index.ts';
import { zonedFilter } from '../../filter/index.ts';
import type { FieldSchema, Metric } from '../../schema/index.ts';
import { readConsistency } from '../translate/consistency.ts';
import type { SearchRequest } from '../translate/generated/milvus.js';
import { searchParamsOf } from '../translate/index-params.ts';
import { outputFieldsFromWire, type OutputFields } from '../translate/output-fields.ts';
import { queriesFromWire } from '../translate/placeholder-group.ts';
import { iteratorResult, pageRange } from '../translate/search-iterator.ts';
import { scoreRange } from '../translate/scores.ts';
import { searchParamsFromWire, type SearchParams } from '../translate/search-params.ts';
import { searchResultsToWire } from '../translate/search-results.ts';
import { SUCCESS } from '../translate/status.ts';
import { timeViewFromWire } from '../translate/times.ts';
import { templateValuesFromWire } from '../translate/template-values.ts';

export function searchHandlers(services: FrontServices): Handlers<'Search'> {
  return {
    async Search(request, call) {
      refuseWhatIsMissing(request);
      const collection = collectionOf(services, request, call);
      checkMayRead(services, collection);
      const times = timeViewFromWire(request.searchParams, collection);
      const output = outputFieldsFromWire(request.outputFields, collection.schema, times);
      const params = searchParamsFromWire(request.searchParams, collection.schema);
      const index = indexFor(collection, params);
      const { metric } = index;
      const { core, clock } = services;
      const read = readOf(collection, request, output, clock.nowMs());
      const queries =
        request.ids === null
          ? queriesFromWire(request.placeholderGroup ?? new Uint8Array(0), request.nq, params.field)
          : await queriesByKey(services, read, request.ids, params.field, call);
      const command = { ...read, ...searchOf(params, index, queries) };
      const answer = await search(core, command, params, call);
      const results = searchResultsToWire(answer, { ...params, schema: collection.schema, metric, output });
      const { page } = params;
      return {
        status: SUCCESS,
        collectionName: collection.name,
        sessionTs: hybridNow(services.clock),
        results:
          page === null
            ? results
            : { ...results, searchIteratorV2Results: iteratorResult(page, metric, answer) },
      };
    },
  };
}

async function search(
  core: ProxyCore,
  command: SearchCommand,
  { groupBy, orderBy }: SearchParams,
  call: MilvusCall,
): Promise<SearchAnswer> {
  if (groupBy !== null) return await searchGroups(core, command, groupBy, call);
  if (orderBy.length > 0) return await searchInOrder(core, command, orderBy, call);
  return await core.search(command, call);
}

function readOf(
  collection: CollectionMeta,
  request: SearchRequest,
  output: OutputFields,
  nowMs: number,
): ReadCommand {
  const values = templateValuesFromWire(request.exprTemplateValues);
  const text = zonedFilter(request.dsl, output.times.zone);
  const filter = text.trim() === '' ? null : { text, values };
  return {
    collection,
    partitionIds: readPartitions(collection, request.partitionNames, filter),
    filter: livingRows(collection, filter, nowMs),
    outputFieldIds: readFieldIds(output.fields),
    ...readConsistency(request, collection),
  };
}

function searchOf(
  params: SearchParams,
  { type, metric }: VectorIndex,
  queries: VectorColumn,
): Omit<SearchCommand, keyof ReadCommand> {
  if (type === 'HNSW') checkEf(params);
  const { page } = params;
  if (page !== null && queries.length > 1) {
    throw new MishardsError(
      'PARAMETER_INVALID',
      `a search iterator takes one query vector, but got ${queries.length}`,
    );
  }
  const range = scoreRange(metric, params.radius, params.rangeFilter);
  return {
    fieldId: params.field.id,
    metric,
    queries,
    limit: params.limit,
    offset: params.offset,
    params: searchParamsOf(type, params.indexParams),
    ...(page === null ? range : pageRange(page, metric, range)),
  };
}

/** The primary key comes with every answer. */
export function readFieldIds(fields: readonly FieldSchema[]): readonly number[] {
  return fields.filter((field) => !field.isPrimaryKey).map((field) => field.id);
}

type VectorIndex = IndexMeta & { readonly metric: Metric };

/** The index decides on the metric; a client that names another is told so. */
function indexFor(collection: CollectionMeta, { field, metric }: SearchParams): VectorIndex {
  if (collection.load === null) {
    throw new MishardsError('COLLECTION_NOT_LOADED', `collection not loaded[collection=${collection.name}]`);
  }
  const index = collection.indexes.find((candidate) => candidate.fieldId === field.id);
  if (index === undefined || index.metric === null) {
    throw new MishardsError(
      'INDEX_NOT_FOUND',
      `index not found[collection=${collection.name}][field=${field.name}], create one and load again`,
    );
  }
  if (metric !== null && metric !== index.metric) {
    throw new MishardsError(
      'PARAMETER_INVALID',
      `metric type not match: invalid parameter[expected=${index.metric}][actual=${metric}]`,
    );
  }
  return { ...index, metric: index.metric };
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
  if (request.functionScore !== null && request.functionScore.functions.length > 0)
    refuse('reranking (function_score)');
  if (request.functionChains.length > 0) refuse('function chains');
  if (request.highlighter !== null) refuse('highlighting');
  if (request.searchAggregation !== null) refuse('search aggregation');
  if (request.namespace !== null && request.namespace !== '') refuse('a namespace');
}
