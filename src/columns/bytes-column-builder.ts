import type { BytesColumn, Column } from './column.ts';
import type { ColumnBuilder } from './column-builder.ts';
import { GrowableBytes } from './growable-bytes.ts';
import { OffsetsBuilder } from './offsets-builder.ts';
import { assert } from '../util/assert.ts';
import { ValidityBuilder } from './validity-builder.ts';

/** Builds columns of text. */
export class BytesColumnBuilder implements ColumnBuilder {
  readonly #type: BytesColumn['type'];
  readonly #offsets: OffsetsBuilder;
  readonly #bytes = new GrowableBytes(0);
  readonly #validity = new ValidityBuilder();

  constructor(type: BytesColumn['type'], capacityRows: number) {
    this.#type = type;
    this.#offsets = new OffsetsBuilder(capacityRows);
  }

  get length(): number {
    return this.#validity.length;
  }

  get sizeBytes(): number {
    return this.#offsets.sizeBytes + this.#bytes.capacity + this.#validity.sizeBytes;
  }

  append(column: Column, from = 0, to = column.length): void {
    const { offsets, bytes } = this.#checked(column);
    this.#offsets.append(offsets, from, to);
    const start = this.#extendToEnd();
    this.#bytes.bytes.set(bytes.subarray(offsets[from]!, offsets[to]!), start);
    this.#validity.append(column.validity, from, to);
  }

  appendRows(column: Column, rows: Uint32Array): void {
    const { offsets, bytes } = this.#checked(column);
    this.#offsets.appendRows(offsets, rows);
    let at = this.#extendToEnd();
    const target = this.#bytes.bytes;
    for (let index = 0; index < rows.length; index++) {
      const row = rows[index]!;
      at = copyBytes(bytes, offsets[row]!, offsets[row + 1]!, target, at);
    }
    this.#validity.appendRows(column.validity, rows);
  }

  appendNulls(count: number): void {
    this.#offsets.appendEmpty(count);
    this.#validity.appendNulls(count);
  }

  view(): BytesColumn {
    return {
      type: this.#type,
      length: this.length,
      validity: this.#validity.view(),
      offsets: this.#offsets.view(),
      bytes: this.#bytes.bytes.subarray(0, this.#bytes.length),
    };
  }

  #extendToEnd(): number {
    return this.#bytes.extend(this.#offsets.end - this.#bytes.length);
  }

  #checked(column: Column): BytesColumn {
    assert(column.type === this.#type, `a ${this.#type} column cannot take ${column.type}`);
    return column as BytesColumn;
  }
}

const SHORT_TEXT_BYTES = 32;

/** A loop wins over a native copy for short texts. Returns where the copy ends. */
function copyBytes(source: Uint8Array, from: number, to: number, target: Uint8Array, at: number): number {
  if (to - from > SHORT_TEXT_BYTES) target.set(source.subarray(from, to), at);
  else for (let index = from; index < to; index++) target[at + index - from] = source[index]!;
  return at + to - from;
}
