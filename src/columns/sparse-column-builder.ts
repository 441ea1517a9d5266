import type { Column, SparseVectorColumn } from './column.ts';
import type { ColumnBuilder } from './column-builder.ts';
import { GrowableBytes } from './growable-bytes.ts';
import { OffsetsBuilder } from './offsets-builder.ts';
import { assert } from '../util/assert.ts';
import { bytesOf } from '../util/typed-views.ts';
import { ValidityBuilder } from './validity-builder.ts';

const ENTRY_BYTES = 4;

/** Builds columns of sparse vectors. */
export class SparseColumnBuilder implements ColumnBuilder {
  readonly #offsets: OffsetsBuilder;
  readonly #indices = new GrowableBytes(0);
  readonly #values = new GrowableBytes(0);
  readonly #validity = new ValidityBuilder();

  constructor(capacityRows: number) {
    this.#offsets = new OffsetsBuilder(capacityRows);
  }

  get length(): number {
    return this.#validity.length;
  }

  get sizeBytes(): number {
    return (
      this.#offsets.sizeBytes + this.#indices.capacity + this.#values.capacity + this.#validity.sizeBytes
    );
  }

  append(column: Column, from = 0, to = column.length): void {
    const { offsets, indices, values } = checked(column);
    const start = this.#offsets.append(offsets, from, to);
    this.#extendToEnd();
    this.#copy(indices, values, offsets[from]!, offsets[to]!, start);
    this.#validity.append(column.validity, from, to);
  }

  appendRows(column: Column, rows: Uint32Array): void {
    const { offsets, indices, values } = checked(column);
    let at = this.#offsets.appendRows(offsets, rows);
    this.#extendToEnd();
    for (const row of rows) {
      const [start, end] = [offsets[row]!, offsets[row + 1]!];
      this.#copy(indices, values, start, end, at);
      at += end - start;
    }
    this.#validity.appendRows(column.validity, rows);
  }

  appendNulls(count: number): void {
    this.#offsets.appendEmpty(count);
    this.#validity.appendNulls(count);
  }

  view(): SparseVectorColumn {
    const count = this.#offsets.end;
    return {
      type: 'SparseFloatVector',
      length: this.length,
      validity: this.#validity.view(),
      offsets: this.#offsets.view(),
      indices: new Uint32Array(this.#indices.bytes.buffer, 0, count),
      values: new Float32Array(this.#values.bytes.buffer, 0, count),
    };
  }

  #extendToEnd(): void {
    const bytes = this.#offsets.end * ENTRY_BYTES;
    this.#indices.extend(bytes - this.#indices.length);
    this.#values.extend(bytes - this.#values.length);
  }

  #copy(indices: Uint32Array, values: Float32Array, from: number, to: number, at: number): void {
    this.#indices.bytes.set(bytesOf(indices.subarray(from, to)), at * ENTRY_BYTES);
    this.#values.bytes.set(bytesOf(values.subarray(from, to)), at * ENTRY_BYTES);
  }
}

function checked(column: Column): SparseVectorColumn {
  assert(column.type === 'SparseFloatVector', `a column of sparse vectors cannot take ${column.type}`);
  return column;
}
