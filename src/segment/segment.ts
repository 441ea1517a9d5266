import type { SegmentMeta } from '../catalog/model.ts';
import type { Column, PrimaryKeyColumn, RowBatch, VectorColumn } from '../columns/column.ts';
import type { Kernel, KernelMetric, SearchSource } from '../kernel/kernel.ts';
import type { IndexSource } from '../filter/index.ts';
import type { Mutation } from './mutation.ts';
import type {
  ChannelId,
  CollectionId,
  CollectionSchema,
  IndexId,
  LogSequence,
  PartitionId,
  SegmentId,
  Timestamp,
} from '../schema/index.ts';

/**
 * Rows as the read path sees them, sealed or fresh: columns, deletes and something the kernel can search.
 * A row is deleted by (key, t) when its own timestamp is below t.
 */
export interface ReadableRows extends IndexSource {
  readonly rowCount: number;
  /** Loads the column when it is not yet in memory; null when these rows were written before the field existed. */
  column(fieldId: number): Promise<Column | null>;
  readonly keys: PrimaryKeyColumn;
  readonly timestamps: BigUint64Array;
  /** Bitmap of rows that are not deleted; null when none is. It changes as deletes arrive. */
  alive(): Uint8Array | null;
  /** Bitmap of the rows whose vector is not null; null when all have one. The others must not be searched. */
  vectorValidity(fieldId: number): Uint8Array | null;
  /** Copies vectors for output, in the order of `rows`. `FIELD_NOT_FOUND` when the rows have no such vectors: all are null. */
  readVectors(fieldId: number, rows: Uint32Array): VectorColumn;
  /**
   * What to give to `Kernel.search`; `allowed` is filled by the caller. An index for `fieldId` when one is open (built for
   * `metric`, where given), else the vectors. `FIELD_NOT_FOUND` when the rows have no such vectors: all are null.
   */
  searchable(fieldId: number, metric?: KernelMetric): Omit<SearchSource, 'allowed'>;
}

/** An immutable segment opened from the local cache. Rows are sorted by primary key ascending, then timestamp. */
export interface SealedSegment extends ReadableRows, AsyncDisposable {
  readonly meta: SegmentMeta;
  readonly memoryBytes: number;
  /** Marks rows of these keys deleted and says how many were not yet. Idempotent, in any order. `partitionId` null = whatever the partition. */
  applyDeletes(deletes: DeleteBatch): number;
  /** Opens an index that was built after the segment was opened. Nothing happens when it is open. */
  openIndex(file: SegmentMeta['indexes'][number]): Promise<void>;
  /** Lets go of an index that was dropped. Nothing happens when it is not open. */
  closeIndex(indexId: IndexId): Promise<void>;
  readonly openIndexes: ReadonlySet<IndexId>;
  /** Copies vectors [from, to) as a column; zeros for null ones. `FIELD_NOT_FOUND` as of `searchable`. */
  vectorRows(fieldId: number, from: number, to: number): Column;
}

/** Deleted keys with the timestamp and partition of each. */
export interface DeleteBatch {
  readonly keys: PrimaryKeyColumn;
  readonly timestamps: BigUint64Array;
  /** One for each key; null = in all partitions. */
  readonly partitionIds: readonly (PartitionId | null)[];
}

/**
 * Fresh rows of one channel, in order of arrival, in blocks that never move, searched while they grow. The writer keeps one
 * to flush it, every reader of a loaded collection keeps one to search it.
 */
export interface FreshRows extends Disposable {
  readonly channel: ChannelId;
  /** Last sequence applied. */
  readonly sequence: LogSequence;
  /** An entry was applied in part. */
  readonly isBroken: boolean;
  /** Rows of the entries kept, deleted ones included. */
  readonly rowCount: number;
  readonly memoryBytes: number;
  /** `rowCount` by partition; partitions without rows are left out. */
  rowCounts(): ReadonlyMap<PartitionId, number>;
  /**
   * Applies a log entry's mutation: appends rows, marks deleted ones among those present, remembers the deletes. An entry
   * that was applied or dropped already is ignored; after a gap it is a defect. After a failure the rows must be made anew
   * from the log: every later call fails too. One that failed in the middle has `isBroken`; its rows are not to be read.
   */
  apply(mutation: Mutation, sequence: LogSequence, timestamp: Timestamp): void;
  /**
   * Blocks with rows of entries after `after`, in those partitions (null = all). Each knows which of its rows count, as of
   * this call. `STALE_PLAN` when rows after `after` were dropped already.
   */
  blocksAfter(after: LogSequence, partitionIds: readonly PartitionId[] | null): readonly FreshBlock[];
  /** All deletes remembered, of sequences after `after`. `STALE_PLAN` when some of them were dropped already. */
  deletesAfter(after: LogSequence): DeleteBatch;
  /**
   * Copies what entries up to `through` left, to flush it; fields of `schema` that a row lacks get their default. Rows that later
   * entries deleted are kept: a reader that has not come to those entries, perhaps an upsert of the row's key, still shows them.
   */
  copyThrough(through: LogSequence, schema: CollectionSchema): FlushableRows;
  /** Forgets rows and deletes up to this sequence. Blocks given out before may refuse with `STALE_PLAN` from then on. */
  dropThrough(sequence: LogSequence): void;
  /** Lowest `after` that can still be asked for. */
  readonly droppedThrough: LogSequence;
}

/** `rowCount` is the rows there were when `blocksAfter` was called; what arrives later is not seen. */
export interface FreshBlock extends ReadableRows {
  /** The same for every look at one block, whose rows stay where they are: what is known of its first rows stays so. */
  readonly origin: object;
  /** Rows with one of the keys, ascending, whether they count or not. */
  rowsOfKeys(keys: PrimaryKeyColumn): readonly number[];
  readonly partitionId: PartitionId;
  /** Bitmap of the rows that are within the asked sequences and not deleted, as of `blocksAfter`; null = all of them. Not to be changed. */
  visible(): Uint8Array | null;
}

export interface FlushableRows {
  /** In order of arrival; partitions without rows are left out. */
  readonly partitions: readonly PartitionRows[];
  readonly deletes: DeleteBatch;
}

export interface PartitionRows {
  readonly partitionId: PartitionId;
  readonly rows: RowBatch;
  /** One for each row. */
  readonly timestamps: BigUint64Array;
}

export interface SegmentWriterOptions {
  readonly kernel: Kernel;
  readonly collectionId: CollectionId;
  readonly segmentId: SegmentId;
  readonly partitionId: PartitionId;
  readonly channelId: ChannelId;
  readonly schema: CollectionSchema;
  readonly schemaVersion: number;
  /** As in `SegmentMeta`. */
  readonly deletesThrough: bigint;
  /** As in `SegmentMeta`; absent = none. */
  readonly replaces?: readonly SegmentId[];
}

/** Rows that become a segment, by primary key ascending, then timestamp. At least one. */
export interface SortedRows {
  readonly rowCount: number;
  /** One for each row. */
  readonly timestamps: BigUint64Array;
  /** Made when it is asked for, so that only one copy of a large field is held at a time. null = the rows lack the field. */
  column(fieldId: number): Promise<Column | null>;
}
