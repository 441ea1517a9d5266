import type { Positions } from './writer-api.ts';
import type { PrimaryKeyColumn, RowBatch, VectorColumn } from '../columns/column.ts';
import type { JsonValue } from '../util/packet.ts';
import type {
  ChannelId,
  CollectionId,
  LogSequence,
  Metric,
  PartitionId,
  SegmentId,
  Timestamp,
} from '../schema/index.ts';
import type { CallOptions } from '../wire/wire.ts';

/**
 * What every reader answers, for any segment and channel: what it does not have it loads from shared storage first.
 * Errors: `STALE_PLAN` (plan again), `SERVICE_NOT_READY`, `OVERLOADED`, `MEMORY_LIMIT`, `DEADLINE_EXCEEDED`,
 * `FILTER_INVALID`, `SEGMENT_NOT_FOUND`.
 */
export interface ReaderApi {
  search(request: SearchRequest, call: CallOptions): Promise<SearchResult>;
  query(request: QueryRequest, call: CallOptions): Promise<QueryResult>;
  /** What it holds ready of a collection. */
  loaded(collection: CollectionId, call: CallOptions): Promise<LoadedReport>;
  ping(call: CallOptions): Promise<NodeStatus>;
}

/** The part of a request that one node answers. */
export interface SubRequest {
  readonly collectionId: CollectionId;
  /** Of the schema the request was made for; a reader that knows only older ones waits for its catalog. */
  readonly schemaVersion: number;
  readonly segments: readonly SegmentId[];
  /**
   * Channels whose fresh rows this node looks through: those of entries after `after`, up to the newest it knows. Rows that
   * several nodes look through count once, but for `countOnly`.
   */
  readonly channels: readonly ChannelPart[];
  /** Applies to fresh rows; segments are chosen by the planner. */
  readonly partitions: PartitionChoice;
  /** Rows of an older timestamp have outlived their collection's time to live and do not count; 0n = all count. */
  readonly rowsSince: Timestamp;
  readonly filter: FilterText | null;
  /** Fields to return with each row; the primary key always comes. */
  readonly outputFieldIds: readonly number[];
  readonly guarantee: Guarantee;
}

export interface ChannelPart {
  readonly id: ChannelId;
  readonly after: LogSequence;
  /** Entries up to this must be applied before the node looks, whatever the guarantee says; 0 = none. */
  readonly atLeast: LogSequence;
}

export interface PartitionChoice {
  readonly ids: readonly PartitionId[];
  /**
   * Also those with a higher id, which the planner's snapshot does not show yet; null = only `ids`. Others were dropped, and
   * rows of theirs may still be in the log.
   */
  readonly newerThan: PartitionId | null;
}

export interface FilterText {
  readonly text: string;
  readonly values: { readonly [name: string]: JsonValue };
}

/** What must be visible before the answer. It concerns all channels of the collection, for their deletes. */
export type Guarantee =
  | { readonly kind: 'none' }
  /** Every entry up to these sequences. */
  | { readonly kind: 'positions'; readonly positions: Positions }
  /** Everything durable in the log when the request arrived; used when the writer cannot be asked. */
  | { readonly kind: 'log-end' }
  /** At most this much behind. */
  | { readonly kind: 'staleness'; readonly maxMs: number };

export interface SearchRequest extends SubRequest {
  readonly fieldId: number;
  readonly metric: Metric;
  /** Of the field's type and dimension, none null. */
  readonly queries: VectorColumn;
  /** Hits a query: the client's offset + limit. */
  readonly k: number;
  readonly params: Readonly<Record<string, number | string | boolean>>;
  /** Greater is closer; null = unbounded. */
  readonly scoreAbove: number | null;
  readonly scoreUpTo: number | null;
}

/** Hits of all queries, one after another, best first; `counts` says how many belong to each query. Scores: greater is closer. Within a query no key comes twice. */
export interface SearchResult {
  readonly counts: Uint32Array;
  readonly scores: Float32Array;
  readonly keys: PrimaryKeyColumn;
  /** outputFieldIds of each hit. */
  readonly rows: RowBatch;
  readonly stats: NodeStats;
}

export interface NodeStats {
  readonly segmentCount: number;
  readonly rowsSearched: number;
  readonly elapsedMs: number;
  /** Of each channel asked for, the last entry that was applied when its rows were looked at. */
  readonly positions: Positions;
}

/** Rows by the values of a field. Of types without an order there is no such request. */
export interface OrderBy {
  readonly fieldId: number;
  readonly descending: boolean;
  readonly nullsFirst: boolean;
}

export interface QueryRequest extends SubRequest {
  /** true: only `count` of the answer is wanted. */
  readonly countOnly: boolean;
  /** Empty = by primary key ascending; ties of fields are by key too. */
  readonly orderBy: readonly OrderBy[];
  /** The first rows in this order; null = all (the proxy bounds it). */
  readonly limit: number | null;
}

/** Rows in the order asked for, no key twice (the newest wins). */
export interface QueryResult {
  readonly count: number;
  readonly keys: PrimaryKeyColumn;
  /** Timestamp of each row, to let the newest win between nodes. */
  readonly timestamps: BigUint64Array;
  readonly rows: RowBatch;
  readonly stats: NodeStats;
}

export interface LoadedReport {
  readonly segmentIds: readonly SegmentId[];
  /** Of those, the ones whose indexes are loaded too, where they exist. */
  readonly indexedSegmentIds: readonly SegmentId[];
  readonly freshRowCount: number;
  readonly memoryBytes: number;
}

export interface NodeStatus {
  readonly ready: boolean;
  readonly inFlight: number;
  readonly memoryBytes: number;
  readonly revision: number;
}
