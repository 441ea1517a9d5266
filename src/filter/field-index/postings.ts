import { bitmapBytes, clearBit, setBit } from '../../columns/bitmap.ts';
import type { TermRange } from './terms.ts';

/** A term in more than this part of the rows is kept as a bitmap, which is then the smaller form. */
const DENSE_PART = 32;
/** Bits of a word that one step of joining bitmaps handles, which costs about as much as visiting a row. */
const WORD_BITS = 32;

/**
 * The rows of each term: a list of ascending row numbers, or, where that is smaller, a bitmap. Lists and bitmaps stand in
 * the order of their terms, so those of a range of terms are next to each other.
 */
export interface PostingsParts {
  readonly rowCount: number;
  /** Rows of all terms before; one entry more than there are terms. */
  readonly countBefore: Uint32Array;
  readonly lists: Uint32Array;
  /** The terms that have bitmaps, ascending. */
  readonly dense: Uint32Array;
  /** One after another, each padded to `bitmapStride(rowCount)`. */
  readonly bitmaps: Uint8Array;
}

/** Bytes from one bitmap to the next: whole 64-bit words. */
export function bitmapStride(rowCount: number): number {
  return Math.ceil(rowCount / 64) * 8;
}

export function isDense(count: number, rowCount: number): boolean {
  return count * DENSE_PART > rowCount;
}

export class Postings {
  readonly parts: PostingsParts;
  /** Rows of the dense terms before each dense term; one entry more than there are. */
  readonly #denseBefore: Uint32Array;

  constructor(parts: PostingsParts) {
    this.parts = parts;
    const { dense, countBefore } = parts;
    this.#denseBefore = new Uint32Array(dense.length + 1);
    for (let index = 0; index < dense.length; index++) {
      const term = dense[index]!;
      this.#denseBefore[index + 1] = this.#denseBefore[index]! + countBefore[term + 1]! - countBefore[term]!;
    }
  }

  get termCount(): number {
    return this.parts.countBefore.length - 1;
  }

  /** Rows of all terms; a row counts once for each of its terms. */
  get totalCount(): number {
    return this.parts.countBefore[this.termCount]!;
  }

  get sizeBytes(): number {
    const { countBefore, lists, dense, bitmaps } = this.parts;
    return countBefore.byteLength + lists.byteLength + dense.byteLength * 2 + bitmaps.byteLength;
  }

  countOf({ from, to }: TermRange): number {
    return this.parts.countBefore[to]! - this.parts.countBefore[from]!;
  }

  /** Rows visited to collect the range, a word of a bitmap counting as one. */
  costOf({ from, to }: TermRange): number {
    const first = this.#denseFrom(from);
    const last = this.#denseFrom(to);
    const inLists = this.#listOffset(to, last) - this.#listOffset(from, first);
    return inLists + (last - first) * (this.parts.rowCount / WORD_BITS);
  }

  /** Sets the bits of the range's rows. */
  add(bitmap: Uint8Array, range: TermRange): void {
    const { rows, bitmaps } = this.#of(range);
    for (let index = 0; index < rows.length; index++) setBit(bitmap, rows[index]!);
    for (const dense of bitmaps) joinWords(bitmap, dense, (left, right) => left | right);
  }

  /** Clears the bits of the range's rows. */
  remove(bitmap: Uint8Array, range: TermRange): void {
    const { rows, bitmaps } = this.#of(range);
    for (let index = 0; index < rows.length; index++) clearBit(bitmap, rows[index]!);
    for (const dense of bitmaps) joinWords(bitmap, dense, (left, right) => left & ~right);
  }

  #of({ from, to }: TermRange): { readonly rows: Uint32Array; readonly bitmaps: readonly Uint8Array[] } {
    const { lists, bitmaps, rowCount } = this.parts;
    const first = this.#denseFrom(from);
    const last = this.#denseFrom(to);
    const stride = bitmapStride(rowCount);
    return {
      rows: lists.subarray(this.#listOffset(from, first), this.#listOffset(to, last)),
      bitmaps: Array.from({ length: last - first }, (_, index) => {
        const start = (first + index) * stride;
        return bitmaps.subarray(start, start + bitmapBytes(rowCount));
      }),
    };
  }

  #listOffset(term: number, denseIndex: number): number {
    return this.parts.countBefore[term]! - this.#denseBefore[denseIndex]!;
  }

  /** How many dense terms come before `term`. */
  #denseFrom(term: number): number {
    const { dense } = this.parts;
    let low = 0;
    let high = dense.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (dense[middle]! < term) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Both begin at a multiple of four bytes. */
export function joinWords(
  target: Uint8Array,
  other: Uint8Array,
  join: (left: number, right: number) => number,
): void {
  const words = target.byteLength >>> 2;
  const [left, right] = [wordsOf(target, words), wordsOf(other, words)];
  for (let index = 0; index < words; index++) left[index] = join(left[index]!, right[index]!);
  for (let at = words * 4; at < target.byteLength; at++) target[at] = join(target[at]!, other[at]!);
}

function wordsOf(bitmap: Uint8Array, count: number): Int32Array {
  return new Int32Array(bitmap.buffer, bitmap.byteOffset, count);
}
