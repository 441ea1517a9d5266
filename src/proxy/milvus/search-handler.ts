import type { FrontServices, Handlers, MilvusCall } from './handler.ts';
import { collectionOf } from './lookup.ts';
import { checkMayRead } from './quotas.ts';
import { indexFor, readOf, searchOf } from './search-command.ts';
import { hybridNow } from './timestamps.ts';
import { queriesByKey } from './queries-by-key.ts';
import { searchGroups, searchInOrder } from '../core/arrange-hits.ts';
import type { ProxyCore, SearchAnswer, SearchCommand } from '../proxy-core.ts';
import { MishardsError } from '../../errors/index.ts';
import { isDistance } from '../../schema/index.ts';
import type { SearchRequest } from '../translate/generated/milvus.js';
import { outputFieldsFromWire } from '../translate/output-fields.ts';
import { queriesFromWire } from '../translate/placeholder-group.ts';
import { iteratorResult } from '../translate/search-iterator.ts';
import { searchParamsFromWire, type SearchParams } from '../translate/search-params.ts';
import { searchResultsToWire } from '../translate/search-results.ts';
import { SUCCESS } from '../translate/status.ts';
import { timeViewFromWire } from '../translate/times.ts';

export function searchHandlers(services: FrontServices): Handlers<'Search'> {
  return {
    async Search(request, call) {
      refuseOfSearch(request);
      const collection = collectionOf(services, request, call);
      checkMayRead(services, collection);
      const times = timeViewFromWire(request.searchParams, collection);
      const output = outputFieldsFromWire(request.outputFields, collection.schema, times);
      const params = searchParamsFromWire(request.searchParams, collection.schema);
      const index = indexFor(collection, params);
      const { metric } = index;
      const { core, clock } = services;
      const read = readOf(collection, request, params, output, clock.nowMs());
      const queries =
        request.ids === null
          ? queriesFromWire(request.placeholderGroup ?? new Uint8Array(0), request.nq, params.field)
          : await queriesByKey(services, read, request.ids, params.field, call);
      const command = { ...read, ...searchOf(params, index, queries) };
      const answer = await search(core, command, params, call);
      const results = searchResultsToWire(answer, {
        ...params,
        schema: collection.schema,
        areDistances: isDistance(metric),
        output,
      });
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

/** What no search of one field does yet. */
export function refuseOfSearch(request: SearchRequest): void {
  const refuse = (what: string): never => {
    throw new MishardsError('NOT_SUPPORTED', `${what} is not supported yet`);
  };
  if (request.subReqs.length > 0) refuse('hybrid search by sub_reqs');
  if (request.functionScore !== null && request.functionScore.functions.length > 0)
    refuse('reranking (function_score)');
  if (request.functionChains.length > 0) refuse('function chains');
  if (request.highlighter !== null) refuse('highlighting');
  if (request.searchAggregation !== null) refuse('search aggregation');
  if (request.namespace !== null && request.namespace !== '') refuse('a namespace');
}
