import { asKeys, columnOf, isVectorColumn, type PrimaryKeyColumn, type RowBatch } from '../columns/index.ts';
import { MishardsError } from '../errors/index.ts';
import type { Kernel } from '../kernel/kernel.ts';
import {
  primaryKeyField,
  type ChannelId,
  type CollectionSchema,
  type LogSequence,
  type PartitionId,
  type Timestamp,
} from '../schema/index.ts';
import { assert } from '../util/assert.ts';
import { DeleteHistory } from './delete-history.ts';
import { copyRows } from './flushable-rows.ts';
import type { Mutation } from './mutation.ts';
import { RowBlock } from './row-block.ts';
import { RowBlockView } from './row-block-view.ts';
import type { DeleteBatch, FlushableRows, FreshBlock, FreshRows } from './segment.ts';
import { reservedRowBytes } from './vector-columns.ts';

export interface FreshRowsOptions {
  readonly kernel: Kernel;
  readonly channel: ChannelId;
  /** Says which field is the primary key. Rows bring their own fields, so it need not be the newest. */
  readonly schema: CollectionSchema;
  /** Sequence after which the rows begin: the channel's checkpoint. */
  readonly after: LogSequence;
  /** Rows of the first block of a partition; each next one doubles what there is. Default 128, so that a tiny collection stays tiny. */
  readonly blockRowsMin?: number;
  /** Rows of a block at most. Default 16 384: enough that searching many blocks costs no more than one, few enough that dropping them frees memory in steps. */
  readonly blockRowsMax?: number;
  /** Bytes of vectors of a block at most, for one of at least a row. Default 32 MiB. */
  readonly blockBytesMax?: number;
}

export function createFreshRows(options: FreshRowsOptions): FreshRows {
  return new ChannelFreshRows(options);
}

class ChannelFreshRows implements FreshRows {
  readonly channel: ChannelId;
  readonly #kernel: Kernel;
  readonly #keyFieldId: number;
  readonly #limits: { readonly rowsMin: number; readonly rowsMax: number; readonly bytesMax: number };
  readonly #deletes: DeleteHistory;
  /** Oldest first. Of each partition only the newest has room. */
  #blocks: RowBlock[] = [];
  readonly #newest = new Map<PartitionId, RowBlock>();
  #sequence: LogSequence;
  #droppedThrough: LogSequence;
  /** An entry applied in part leaves nothing that could go on. */
  #failure: { readonly error: unknown } | null = null;

