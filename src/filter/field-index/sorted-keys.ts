import { newBitmap, setBits } from '../../columns/bitmap.ts';
import type { PrimaryKeyColumn } from '../../columns/column.ts';
import type { Bounds, Operand, Predicate, ValueSet } from '../plan.ts';
import type { FieldIndex, IndexMatches } from './field-index.ts';
import { Int64Terms, TextTerms, type TermRange } from './terms.ts';

/** Keys looked up one by one at most. */
const LOOKUPS_MAX = 65_536;
/** Rows next to each other are marked many at a time. */
const ROWS_PER_STEP = 64;

/** The primary key of a segment, whose rows ascend by it: rows of a range of keys are next to each other, and need no postings. */
export class SortedKeys implements FieldIndex {
  readonly sizeBytes = 0;
  readonly #fieldId: number;
  readonly #rowCount: number;
  /** Rows in place of terms: a key may have several. */
  readonly #rows: Int64Terms | TextTerms;

  constructor(fieldId: number, keys: PrimaryKeyColumn) {
    this.#fieldId = fieldId;
    this.#rowCount = keys.length;
    this.#rows =
      keys.type === 'Int64'
        ? new Int64Terms(keys.values.subarray(0, keys.length))
        : new TextTerms(keys.offsets.subarray(0, keys.length + 1), keys.bytes);
  }

  matches(predicate: Predicate): IndexMatches | null {
    switch (predicate.kind) {
      case 'between': {
        const range = this.#isKey(predicate.operand) ? this.#rows.range(predicate.bounds) : null;
        return range === null ? null : this.#of([range]);
      }
      case 'in':
        return this.#isKey(predicate.operand) ? this.#ofSet(predicate.set) : null;
      case 'like': {
        const { runs } = predicate.pattern;
        const isPrefix = runs.length === 2 && runs[0]!.length === 1 && runs[1]!.length === 0;
        if (!this.#isKey(predicate.operand) || this.#rows.kind !== 'text' || !isPrefix) return null;
        return runs[0]![0] === null ? null : this.#of([this.#rows.prefixRange(predicate.pattern)]);
      }
      default:
        return null;
    }
  }

  #ofSet(values: ValueSet): IndexMatches | null {
    if (values.set.size > LOOKUPS_MAX) return null;
    const ranges: TermRange[] = [];
    for (const bounds of equalities(values)) {
      const range = this.#rows.range(bounds);
      if (range === null) return null;
      if (range.to > range.from) ranges.push(range);
    }
    return this.#of(ranges);
  }

  #of(ranges: readonly TermRange[]): IndexMatches {
    const count = ranges.reduce((sum, { from, to }) => sum + to - from, 0);
    const collect = (): Uint8Array => {
      const bitmap = newBitmap(this.#rowCount, 0);
      for (const { from, to } of ranges) setBits(bitmap, from, to);
      return bitmap;
    };
    return { count, cost: ranges.length + count / ROWS_PER_STEP, known: null, collect };
  }

  #isKey(operand: Operand): boolean {
    return operand.kind === 'column' && operand.fieldId === this.#fieldId;
  }
}

function* equalities(values: ValueSet): Generator<Bounds> {
  if (values.kind === 'int64') {
    for (const value of values.set.values()) yield { kind: 'int64', low: value, high: value };
  } else if (values.kind === 'string') {
    for (let index = 0; index < values.set.size; index++) {
      const bound = { bytes: values.set.entry(index), open: false };
      yield { kind: 'string', low: bound, high: bound };
    }
  }
}
