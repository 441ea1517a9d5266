import {
  asKeys,
  columnOf,
  createColumnBuilder,
  isVectorColumn,
  KeyIndex,
  newBitmap,
  setBit,
  shapeOfColumn,
  ValidityBuilder,
  type Column,
  type ColumnBuilder,
  type PrimaryKeyColumn,
  type RowBatch,
} from '../columns/index.ts';
import type { GrowingBlock, Kernel } from '../kernel/kernel.ts';
import type { LogSequence, PartitionId, Timestamp } from '../schema/index.ts';
import { assert } from '../util/assert.ts';
import { asVectors, reservedRowBytes, sparseBytes, vectorShape, vectorValues } from './vector-columns.ts';

export interface GrowingVectors {
  readonly data: GrowingBlock;
  readonly validity: ValidityBuilder;
  /** Reserved for the whole capacity, or taken by the rows so far. */
  sizeBytes: number;
}

export interface RowBlockOptions {
  readonly kernel: Kernel;
  readonly partitionId: PartitionId;
  readonly keyFieldId: number;
  /** Rows; fixed, because the vectors never move. */
  readonly capacity: number;
  /** Its fields and their shapes become those of the block. */
  readonly rows: RowBatch;
}

/** Rows of one partition in order of arrival, with the same fields, up to a fixed number. */
export class RowBlock implements Disposable {
  readonly partitionId: PartitionId;
  readonly capacity: number;
  readonly timestamps: BigUint64Array;
  readonly #keyFieldId: number;
  readonly #scalars = new Map<number, ColumnBuilder>();
  readonly #vectors = new Map<number, GrowingVectors>();
  readonly #index: KeyIndex;
  readonly #sequences: Float64Array;
  #deleted: Uint8Array | null = null;
  /** By row: sequence of the first entry that deleted it, 0 while none has. Like `#deleted`, null until the first delete. */
  #deletedBy: Float64Array | null = null;
  #rowCount = 0;
  #disposed = false;

  constructor(options: RowBlockOptions) {
    this.partitionId = options.partitionId;
    this.capacity = options.capacity;
    this.timestamps = new BigUint64Array(options.capacity);
    this.#sequences = new Float64Array(options.capacity);
    this.#keyFieldId = options.keyFieldId;
    for (const [fieldId, column] of options.rows.columns) this.#addField(options, fieldId, column);
    this.#index = new KeyIndex(this.keys());
  }

  get rowCount(): number {
    return this.#rowCount;
  }

  get disposed(): boolean {
    return this.#disposed;
  }

  get lastSequence(): LogSequence {
    return this.#rowCount === 0 ? 0 : this.#sequences[this.#rowCount - 1]!;
  }

  get sizeBytes(): number {
    let size = this.capacity * 16 + this.#index.sizeBytes;
    size += (this.#deleted?.byteLength ?? 0) + (this.#deletedBy?.byteLength ?? 0);
    for (const builder of this.#scalars.values()) size += builder.sizeBytes;
    for (const { sizeBytes, validity } of this.#vectors.values()) size += sizeBytes + validity.sizeBytes;
    return size;
  }

  /** Whether the block has exactly these fields. */
  fits(rows: RowBatch): boolean {
    if (rows.columns.size !== this.#scalars.size + this.#vectors.size) return false;
    return [...rows.columns.keys()].every((id) => this.#scalars.has(id) || this.#vectors.has(id));
  }

  /** Appends rows [from, to), which must fit in both senses. */
  append(rows: RowBatch, from: number, to: number, sequence: LogSequence, timestamp: Timestamp): void {
    const start = this.#rowCount;
    const end = start + to - from;
    assert(end <= this.capacity, `${end} rows in a block of ${this.capacity}`);
    for (const [fieldId, builder] of this.#scalars) builder.append(columnOf(rows, fieldId), from, to);
    for (const [fieldId, vectors] of this.#vectors) {
      const column = asVectors(columnOf(rows, fieldId));
      vectors.data.append(vectorValues(column, from, to));
      vectors.validity.append(column.validity, from, to);
      vectors.sizeBytes += sparseBytes(column, from, to);
    }
    this.timestamps.fill(timestamp, start, end);
    this.#index.extend(this.keys());
    this.#rowCount = end;
    this.#sequences.fill(sequence, start, end);
  }

  /** Rows of key `row` of `keys`, the newest first. */
  *rowsOfKey(keys: PrimaryKeyColumn, row: number): Generator<number> {
    for (let found = this.#index.newest(keys, row); found >= 0; found = this.#index.older(found)) yield found;
  }

  /** Marks rows of key `row` of `keys` that are older than `timestamp`. */
  delete(keys: PrimaryKeyColumn, row: number, sequence: LogSequence, timestamp: Timestamp): void {
    for (let found = this.#index.newest(keys, row); found >= 0; found = this.#index.older(found)) {
      if (this.timestamps[found]! >= timestamp) continue;
      this.#deleted ??= newBitmap(this.capacity, 0);
      this.#deletedBy ??= new Float64Array(this.capacity);
      setBit(this.#deleted, found);
      if (this.#deletedBy[found] === 0) this.#deletedBy[found] = sequence;
    }
  }

  /** Whether an entry up to `through` has deleted the row. */
  isDeletedThrough(row: number, through: LogSequence): boolean {
    const sequence = this.#deletedBy?.[row] ?? 0;
    return sequence > 0 && sequence <= through;
  }

  /** Bitmap of the deleted rows over the whole capacity; null when none is. */
  get deleted(): Uint8Array | null {
    return this.#deleted;
  }

  /** Rows of entries up to `sequence`: the first rows of the block, because it is in order of arrival. */
  rowsThrough(sequence: LogSequence): number {
    let low = 0;
    let high = this.#rowCount;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#sequences[middle]! <= sequence) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  keys(): PrimaryKeyColumn {
    const builder = this.#scalars.get(this.#keyFieldId);
    assert(builder !== undefined, 'rows have their primary key');
    return asKeys(builder.view());
  }

  /** A view of a scalar field; null when the block does not have it. */
  scalar(fieldId: number): Column | null {
    return this.#scalars.get(fieldId)?.view() ?? null;
  }

  vectors(fieldId: number): GrowingVectors | null {
    return this.#vectors.get(fieldId) ?? null;
  }

  [Symbol.dispose](): void {
    this.#disposed = true;
    for (const { data } of this.#vectors.values()) data[Symbol.dispose]();
  }

  #addField({ kernel, capacity }: RowBlockOptions, fieldId: number, column: Column): void {
    if (!isVectorColumn(column)) {
      this.#scalars.set(fieldId, createColumnBuilder(shapeOfColumn(column)));
      return;
    }
    const data = kernel.createBlock({ ...vectorShape(column), capacity });
    const sizeBytes = capacity * reservedRowBytes(column);
    this.#vectors.set(fieldId, { data, validity: new ValidityBuilder(), sizeBytes });
  }
}
