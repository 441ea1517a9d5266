import { MishardsError } from '../errors/index.ts';
import { GrowableBytes } from './growable-bytes.ts';

const END_MAX = 0x7fff_ffff;

/** Grows the offsets of a column of variable-size rows: one more than rows, from 0. */
export class OffsetsBuilder {
  readonly #bytes: GrowableBytes;
  #end = 0;

  constructor(capacityRows: number) {
    this.#bytes = new GrowableBytes((capacityRows + 1) * 4);
    this.#bytes.extend(4);
  }

  /** Where the last row ends. */
  get end(): number {
    return this.#end;
  }

  get sizeBytes(): number {
    return this.#bytes.capacity;
  }

  /** Appends the sizes of rows [from, to) of a column with these offsets; returns where the first of them starts. */
  append(source: Int32Array, from: number, to: number): number {
    const start = this.#end;
    const shift = start - source[from]!;
    this.#check(source[to]! - source[from]!);
    const target = this.#extend(to - from);
    for (let row = from; row < to; row++) target[row - from] = source[row + 1]! + shift;
    this.#end = source[to]! + shift;
    return start;
  }

  appendRows(source: Int32Array, rows: Uint32Array): number {
    const start = this.#end;
    let size = 0;
    for (const row of rows) size += source[row + 1]! - source[row]!;
    this.#check(size);
    const target = this.#extend(rows.length);
    for (let index = 0; index < rows.length; index++) {
      const row = rows[index]!;
      this.#end += source[row + 1]! - source[row]!;
      target[index] = this.#end;
    }
    return start;
  }

  appendEmpty(count: number): void {
    this.#extend(count).fill(this.#end);
  }

  view(): Int32Array {
    return new Int32Array(this.#bytes.bytes.buffer, 0, this.#bytes.length / 4);
  }

  #extend(count: number): Int32Array {
    const start = this.#bytes.extend(count * 4);
    return new Int32Array(this.#bytes.bytes.buffer, start, count);
  }

  #check(size: number): void {
    if (this.#end + size <= END_MAX) return;
    throw new MishardsError(
      'PARAMETER_TOO_LARGE',
      `a column would hold ${this.#end + size} bytes or elements, more than ${END_MAX}; use smaller segments`,
    );
  }
}
