import type { CatalogCommand } from '../catalog/commands.ts';
import type { PrimaryKeyColumn, RowBatch } from '../columns/column.ts';
import type { LogEntry } from '../log/log.ts';
import type { ChannelId, CollectionId, LogSequence, PartitionId, Timestamp } from '../schema/index.ts';
import type { CallOptions } from '../wire/wire.ts';

/** How far each channel's log has got. */
export type Positions = ReadonlyMap<ChannelId, LogSequence>;

/**
 * What the active writer answers. Every call can fail with `NOT_LEADER` (ask the one the catalog names), `FENCED`,
 * `OVERLOADED`, `STORAGE_UNAVAILABLE`; nothing was applied unless the failure was `CONNECTION_LOST` or `DEADLINE_EXCEEDED`.
 */
export interface WriterApi {
  /** The catalog revision that shows the change. */
  execute(command: CatalogCommand, call: CallOptions): Promise<{ readonly revision: number }>;
  /** Durable and ordered when it resolves. */
  insert(request: InsertRequest, call: CallOptions): Promise<MutationResult>;
  /** Replaces rows with the same keys, atomically for each channel. */
  upsert(request: InsertRequest, call: CallOptions): Promise<MutationResult>;
  delete(request: DeleteRequest, call: CallOptions): Promise<MutationResult>;
  /** Resolves when all rows inserted before the call are in committed segments. Indexes follow later. */
  flush(collections: readonly CollectionId[], call: CallOptions): Promise<FlushResult>;
  /** Begins to merge what can be merged and to remove dead rows, however few. */
  compact(collection: CollectionId, call: CallOptions): Promise<CompactionRequested>;
  /** How far a requested compaction is; one that this writer does not know has come to its end. */
  compactionState(compactionId: string, call: CallOptions): Promise<CompactionState>;
  /** The last acknowledged sequence of every channel of the collection. */
  positions(collection: CollectionId, call: CallOptions): Promise<Positions>;
  /** Rows not yet in segments, by partition. */
  freshRows(collection: CollectionId, call: CallOptions): Promise<ReadonlyMap<PartitionId, number>>;
  /**
   * The next entries of channels, for the readers that follow them: resolves as soon as there is any, or empty after
   * `waitMs`. Channels whose entries are no longer at hand are in `behind`: read those from the log.
   */
  follow(request: FollowRequest, call: CallOptions): Promise<FollowResult>;
}

export interface InsertRequest {
  readonly collectionId: CollectionId;
  /** The schema the rows were validated with. */
  readonly schemaVersion: number;
  readonly partitionId: PartitionId;
  /** All fields but an automatic primary key; vectors included. Already checked against the schema. */
  readonly rows: RowBatch;
}

export interface DeleteRequest {
  readonly collectionId: CollectionId;
  /** null = in all partitions. */
  readonly partitionId: PartitionId | null;
  readonly keys: PrimaryKeyColumn;
}

export interface MutationResult {
  readonly timestamp: Timestamp;
  /** The keys of the rows, in the order they were sent. */
  readonly keys: PrimaryKeyColumn;
  readonly positions: Positions;
}

export interface FlushResult {
  readonly revision: number;
  readonly timestamp: Timestamp;
  readonly segmentIds: ReadonlyMap<CollectionId, readonly string[]>;
}

export interface CompactionRequested {
  readonly compactionId: string;
  /** Rewrites it is made up of. */
  readonly planCount: number;
}

export interface CompactionState {
  /** Of the catalog, which shows all that is completed. */
  readonly revision: number;
  readonly executingCount: number;
  readonly completedCount: number;
  readonly failedCount: number;
  readonly merges: readonly CompactionMerge[];
}

export interface CompactionMerge {
  readonly sources: readonly string[];
  /** null = not yet known, or none of the rows was left. */
  readonly target: string | null;
}

export interface FollowRequest {
  /** The first wanted sequence of each channel. */
  readonly from: Positions;
  readonly waitMs: number;
  readonly bytesMax: number;
}

export interface FollowResult {
  readonly entries: ReadonlyMap<ChannelId, readonly LogEntry[]>;
  readonly behind: readonly ChannelId[];
  /** The writer's last acknowledged sequences, taken with the entries. */
  readonly last: Positions;
}
