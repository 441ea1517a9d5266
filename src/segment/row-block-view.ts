import {
  copyBits,
  newBitmap,
  setBits,
  sliceColumn,
  takeBits,
  type Column,
  type PrimaryKeyColumn,
  type VectorColumn,
} from '../columns/index.ts';
import type { Predicate } from '../filter/index.ts';
import { MishardsError } from '../errors/index.ts';
import type { SearchSource } from '../kernel/kernel.ts';
import type { PartitionId } from '../schema/index.ts';
import type { GrowingVectors, RowBlock } from './row-block.ts';
import type { FreshBlock } from './segment.ts';
import { readVectorColumn } from './vector-columns.ts';

/** A block as it was when a search looked at it: rows [0, rowCount), of which those from `firstRow` on count. */
export class RowBlockView implements FreshBlock {
  readonly partitionId: PartitionId;
  readonly rowCount: number;
  readonly keys: PrimaryKeyColumn;
  readonly timestamps: BigUint64Array;
  readonly origin: object;
  readonly #block: RowBlock;
  readonly #visible: Uint8Array | null;

  constructor(block: RowBlock, firstRow: number) {
    this.#block = block;
    this.origin = block;
    this.partitionId = block.partitionId;
    this.rowCount = block.rowCount;
    this.keys = block.keys();
    this.timestamps = block.timestamps.subarray(0, this.rowCount);
    this.#visible = bitmapWithout(block.deleted, firstRow, this.rowCount);
  }

  async column(fieldId: number): Promise<Column | null> {
    const scalar = this.#block.scalar(fieldId);
    if (scalar !== null) return sliceColumn(scalar, 0, this.rowCount);
    if (this.#block.vectors(fieldId) === null) return null;
    const rows = Uint32Array.from({ length: this.rowCount }, (_, row) => row);
    return this.readVectors(fieldId, rows);
  }

  /** Fresh rows have no indexes. */
  matches(_predicate: Predicate): null {
    return null;
  }

  rowsOfKeys(keys: PrimaryKeyColumn): readonly number[] {
    const rows: number[] = [];
    for (let index = 0; index < keys.length; index++)
      for (const row of this.#block.rowsOfKey(keys, index)) if (row < this.rowCount) rows.push(row);
    return rows.sort((left, right) => left - right);
  }

  alive(): Uint8Array | null {
    return bitmapWithout(this.#block.deleted, 0, this.rowCount);
  }

  visible(): Uint8Array | null {
    return this.#visible;
  }

  vectorValidity(fieldId: number): Uint8Array | null {
    const vectors = this.#block.vectors(fieldId);
    if (vectors === null) return newBitmap(this.rowCount, 0);
    const validity = vectors.validity.view();
    if (validity === null) return null;
    const bitmap = newBitmap(this.rowCount, 0);
    copyBits(validity, 0, bitmap, 0, this.rowCount);
    return bitmap;
  }

  readVectors(fieldId: number, rows: Uint32Array): VectorColumn {
    const { data, validity } = this.#vectors(fieldId);
    const bits = validity.view();
    return readVectorColumn(data, rows, bits === null ? null : takeBits(bits, rows));
  }

  searchable(fieldId: number): Omit<SearchSource, 'allowed'> {
    return { data: this.#vectors(fieldId).data, rowCount: this.rowCount };
  }

  #vectors(fieldId: number): GrowingVectors {
    if (this.#block.disposed)
      throw new MishardsError(
        'STALE_PLAN',
        'the fresh rows were dropped after they were looked up; plan again',
      );
    const vectors = this.#block.vectors(fieldId);
    if (vectors === null)
      throw new MishardsError(
        'FIELD_NOT_FOUND',
        `these rows were written before vector field ${fieldId} existed`,
      );
    return vectors;
  }
}

/** Rows [firstRow, rowCount) that are not deleted; null when these are all. */
function bitmapWithout(deleted: Uint8Array | null, firstRow: number, rowCount: number): Uint8Array | null {
  if (firstRow === 0 && deleted === null) return null;
  const bitmap = newBitmap(rowCount, 0);
  setBits(bitmap, firstRow, rowCount);
  if (deleted === null) return bitmap;
  for (let index = 0; index < bitmap.length; index++) bitmap[index]! &= ~deleted[index]!;
  return bitmap;
}
