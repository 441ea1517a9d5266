import { countOnes, newBitmap } from '../../columns/bitmap.ts';
import type { Operand, Predicate, ValueSet } from '../plan.ts';
import type { LikePattern } from '../compile/like-pattern.ts';
import type { FieldIndex, IndexMatches } from './field-index.ts';
import { joinWords, type Postings } from './postings.ts';
import type { TermRange, Terms } from './terms.ts';

/** Values looked up one by one, and terms a pattern is tried on, at most: some milliseconds. Beyond, the scan takes turns. */
const LOOKUPS_MAX = 65_536;
/** Rows visited in one go at most, for the same reason. */
const COST_MAX = 2 ** 22;

/** The values of a field, sorted, each with its rows. Of an Array field the values of its elements. */
export class PostingIndex implements FieldIndex {
  readonly terms: Terms;
  readonly postings: Postings;
  readonly known: Uint8Array | null;
  readonly #fieldId: number;
  readonly #isArray: boolean;
  /** Every row that is known has exactly one term, so that those of some terms are all but those of the others. */
  readonly #isPartition: boolean;

  constructor(
    fieldId: number,
    parts: {
      readonly terms: Terms;
      readonly postings: Postings;
      readonly known: Uint8Array | null;
      readonly isArray: boolean;
    },
  ) {
    this.#fieldId = fieldId;
    this.terms = parts.terms;
    this.postings = parts.postings;
    this.known = parts.known;
    this.#isArray = parts.isArray;
    const knownCount = parts.known === null ? this.#rowCount : countOnes(parts.known);
    this.#isPartition = !parts.isArray && knownCount === parts.postings.totalCount;
  }

  get sizeBytes(): number {
    return this.terms.sizeBytes + this.postings.sizeBytes + (this.known?.byteLength ?? 0);
  }

  matches(predicate: Predicate): IndexMatches | null {
    const found = this.#isArray ? this.#ofElements(predicate) : this.#ofValues(predicate);
    return found === null || this.isTooMuch(found) ? null : found;
  }

  /** Whether collecting it in one go would hold up the event loop. */
  isTooMuch({ cost }: IndexMatches): boolean {
    return cost > COST_MAX;
  }

  /** Rows with a term in the range. */
  ofRange(range: TermRange): IndexMatches {
    const { postings } = this;
    const count = postings.countOf(range);
    const before = { from: 0, to: range.from };
    const after = { from: range.to, to: postings.termCount };
    const cost = postings.costOf(range);
    const costOfRest = postings.costOf(before) + postings.costOf(after);
    if (!this.#isPartition || cost <= costOfRest) {
      return { count, cost, known: this.known, collect: () => this.#collected([range]) };
    }
    const collect = (): Uint8Array => {
      const bitmap = this.known === null ? newBitmap(this.#rowCount, 1) : this.known.slice();
      postings.remove(bitmap, before);
      postings.remove(bitmap, after);
      return bitmap;
    };
    return { count, cost: costOfRest, known: this.known, collect };
  }

  /** Rows with one of the terms, which ascend. */
  ofTerms(terms: readonly number[]): IndexMatches {
    const ranges = rangesOf(terms);
    const cost = ranges.reduce((sum, range) => sum + this.postings.costOf(range), 0);
    const count = ranges.reduce((sum, range) => sum + this.postings.countOf(range), 0);
    return { count, cost: cost + terms.length, known: this.known, collect: () => this.#collected(ranges) };
  }

  ofSet(set: ValueSet): IndexMatches | null {
    if (set.set.size > LOOKUPS_MAX) return null;
    const terms = this.terms.find(set);
    return terms === null ? null : this.ofTerms(terms);
  }

  ofPattern(pattern: LikePattern): IndexMatches | null {
    if (this.terms.kind !== 'text') return null;
    const range = this.terms.prefixRange(pattern);
    const { runs } = pattern;
    const isPrefix = runs.length === 2 && runs[0]!.length === 1 && runs[1]!.length === 0;
    if (isPrefix && runs[0]![0] !== null) return this.ofRange(range);
    // More terms than this and the column, read in order, is as quick.
    if (range.to - range.from > Math.min(LOOKUPS_MAX, this.#rowCount / 2)) return null;
    return this.ofTerms(this.terms.like(pattern, range));
  }

  #ofValues(predicate: Predicate): IndexMatches | null {
    switch (predicate.kind) {
      case 'between': {
        const range = this.#isOf(predicate.operand) ? this.terms.range(predicate.bounds) : null;
        return range === null ? null : this.ofRange(range);
      }
      case 'in':
        return this.#isOf(predicate.operand) ? this.ofSet(predicate.set) : null;
      case 'like':
        return this.#isOf(predicate.operand) ? this.ofPattern(predicate.pattern) : null;
      case 'isNull':
        return this.#ofNulls(predicate.fieldId);
      default:
        return null;
    }
  }

  #ofElements(predicate: Predicate): IndexMatches | null {
    if (predicate.kind === 'isNull') return this.#ofNulls(predicate.fieldId);
    if (predicate.kind !== 'arrayContains' || predicate.fieldId !== this.#fieldId) return null;
    const found = predicate.sets.map((set) => this.ofSet(set));
    const [first] = found;
    // Of no values at all, whether a row has an array is all there is to know.
    if (first === undefined || first === null || found.includes(null)) return null;
    if (predicate.quantifier === 'any') return found.length === 1 ? first : null;
    return intersection(found as readonly IndexMatches[]);
  }

  #ofNulls(fieldId: number): IndexMatches | null {
    return fieldId === this.#fieldId ? nullMatches(this.known, this.#rowCount) : null;
  }

  #isOf(operand: Operand): boolean {
    return operand.kind === 'column' && operand.fieldId === this.#fieldId;
  }

  get #rowCount(): number {
    return this.postings.parts.rowCount;
  }

  #collected(ranges: readonly TermRange[]): Uint8Array {
    const bitmap = newBitmap(this.#rowCount, 0);
    for (const range of ranges) this.postings.add(bitmap, range);
    return bitmap;
  }
}

/** Rows without a value. */
export function nullMatches(known: Uint8Array | null, rowCount: number): IndexMatches {
  const count = known === null ? 0 : rowCount - countOnes(known);
  const collect = (): Uint8Array => {
    if (known === null) return newBitmap(rowCount, 0);
    const bitmap = newBitmap(rowCount, 1);
    for (let at = 0; at < bitmap.length; at++) bitmap[at]! &= ~known[at]!;
    return bitmap;
  };
  return { count, cost: 0, known: null, collect };
}

/** Rows of all of them. */
export function intersection(all: readonly IndexMatches[]): IndexMatches {
  return {
    count: Math.min(...all.map((matches) => matches.count)),
    cost: all.reduce((sum, matches) => sum + matches.cost, 0),
    known: all[0]!.known,
    collect: () => {
      const [first, ...others] = all.map((matches) => matches.collect());
      for (const other of others) joinWords(first!, other, (left, right) => left & right);
      return first!;
    },
  };
}

/** Ascending terms, neighbours joined. */
function rangesOf(terms: readonly number[]): readonly TermRange[] {
  const ranges: { from: number; to: number }[] = [];
  for (const term of terms) {
    const last = ranges.at(-1);
    if (last?.to === term) last.to++;
    else ranges.push({ from: term, to: term + 1 });
  }
  return ranges;
}