  constructor(options: FreshRowsOptions) {
    const key = primaryKeyField(options.schema);
    this.channel = options.channel;
    this.#kernel = options.kernel;
    this.#keyFieldId = key.id;
    this.#deletes = new DeleteHistory(key);
    this.#limits = {
      rowsMin: options.blockRowsMin ?? 128,
      rowsMax: options.blockRowsMax ?? 16_384,
      bytesMax: options.blockBytesMax ?? 32 * 2 ** 20,
    };
    this.#sequence = options.after;
    this.#droppedThrough = options.after;
  }

  get sequence(): LogSequence {
    return this.#sequence;
  }

  get isBroken(): boolean {
    return this.#failure !== null;
  }

  get droppedThrough(): LogSequence {
    return this.#droppedThrough;
  }

  get rowCount(): number {
    return this.rowCounts()
      .values()
      .reduce((sum, count) => sum + count, 0);
  }

  get memoryBytes(): number {
    return this.#blocks.reduce((sum, block) => sum + block.sizeBytes, this.#deletes.sizeBytes);
  }

  rowCounts(): ReadonlyMap<PartitionId, number> {
    const counts = new Map<PartitionId, number>();
    for (const block of this.#blocks) {
      const kept = block.rowCount - block.rowsThrough(this.#droppedThrough);
      counts.set(block.partitionId, (counts.get(block.partitionId) ?? 0) + kept);
    }
    return counts;
  }

  apply(mutation: Mutation, sequence: LogSequence, timestamp: Timestamp): void {
    if (sequence <= this.#sequence) return;
    assert(sequence === this.#sequence + 1, `entry ${sequence} of ${this.channel} after ${this.#sequence}`);
    if (this.#failure !== null) throw this.#failure.error;
    try {
      this.#applyNext(mutation, sequence, timestamp);
    } catch (error) {
      this.#failure = { error };
      throw error;
    }
    this.#sequence = sequence;
  }

  blocksAfter(after: LogSequence, partitionIds: readonly PartitionId[] | null): readonly FreshBlock[] {
    this.#checkKept(after);
    const views: FreshBlock[] = [];
    for (const block of this.#blocks) {
      if (partitionIds !== null && !partitionIds.includes(block.partitionId)) continue;
      const firstRow = block.rowsThrough(after);
      if (firstRow < block.rowCount) views.push(new RowBlockView(block, firstRow));
    }
    return views;
  }

  deletesAfter(after: LogSequence): DeleteBatch {
    this.#checkKept(after);
    return this.#deletes.between(after, this.#sequence);
  }

  copyThrough(through: LogSequence, schema: CollectionSchema): FlushableRows {
    const after = this.#droppedThrough;
    return {
      partitions: copyRows(this.#blocks, after, through, schema),
      deletes: this.#deletes.between(after, through),
    };
  }

  dropThrough(sequence: LogSequence): void {
    if (sequence <= this.#droppedThrough) return;
    this.#droppedThrough = sequence;
    this.#sequence = Math.max(this.#sequence, sequence);
    this.#deletes.dropThrough(sequence);
    const [dropped, kept] = partition(this.#blocks, (block) => block.lastSequence <= sequence);
    this.#blocks = kept;
    for (const block of dropped) {
      if (this.#newest.get(block.partitionId) === block) this.#newest.delete(block.partitionId);
      block[Symbol.dispose]();
    }
  }

  [Symbol.dispose](): void {
    for (const block of this.#blocks) block[Symbol.dispose]();
    this.#blocks = [];
    this.#newest.clear();
  }

  #applyNext(mutation: Mutation, sequence: LogSequence, timestamp: Timestamp): void {
    if (mutation.kind === 'delete') {
      this.#delete(mutation.keys, mutation.partitionId, sequence, timestamp);
    } else {
      const keys = asKeys(columnOf(mutation.rows, this.#keyFieldId));
      if (mutation.kind === 'upsert') this.#delete(keys, null, sequence, timestamp);
      this.#insert(mutation.rows, mutation.partitionId, sequence, timestamp);
    }
  }

  #insert(rows: RowBatch, partitionId: PartitionId, sequence: LogSequence, timestamp: Timestamp): void {
    for (let from = 0; from < rows.rowCount;) {
      const block = this.#blockFor(rows, from, partitionId);
      const to = Math.min(rows.rowCount, from + block.capacity - block.rowCount);
      block.append(rows, from, to, sequence, timestamp);
      from = to;
    }
  }

  #delete(
    keys: PrimaryKeyColumn,
    partitionId: PartitionId | null,
    sequence: LogSequence,
    timestamp: Timestamp,
  ): void {
    for (const block of this.#blocks) {
      if (partitionId !== null && block.partitionId !== partitionId) continue;
      for (let row = 0; row < keys.length; row++) block.delete(keys, row, sequence, timestamp);
    }
    this.#deletes.add(sequence, timestamp, partitionId, keys);
  }

  /** A block with room for at least one row like these. */
  #blockFor(rows: RowBatch, from: number, partitionId: PartitionId): RowBlock {
    const newest = this.#newest.get(partitionId);
    if (newest !== undefined && newest.rowCount < newest.capacity && newest.fits(rows)) return newest;
    const capacity = this.#capacityFor(rows, rows.rowCount - from + (this.rowCounts().get(partitionId) ?? 0));
    const block = new RowBlock({
      kernel: this.#kernel,
      partitionId,
      keyFieldId: this.#keyFieldId,
      capacity,
      rows,
    });
    this.#blocks.push(block);
    this.#newest.set(partitionId, block);
    return block;
  }

  #capacityFor(rows: RowBatch, rowsExpected: number): number {
    const { rowsMin, rowsMax, bytesMax } = this.#limits;
    let rowBytes = 0;
    for (const column of rows.columns.values())
      if (isVectorColumn(column)) rowBytes += reservedRowBytes(column);
    const rowsOfBytes = Math.max(1, Math.floor(bytesMax / Math.max(1, rowBytes)));
    const doubled = 2 ** Math.ceil(Math.log2(Math.max(rowsMin, rowsExpected)));
    return Math.min(doubled, rowsMax, rowsOfBytes);
  }

  #checkKept(after: LogSequence): void {
    if (after >= this.#droppedThrough) return;
    throw new MishardsError(
      'STALE_PLAN',
      `fresh rows of channel ${this.channel} after ${after} were dropped through ${this.#droppedThrough}; plan again`,
    );
  }
}

function partition<T>(list: readonly T[], accepts: (item: T) => boolean): [T[], T[]] {
  return [list.filter(accepts), list.filter((item) => !accepts(item))];
}
