import { checkAnswerSize } from './answer-size.ts';
import { compiledFilter } from './compiled-filter.ts';
import { fanOut, type FanOutRequest, type NodePart } from './fan-out.ts';
import { Hedging } from './hedging.ts';
import type { Guarantees } from './guarantees.ts';
import { mergeHits } from './merge-hits.ts';
import { mergeRanked } from './merge-ranked.ts';
import { mergeRows } from './merge-rows.ts';
import { mergeOrderedRows } from './order-rows.ts';
import type { PlacementCache } from './placement-cache.ts';
import type { ProxyOptions } from './proxy-options.ts';
import { planRead, type ReadPlan } from './read-plan.ts';
import type { ReaderPool } from './reader-pool.ts';
import type {
  HybridSearchCommand,
  QueryAnswer,
  QueryCommand,
  ReadCommand,
  RequestContext,
  SearchAnswer,
  SearchCommand,
} from '../proxy-core.ts';
import type { Catalog } from '../../catalog/catalog.ts';
import { oldestLiving } from '../../catalog/time-to-live.ts';
import { MishardsError, isErrorWithCode } from '../../errors/index.ts';
import type { Host } from '../../host/index.ts';
import type { Guarantee, NodeStats, ReaderApi, SubRequest } from '../../protocol/reader-api.ts';
import { withSpan, withSyncSpan, type SpanAttributes } from '../../telemetry/tracing.ts';
import { LinkedAbort } from '../../util/linked-abort.ts';
import type { CallOptions, TraceCarrier } from '../../wire/wire.ts';

export interface ReadPathDependencies {
  readonly catalog: Catalog;
  readonly pool: ReaderPool;
  readonly placements: PlacementCache;
  readonly guarantees: Guarantees;
  readonly host: Host;
  readonly options: ProxyOptions;
}

type NodeCall<Result> = (api: ReaderApi, part: SubRequest, options: CallOptions) => Promise<Result>;

/** Search and query: plan from the snapshot, one sub-request a node, merge. No metadata I/O on the way. */
export class ReadPath {
  readonly #with: ReadPathDependencies;
  readonly #hedging: Hedging;

  constructor(dependencies: ReadPathDependencies) {
    this.#with = dependencies;
    this.#hedging = new Hedging(dependencies.options.hedging);
  }

  async search(command: SearchCommand, context: RequestContext): Promise<SearchAnswer> {
    return await withSpan('search', context.trace, requestAttributes(command, command.limit), (trace) =>
      this.#search(command, { ...context, trace }),
    );
  }

  async hybridSearch(command: HybridSearchCommand, context: RequestContext): Promise<SearchAnswer> {
    const attributes = requestAttributes(command.searches[0]!, command.limit);
    return await withSpan('hybrid_search', context.trace, attributes, (trace) =>
      this.#hybridSearch(command, { ...context, trace }),
    );
  }

  async query(command: QueryCommand, context: RequestContext): Promise<QueryAnswer> {
    return await withSpan('query', context.trace, requestAttributes(command, command.limit), (trace) =>
      this.#query(command, { ...context, trace }),
    );
  }

