import type { Column } from './column.ts';
import type { ColumnBuilder } from './column-builder.ts';
import {
  bytesPerRow,
  fixedColumn,
  isFixedColumn,
  sameShape,
  shapeOfColumn,
  type ColumnShape,
  type FixedColumn,
  type FixedType,
} from './column-shape.ts';
import { GrowableBytes } from './growable-bytes.ts';
import { assert } from '../util/assert.ts';
import { bytesOf } from '../util/typed-views.ts';
import { ValidityBuilder } from './validity-builder.ts';

type Words = Uint8Array | Uint16Array | Uint32Array;

/** Builds columns whose rows all weigh the same: numbers and vectors. */
export class FixedColumnBuilder implements ColumnBuilder {
  readonly #shape: ColumnShape & { readonly type: FixedType };
  readonly #rowBytes: number;
  readonly #values: GrowableBytes;
  readonly #validity = new ValidityBuilder();

  constructor(shape: ColumnShape & { readonly type: FixedType }, capacityRows: number) {
    this.#shape = { type: shape.type, elementType: null, dim: shape.dim };
    this.#rowBytes = bytesPerRow(shape);
    this.#values = new GrowableBytes(capacityRows * this.#rowBytes);
  }

  get length(): number {
    return this.#validity.length;
  }

  get sizeBytes(): number {
    return this.#values.capacity + this.#validity.sizeBytes;
  }

  append(column: Column, from = 0, to = column.length): void {
    const source = bytesOf(this.#checked(column).values);
    const start = this.#values.extend((to - from) * this.#rowBytes);
    this.#values.bytes.set(source.subarray(from * this.#rowBytes, to * this.#rowBytes), start);
    this.#validity.append(column.validity, from, to);
  }

  appendRows(column: Column, rows: Uint32Array): void {
    const { values } = this.#checked(column);
    const start = this.#values.extend(rows.length * this.#rowBytes);
    const { bytes } = this.#values;
    const wordBytes = Math.min(values.BYTES_PER_ELEMENT, 4) as 1 | 2 | 4;
    const target = wordsOf(bytes.subarray(start, start + rows.length * this.#rowBytes), wordBytes);
    gather(wordsOf(bytesOf(values), wordBytes), rows, this.#rowBytes / wordBytes, target);
    this.#validity.appendRows(column.validity, rows);
  }

  appendNulls(count: number): void {
    this.#values.extend(count * this.#rowBytes);
    this.#validity.appendNulls(count);
  }

  view(): FixedColumn {
    const bytes = this.#values.bytes.subarray(0, this.#values.length);
    return fixedColumn(this.#shape, bytes, this.length, this.#validity.view());
  }

  #checked(column: Column): FixedColumn {
    assert(
      isFixedColumn(column) && sameShape(shapeOfColumn(column), this.#shape),
      `a ${this.#shape.type} column cannot take ${column.type}`,
    );
    return column;
  }
}

/** Values move as integers of their width (64-bit ones as two halves), so that one loop serves all types and no bit changes. */
function wordsOf(bytes: Uint8Array, wordBytes: 1 | 2 | 4): Words {
  if (wordBytes === 1) return bytes;
  const count = bytes.byteLength / wordBytes;
  return wordBytes === 2
    ? new Uint16Array(bytes.buffer, bytes.byteOffset, count)
    : new Uint32Array(bytes.buffer, bytes.byteOffset, count);
}

const SHORT_ROW_WORDS = 32;

function gather(source: Words, rows: Uint32Array, wordsPerRow: number, target: Words): void {
  let at = 0;
  for (let index = 0; index < rows.length; index++) {
    const from = rows[index]! * wordsPerRow;
    if (wordsPerRow > SHORT_ROW_WORDS) target.set(source.subarray(from, from + wordsPerRow), at);
    else for (let word = 0; word < wordsPerRow; word++) target[at + word] = source[from + word]!;
    at += wordsPerRow;
  }
}
