import type { Ranking } from './ranking.ts';
import type { Catalog, CatalogSnapshot } from '../catalog/catalog.ts';
import type { CatalogCommand } from '../catalog/commands.ts';
import type { CollectionMeta, ConsistencyLevel } from '../catalog/model.ts';
import type { PrimaryKeyColumn, RowBatch, VectorColumn } from '../columns/column.ts';
import type { NodeInfo } from '../discovery/discovery.ts';
import type { FilterText, OrderBy } from '../protocol/reader-api.ts';
import type {
  CompactionRequested,
  CompactionState,
  FlushResult,
  MutationResult,
} from '../protocol/writer-api.ts';
import type { CollectionId, Metric, NodeId, PartitionId, Timestamp } from '../schema/index.ts';
import type { TraceCarrier } from '../wire/wire.ts';

/** One client request on its way: its remaining time, its cancellation, its trace. */
export interface RequestContext {
  readonly timeoutMs: number;
  /** Aborts when the client gives up and when the time is over. */
  readonly signal: AbortSignal;
  /** Parent of the spans this request opens. */
  readonly trace: TraceCarrier;
}

/**
 * What the proxy does once a request is understood, in Mishards' own terms. The Milvus front translates to and from it and
 * does nothing else; REST and the console will use the same.
 */
export interface ProxyCore {
  readonly catalog: Catalog;
  /** Healthy nodes now. */
  nodes(): readonly NodeInfo[];
  /** Sends the command to the active writer and waits until this proxy's catalog shows the change. */
  execute(command: CatalogCommand, context: RequestContext): Promise<CatalogSnapshot>;
  insert(request: RowsRequest, context: RequestContext): Promise<MutationResult>;
  upsert(request: RowsRequest, context: RequestContext): Promise<MutationResult>;
  /** By keys where the filter names them, else by a strong query first. */
  delete(request: DeleteByFilter, context: RequestContext): Promise<MutationResult>;
  flush(collections: readonly CollectionId[], context: RequestContext): Promise<FlushResult>;
  /** Begins to compact a collection. */
  compact(collection: CollectionId, context: RequestContext): Promise<CompactionRequested>;
  /** How far that is; this proxy's catalog shows what has come of it. An unknown one has come to its end. */
  compactionState(compactionId: string, context: RequestContext): Promise<CompactionState>;
  /** Rows in segments and fresh ones, deleted ones possibly still counted; null = the whole collection. */
  rowCount(
    collection: CollectionMeta,
    partitionId: PartitionId | null,
    context: RequestContext,
  ): Promise<number>;
  search(command: SearchCommand, context: RequestContext): Promise<SearchAnswer>;
  /** Runs all the searches at the same time and merges their hits by key. */
  hybridSearch(command: HybridSearchCommand, context: RequestContext): Promise<SearchAnswer>;
  query(command: QueryCommand, context: RequestContext): Promise<QueryAnswer>;
  /** How much of what must be loaded is loaded, 0 … 100, counting replicas. `COLLECTION_NOT_LOADED` when it is not asked to be. */
  loadProgress(
    collection: CollectionMeta,
    partitionIds: readonly PartitionId[] | null,
    context: RequestContext,
  ): Promise<number>;
  /** Which node answers for which segments and channels now, in order of preference. */
  explainRoute(collection: CollectionMeta): RouteExplanation;
}

export interface RowsRequest {
  readonly collection: CollectionMeta;
  readonly partitionId: PartitionId;
  /** Validated against `collection.schema`; no automatic key. */
  readonly rows: RowBatch;
}

export interface DeleteByFilter {
  readonly collection: CollectionMeta;
  readonly partitionId: PartitionId | null;
  readonly filter: FilterText;
}

export interface ReadCommand {
  readonly collection: CollectionMeta;
  /** null = all loaded ones. */
  readonly partitionIds: readonly PartitionId[] | null;
  readonly filter: FilterText | null;
  readonly outputFieldIds: readonly number[];
  readonly consistency: ConsistencyLevel;
  /** From the client; 0n = none. Above what this proxy has written it means another proxy's write: all acknowledged rows are waited for. */
  readonly guaranteeTimestamp: Timestamp;
  /** true: only rows in segments count, of which deletes that are fresh take some away as always. Default false. */
  readonly ignoresFresh?: boolean;
}

export interface SearchCommand extends ReadCommand {
  readonly fieldId: number;
  readonly metric: Metric;
  /** Of the field's type and dimension, none null. */
  readonly queries: VectorColumn;
  readonly limit: number;
  readonly offset: number;
  readonly params: Readonly<Record<string, number | string | boolean>>;
  /** Greater is closer, whatever the metric; null = unbounded. */
  readonly scoreAbove: number | null;
  readonly scoreUpTo: number | null;
}

export interface HybridSearchCommand {
  /** At least one; all of one collection, with as many queries and the same output fields. As many hits take part as each one's limit says. */
  readonly searches: readonly SearchCommand[];
  readonly ranking: Ranking;
  readonly limit: number;
  readonly offset: number;
}

/** Hits of all queries one after another, best first; scores: greater is closer. */
export interface SearchAnswer {
  readonly counts: Uint32Array;
  readonly scores: Float32Array;
  readonly keys: PrimaryKeyColumn;
  readonly rows: RowBatch;
}

export interface QueryCommand extends ReadCommand {
  readonly countOnly: boolean;
  /** Empty = by primary key ascending. The fields come with the answer. */
  readonly orderBy: readonly OrderBy[];
  /** null = no limit; the proxy refuses more rows than configured. */
  readonly limit: number | null;
  readonly offset: number;
}

/** Rows in the order asked for. */
export interface QueryAnswer {
  readonly count: number;
  readonly keys: PrimaryKeyColumn;
  readonly rows: RowBatch;
}

export interface RouteExplanation {
  readonly router: string;
  readonly copies: number;
  readonly items: readonly RouteItem[];
}

export interface RouteItem {
  readonly key: string;
  readonly kind: 'segment' | 'channel';
  readonly rowCount: number;
  /** In order of preference; the first `copies` keep it loaded. */
  readonly nodes: readonly NodeId[];
}
