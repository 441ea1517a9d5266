import { Admission } from './admission.ts';
import type { BoundFilter } from './filter-cache.ts';
import { FilterCache } from './filter-cache.ts';
import { FilterResults } from './filter-results.ts';
import { querySources } from './query.ts';
import { loadedReport } from './loaded-report.ts';
import type { ReaderContext } from './reader-context.ts';
import type { ReadSource } from './read-source.ts';
import { openReadView, type ReadView } from './read-view.ts';
import { RequestScope } from './request-scope.ts';
import { RowSelector } from './row-selector.ts';
import { searchSources } from './search.ts';
import { ServedCollections } from './served-collections.ts';
import type {
  LoadedReport,
  NodeStats,
  NodeStatus,
  QueryRequest,
  QueryResult,
  ReaderApi,
  SearchRequest,
  SearchResult,
  SubRequest,
} from '../protocol/reader-api.ts';
import type { CollectionId, CollectionSchema } from '../schema/index.ts';
import type { CallOptions } from '../wire/wire.ts';

/** What a sub-request is answered from. */
interface ReadScope {
  readonly schema: CollectionSchema;
  readonly filter: BoundFilter | null;
  readonly sources: readonly ReadSource[];
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** `ReaderApi` over the served collections. */
export class ReaderService implements ReaderApi {
  readonly #context: ReaderContext;
  readonly #collections: ServedCollections;
  readonly #admission: Admission;
  readonly #filters: FilterCache;
  readonly #selector: RowSelector;

  constructor(context: ReaderContext, collections: ServedCollections, admission: Admission) {
    this.#context = context;
    this.#collections = collections;
    this.#admission = admission;
    this.#filters = new FilterCache(context.options.filtersMax);
    this.#selector = new RowSelector(new FilterResults(context.options.filterBitmapBytesMax, context.host));
  }

  async search(request: SearchRequest, call: CallOptions): Promise<SearchResult> {
    return await this.#read(request, call, (scope) =>
      searchSources(request, { ...scope, kernel: this.#context.kernel, selector: this.#selector }),
    );
  }

  async query(request: QueryRequest, call: CallOptions): Promise<QueryResult> {
    return await this.#read(request, call, (scope) =>
      querySources(request, { ...scope, selector: this.#selector }),
    );
  }

  async loaded(id: CollectionId, _call: CallOptions): Promise<LoadedReport> {
    return loadedReport(this.#collections.get(id), this.#context.catalog.snapshot());
  }

  async ping(_call: CallOptions): Promise<NodeStatus> {
    return {
      ready: !this.#admission.isClosed,
      inFlight: this.#admission.running,
      memoryBytes: this.#context.budget.usedBytes,
      revision: this.#context.catalog.snapshot().revision,
    };
  }

  async #read<Answer>(
    request: SubRequest,
    call: CallOptions,
    answer: (scope: ReadScope) => Promise<Answer>,
  ): Promise<Answer & { readonly stats: NodeStats }> {
    using _place = this.#admission.enter();
    using scope = new RequestScope(this.#context.host, call);
    const { signal } = scope;
    try {
      signal.throwIfAborted();
      const collection = await this.#collections.planned(request, signal);
      const { meta } = collection;
      const filter = request.filter === null ? null : this.#filters.bind(request.filter, meta);
      using view = await openReadView(collection, request, scope.startMs, signal);
      const { sources } = view;
      const { schema } = meta;
      const result = await answer({ schema, filter, sources, timeoutMs: scope.remainingMs, signal });
      return { ...result, stats: statsOf(request, view, scope) };
    } catch (error) {
      // Whoever noticed first, the caller is told why the request ended.
      if (signal.aborted) throw signal.reason;
      throw error;
    }
  }
}

function statsOf(request: SubRequest, { sources, positions }: ReadView, scope: RequestScope): NodeStats {
  return {
    segmentCount: request.segments.length,
    rowsSearched: sources.reduce((sum, source) => sum + source.rowCount, 0),
    elapsedMs: scope.elapsedMs,
    positions,
  };
}
