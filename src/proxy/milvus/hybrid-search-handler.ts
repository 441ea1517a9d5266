import type { FrontServices, Handlers, MilvusCall } from './handler.ts';
import { collectionOf } from './lookup.ts';
import { queriesByKey } from './queries-by-key.ts';
import { checkMayRead } from './quotas.ts';
import { indexFor, readOf, searchOf } from './search-command.ts';
import { refuseOfSearch } from './search-handler.ts';
import { hybridNow } from './timestamps.ts';
import { ranksDistances } from '../ranking.ts';
import type { SearchCommand } from '../proxy-core.ts';
import type { CollectionMeta } from '../../catalog/model.ts';
import { MishardsError } from '../../errors/index.ts';
import type { HybridSearchRequest, SearchRequest } from '../translate/generated/milvus.js';
import { outputFieldsFromWire, type OutputFields } from '../translate/output-fields.ts';
import { queriesFromWire } from '../translate/placeholder-group.ts';
import { rankParamsFromWire } from '../translate/rank-params.ts';
import { searchParamsFromWire, type SearchParams } from '../translate/search-params.ts';
import { searchResultsToWire } from '../translate/search-results.ts';
import { SUCCESS } from '../translate/status.ts';
import { timeViewFromWire } from '../translate/times.ts';

/** As in Milvus. */
const SEARCHES_MAX = 1_024;

export function hybridSearchHandlers(services: FrontServices): Handlers<'HybridSearch'> {
  return {
    async HybridSearch(request, call) {
      checkSearchCount(request.requests.length);
      refuseWhatIsMissing(request);
      const collection = collectionOf(services, request, call);
      checkMayRead(services, collection);
      const { schema } = collection;
      const times = timeViewFromWire(request.rankParams, collection);
      const output = outputFieldsFromWire(request.outputFields, schema, times);
      const rank = rankParamsFromWire(request.rankParams, request.functionScore, request.requests.length);
      const window = rank.limit + rank.offset;
      const searches = await Promise.all(
        request.requests.map((part) =>
          searchOfPart(services, collection, request, part, output, window, call),
        ),
      );
      checkQueryCounts(searches);
      const answer = await services.core.hybridSearch({ ...rank, searches }, call);
      const areDistances = ranksDistances(
        rank.ranking,
        searches.map(({ metric }) => metric),
      );
      return {
        status: SUCCESS,
        collectionName: collection.name,
        sessionTs: hybridNow(services.clock),
        results: searchResultsToWire(answer, { ...rank, schema, areDistances, groupBy: null, output }),
      };
    },
  };
}

/** One of the searches: partitions and consistency are those of the whole. Its offset has no meaning, as in Milvus. */
async function searchOfPart(
  services: FrontServices,
  collection: CollectionMeta,
  whole: HybridSearchRequest,
  part: SearchRequest,
  output: OutputFields,
  window: number,
  call: MilvusCall,
): Promise<SearchCommand> {
  refuseOfSearch(part);
  const params = searchParamsFromWire(part.searchParams, collection.schema, window);
  checkPlain(params);
  const index = indexFor(collection, params);
  const read = readOf(
    collection,
    { ...whole, dsl: part.dsl, exprTemplateValues: part.exprTemplateValues },
    params,
    output,
    services.clock.nowMs(),
  );
  const queries =
    part.ids === null
      ? queriesFromWire(part.placeholderGroup ?? new Uint8Array(0), part.nq, params.field)
      : await queriesByKey(services, read, part.ids, params.field, call);
  return { ...read, ...searchOf({ ...params, offset: 0 }, index, queries) };
}

/** The merged list is by score, and has no pages. */
function checkPlain({ page, groupBy, orderBy }: SearchParams): void {
  if (page !== null) {
    throw new MishardsError('PARAMETER_INVALID', 'a hybrid search has no iterator; search one field');
  }
  if (groupBy === null && orderBy.length === 0) return;
  throw new MishardsError('NOT_SUPPORTED', 'group by and order by of a hybrid search are not supported yet');
}

function checkSearchCount(count: number): void {
  if (count === 0) throw new MishardsError('PARAMETER_INVALID', 'minimum of ann search requests is 1');
  if (count <= SEARCHES_MAX) return;
  throw new MishardsError(
    'PARAMETER_INVALID',
    `maximum of ann search requests is ${SEARCHES_MAX}, but got ${count}`,
  );
}

function checkQueryCounts(searches: readonly SearchCommand[]): void {
  const [first] = searches;
  const other = searches.find(({ queries }) => queries.length !== first!.queries.length);
  if (other === undefined) return;
  throw new MishardsError(
    'PARAMETER_INVALID',
    `sub search request nq should be the same: invalid parameter[expected=${first!.queries.length}][actual=${other.queries.length}]`,
  );
}

function refuseWhatIsMissing(request: HybridSearchRequest): void {
  const refuse = (what: string): never => {
    throw new MishardsError('NOT_SUPPORTED', `${what} is not supported yet`);
  };
  if (request.functionChains.length > 0) refuse('function chains');
  if (request.namespace !== null && request.namespace !== '') refuse('a namespace');
}
