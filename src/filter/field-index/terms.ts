import type { Bounds, StringBounds, ValueSet } from '../plan.ts';
import { compareBytes, isBetween } from '../evaluate/string-kernels.ts';
import { matchesLike, type LikePattern } from '../compile/like-pattern.ts';

/** Terms `from` to `to`, the latter not included. */
export interface TermRange {
  readonly from: number;
  readonly to: number;
}

export type NumberArray = Uint8Array | Int8Array | Int16Array | Int32Array | Float32Array | Float64Array;

/** The different values of a field, ascending. A term is the position of a value. */
export type Terms = NumberTerms | Int64Terms | TextTerms;

const NOTHING: TermRange = { from: 0, to: 0 };

/** Numbers that a double holds exactly; booleans are 0 and 1. No NaN, one zero. */
export class NumberTerms {
  readonly kind = 'number';
  readonly values: NumberArray;

  constructor(values: NumberArray) {
    this.values = values;
  }

  get count(): number {
    return this.values.length;
  }

  get sizeBytes(): number {
    return this.values.byteLength;
  }

  range(bounds: Bounds): TermRange | null {
    if (bounds.kind !== 'number') return null;
    // Also when a bound is NaN: nothing lies between.
    if (!(bounds.low <= bounds.high)) return NOTHING;
    return this.rangeBetween(
      (value) => value >= bounds.low,
      (value) => value > bounds.high,
    );
  }

  /** The terms from the first that is not below a bound to the first that is above one. */
  rangeBetween(isLow: (value: number) => boolean, isAbove: (value: number) => boolean): TermRange {
    const { values } = this;
    const from = firstTerm(values.length, (term) => isLow(values[term]!));
    const to = firstTerm(values.length, (term) => isAbove(values[term]!));
    return { from, to: Math.max(from, to) };
  }

  find(set: ValueSet): number[] | null {
    if (set.kind !== 'integer' && set.kind !== 'number') return null;
    const { values } = this;
    const wanted = set.kind === 'integer' ? set.set.values() : [...set.set];
    return found(wanted, (value) => {
      const term = firstTerm(values.length, (at) => values[at]! >= value);
      return term < values.length && values[term] === value ? term : -1;
    });
  }

  isAscending(): boolean {
    const { values } = this;
    if (values.length > 0 && Number.isNaN(values[0])) return false;
    for (let term = 1; term < values.length; term++) if (!(values[term - 1]! < values[term]!)) return false;
    return true;
  }
}

export class Int64Terms {
  readonly kind = 'int64';
  readonly values: BigInt64Array;

  constructor(values: BigInt64Array) {
    this.values = values;
  }

  get count(): number {
    return this.values.length;
  }

  get sizeBytes(): number {
    return this.values.byteLength;
  }

  range(bounds: Bounds): TermRange | null {
    if (bounds.kind !== 'int64') return null;
    if (bounds.low > bounds.high) return NOTHING;
    const { values } = this;
    const from = firstTerm(values.length, (term) => values[term]! >= bounds.low);
    return { from, to: firstTerm(values.length, (term) => values[term]! > bounds.high) };
  }

  find(set: ValueSet): number[] | null {
    if (set.kind !== 'int64') return null;
    const { values } = this;
    return found(set.set.values(), (value) => {
      const term = firstTerm(values.length, (at) => values[at]! >= value);
      return term < values.length && values[term] === value ? term : -1;
    });
  }

  isAscending(): boolean {
    const { values } = this;
    for (let term = 1; term < values.length; term++) if (values[term - 1]! >= values[term]!) return false;
    return true;
  }
}

/** Texts by their UTF-8 bytes: term i is `bytes[offsets[i] .. offsets[i + 1])`. */
export class TextTerms {
  readonly kind = 'text';
  readonly offsets: Int32Array;
  readonly bytes: Uint8Array;

  constructor(offsets: Int32Array, bytes: Uint8Array) {
    this.offsets = offsets;
    this.bytes = bytes;
  }

  get count(): number {
    return this.offsets.length - 1;
  }

  get sizeBytes(): number {
    return this.offsets.byteLength + this.bytes.byteLength;
  }

  range(bounds: Bounds): TermRange | null {
    if (bounds.kind !== 'string') return null;
    const { low, high } = bounds;
    const from = low === null ? 0 : this.#first({ kind: 'string', low, high: null });
    if (high === null) return { from, to: this.count };
    // The first term above the upper bound: the first that is not within it.
    const within: StringBounds = { kind: 'string', low: null, high };
    const to = firstTerm(this.count, (term) => !this.#isBetween(within, term));
    return { from, to: Math.max(from, to) };
  }

  find(set: ValueSet): number[] | null {
    if (set.kind !== 'string') return null;
    const wanted = Array.from({ length: set.set.size }, (_, index) => set.set.entry(index));
    return found(wanted, (value) => {
      const term = firstTerm(this.count, (at) => this.#compare(at, value) >= 0);
      return term < this.count && this.#compare(term, value) === 0 ? term : -1;
    });
  }

  /** The terms that begin with the text the pattern begins with: those outside do not match. */
  prefixRange({ runs }: LikePattern): TermRange {
    const prefix = runs[0]![0];
    if (prefix === undefined || prefix === null) return { from: 0, to: this.count };
    const from = firstTerm(this.count, (term) => this.#compare(term, prefix) >= 0);
    const to = firstTerm(this.count, (term) => term >= from && !this.#startsWith(term, prefix));
    return { from, to };
  }

  /** Terms of the range that match the pattern. */
  like(pattern: LikePattern, { from, to }: TermRange): number[] {
    const terms: number[] = [];
    for (let term = from; term < to; term++) {
      if (matchesLike(pattern, this.bytes, this.offsets[term]!, this.offsets[term + 1]!)) terms.push(term);
    }
    return terms;
  }

  isAscending(): boolean {
    const { offsets, bytes } = this;
    for (let term = 1; term < this.count; term++) {
      const [before, at, after] = [offsets[term - 1]!, offsets[term]!, offsets[term + 1]!];
      if (compareBytes(bytes, before, at, bytes, at, after) >= 0) return false;
    }
    return true;
  }

  #compare(term: number, value: Uint8Array): number {
    return compareBytes(this.bytes, this.offsets[term]!, this.offsets[term + 1]!, value, 0, value.length);
  }

  #startsWith(term: number, prefix: Uint8Array): boolean {
    const start = this.offsets[term]!;
    const end = Math.min(this.offsets[term + 1]!, start + prefix.length);
    return compareBytes(this.bytes, start, end, prefix, 0, prefix.length) === 0;
  }

  #first(bounds: StringBounds): number {
    return firstTerm(this.count, (term) => this.#isBetween(bounds, term));
  }

  #isBetween(bounds: StringBounds, term: number): boolean {
    return isBetween(bounds, this.bytes, this.offsets[term]!, this.offsets[term + 1]!);
  }
}

/** The first term from which on `holds` is true; `count` when it never is. */
function firstTerm(count: number, holds: (term: number) => boolean): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Of different values the terms, which therefore differ, ascending. */
function found<Value>(values: readonly Value[], termOf: (value: Value) => number): number[] {
  const terms = values.map(termOf).filter((term) => term >= 0);
  return terms.sort((left, right) => left - right);
}