  async #search(command: SearchCommand, context: RequestContext): Promise<SearchAnswer> {
    const { fieldId, metric, queries, params, scoreAbove, scoreUpTo } = command;
    const k = command.offset + command.limit;
    const results = await this.#read(command, context, true, (api, part, options) =>
      api.search({ ...part, fieldId, metric, queries, k, params, scoreAbove, scoreUpTo }, options),
    );
    return withSyncSpan('do_merge', context.trace, { 'mishards.results': results.length }, () => {
      const merged = mergeHits(results, queries.length, command.offset, command.limit);
      checkAnswerSize(merged, this.#with.options.answerBytesMax);
      return merged;
    });
  }

  /** The first search that fails ends the others. */
  async #hybridSearch(command: HybridSearchCommand, context: RequestContext): Promise<SearchAnswer> {
    using rest = new LinkedAbort(context.signal);
    try {
      const answers = await Promise.all(
        command.searches.map((search) => this.search(search, { ...context, signal: rest.signal })),
      );
      return withSyncSpan('do_rank', context.trace, { 'mishards.searches': answers.length }, () =>
        mergeRanked(answers, command),
      );
    } catch (error) {
      rest.abort(error);
      throw error;
    }
  }

  async #query(command: QueryCommand, context: RequestContext): Promise<QueryAnswer> {
    const { countOnly, orderBy } = command;
    const outputFieldIds = [
      ...new Set([...command.outputFieldIds, ...orderBy.map(({ fieldId }) => fieldId)]),
    ];
    const rowsMax = this.#with.options.queryRowsMax;
    // One row more than allowed tells an answer that is exactly full from one that is too large.
    const limit = countOnly ? null : command.limit === null ? rowsMax + 1 : command.offset + command.limit;
    const read = { ...command, outputFieldIds };
    const results = await this.#read(read, context, !countOnly, (api, part, options) =>
      api.query({ ...part, countOnly, orderBy, limit }, options),
    );
    return withSyncSpan('do_merge', context.trace, { 'mishards.results': results.length }, () => {
      const merged =
        orderBy.length > 0
          ? mergeOrderedRows(results, orderBy, command.offset, command.limit)
          : mergeRows(results, command.offset, command.limit);
      if (countOnly) return { ...merged, count: results.reduce((sum, result) => sum + result.count, 0) };
      if (merged.count > rowsMax) {
        throw new MishardsError(
          'PARAMETER_TOO_LARGE',
          `the query matches more than ${rowsMax} rows; give a limit or a narrower filter`,
        );
      }
      checkAnswerSize(merged, this.#with.options.answerBytesMax);
      return merged;
    });
  }

  async #read<Result extends { readonly stats: NodeStats }>(
    command: ReadCommand,
    context: RequestContext,
    mayOverlap: boolean,
    call: NodeCall<Result>,
  ): Promise<readonly Result[]> {
    const deadlineMs = this.#with.host.clock.monotonicMs() + context.timeoutMs;
    const guarantee = await this.#with.guarantees.of(command, context);
    for (let replans = 0; ; replans++) {
      const plan = withSyncSpan(
        'get_routing',
        context.trace,
        { 'mishards.collection': command.collection.name },
        (span) => {
          const planned = this.#plan(command);
          span.setAttributes({
            'mishards.segments': planned.segments.length,
            'mishards.channels': planned.channels.length,
          });
          return planned;
        },
      );
      try {
        return await withSpan('do_search', context.trace, {}, (trace) =>
          this.#ask({ ...context, trace }, { plan, deadlineMs, mayOverlap }, (api, part, options) =>
            call(api, subRequest(command, plan, part, guarantee), options),
          ),
        );
      } catch (error) {
        if (!isErrorWithCode(error, 'STALE_PLAN') || replans >= this.#with.options.replansMax) throw error;
        await this.#waitBeyond(plan.revision, context.signal, error);
      }
    }
  }

  /** A reader is ahead of the snapshot the plan was made from: a new plan makes sense once this proxy's has caught up. */
  async #waitBeyond(revision: number, signal: AbortSignal, stale: MishardsError): Promise<void> {
    const { host, catalog, options } = this.#with;
    using enough = new LinkedAbort(signal);
    using _ = host.timers.after(options.replanWaitMs, () => enough.abort(stale));
    await catalog
      .waitFor((snapshot) => snapshot.revision > revision, enough.signal)
      .catch(() => {
        throw stale;
      });
  }

  #plan(command: ReadCommand): ReadPlan {
    const snapshot = this.#with.catalog.snapshot();
    const collection = snapshot.collections.get(command.collection.id);
    if (collection === undefined) {
      throw new MishardsError(
        'COLLECTION_NOT_FOUND',
        `collection not found[collection=${command.collection.name}]`,
      );
    }
    const placement = this.#with.placements.placementOf(snapshot, collection, this.#with.pool.readers());
    const rowsSince = oldestLiving(collection, this.#with.host.clock.nowMs());
    const filter = command.filter === null ? null : compiledFilter(command.filter, collection.schema);
    const { partitionIds, ignoresFresh = false } = command;
    return planRead({ snapshot, collection, placement, partitionIds, rowsSince, ignoresFresh, filter });
  }

  async #ask<Result extends { readonly stats: NodeStats }>(
    context: RequestContext,
    asked: Pick<FanOutRequest<Result>, 'plan' | 'deadlineMs' | 'mayOverlap'>,
    call: (api: ReaderApi, part: NodePart, options: CallOptions) => Promise<Result>,
  ): Promise<readonly Result[]> {
    const trace: TraceCarrier = context.trace;
    const { pool, options } = this.#with;
    return await fanOut(
      { ...this.#with.host, pool, hedging: this.#hedging, retriesMax: options.readRetriesMax },
      {
        ...asked,
        copies: asked.plan.collection.load?.replicas ?? 1,
        signal: context.signal,
        trace,
        call,
        describe: ({ stats }) => ({
          'mishards.rows_searched': stats.rowsSearched,
          'mishards.node_elapsed_ms': stats.elapsedMs,
        }),
      },
    );
  }
}

function requestAttributes(command: ReadCommand, limit: number | null): SpanAttributes {
  return {
    'mishards.collection': command.collection.name,
    'mishards.filter': command.filter?.text ?? '',
    'mishards.consistency': command.consistency,
    'mishards.limit': limit ?? -1,
  };
}

function subRequest(
  command: ReadCommand,
  plan: ReadPlan,
  { segments, channels }: NodePart,
  guarantee: Guarantee,
): SubRequest {
  return {
    collectionId: plan.collection.id,
    schemaVersion: plan.collection.schemaVersion,
    segments: segments.map((segment) => segment.id),
    channels,
    partitions: plan.partitions,
    rowsSince: plan.rowsSince,
    filter: command.filter,
    outputFieldIds: command.outputFieldIds,
    guarantee,
  };
}
