import { bitAt, bitmapBytes, setBit } from '../../columns/bitmap.ts';
import type { BytesColumn, Column, ScalarColumn } from '../../columns/column.ts';
import { compareTexts, takeColumn } from '../../columns/index.ts';
import type { Turns } from '../../host/index.ts';
import { ELEMENT_TYPES, type DataType } from '../../schema/index.ts';
import { assert } from '../../util/assert.ts';
import { JsonIndex } from './json-index.ts';
import { isArrayCast, jsonValues, type JsonTarget } from './json-values.ts';
import { bitmapStride, isDense, Postings } from './postings.ts';
import { PostingIndex } from './posting-index.ts';
import { sortInTurns } from './sort-in-turns.ts';
import { Int64Terms, NumberTerms, TextTerms, type Terms } from './terms.ts';

/** Rows handled between two looks at the clock. */
const STEPS = 16_384;

/** Builds the index of a scalar or Array field from its column. The same column gives the same index. */
export async function buildIndex(fieldId: number, column: Column, turns: Turns): Promise<PostingIndex> {
  return await indexOf(fieldId, column, column.type === 'Array', turns);
}

/** The same for the values at a path of a JSON field. */
export async function buildJsonIndex(
  fieldId: number,
  column: BytesColumn,
  target: JsonTarget,
  turns: Turns,
): Promise<JsonIndex> {
  const { column: values, isExact } = await jsonValues(column, target, turns);
  const index = await indexOf(fieldId, values, isArrayCast(target.cast), turns);
  return new JsonIndex(fieldId, target, index, isExact);
}

/** `isArray`: a row may have several values, or none although something is known of it. */
async function indexOf(
  fieldId: number,
  column: Column,
  isArray: boolean,
  turns: Turns,
): Promise<PostingIndex> {
  const values = valuesOf(column);
  const sorted = await sortInTurns(values.entries, comparisonOf(values.column), turns);
  const grouped = await groupEntries(sorted, values, turns);
  const postings = await placeRows(grouped, column.length, turns);
  const terms = termsOf(takeColumn(values.column, grouped.firstEntries) as ScalarColumn);
  return new PostingIndex(fieldId, {
    terms,
    postings,
    known: column.validity?.slice(0, bitmapBytes(column.length)) ?? null,
    isArray,
  });
}

/** Types whose values have an order. */
export const ORDERED_TYPES = [...ELEMENT_TYPES, 'Timestamptz'] as const;
export type OrderedType = (typeof ORDERED_TYPES)[number];

export function isOrderedType(type: DataType): type is OrderedType {
  return (ORDERED_TYPES as readonly string[]).includes(type);
}

/** What is indexed: entries of a column of values, each of a row. */
interface Values {
  readonly column: ScalarColumn;
  readonly entries: Uint32Array;
  /** The row of an entry; null = entries are rows. */
  readonly rowOf: Uint32Array | null;
}

function valuesOf(column: Column): Values {
  if (column.type === 'Array') return elementsOf(column);
  assert(isOrdered(column), `${column.type} has no order`);
  const entries: number[] | Uint32Array = new Uint32Array(column.length);
  let count = 0;
  for (let row = 0; row < column.length; row++) {
    if (column.validity !== null && !bitAt(column.validity, row)) continue;
    // Nothing equals NaN, so it is no term.
    if ((column.type === 'Float' || column.type === 'Double') && Number.isNaN(column.values[row])) continue;
    entries[count++] = row;
  }
  return { column, entries: entries.subarray(0, count), rowOf: null };
}

function isOrdered(column: Column): column is ScalarColumn {
  return isOrderedType(column.type);
}

function elementsOf(column: Extract<Column, { type: 'Array' }>): Values {
  const { elements, offsets, validity } = column;
  const rowOf = new Uint32Array(elements.length);
  const entries = new Uint32Array(offsets[column.length]! - offsets[0]!);
  let count = 0;
  for (let row = 0; row < column.length; row++) {
    if (validity !== null && !bitAt(validity, row)) continue;
    for (let element = offsets[row]!; element < offsets[row + 1]!; element++) {
      const isFloat = elements.type === 'Float' || elements.type === 'Double';
      if (isFloat && Number.isNaN(elements.values[element])) continue;
      rowOf[element] = row;
      entries[count++] = element;
    }
  }
  return { column: elements, entries: entries.subarray(0, count), rowOf };
}

function comparisonOf(column: ScalarColumn): (left: number, right: number) => number {
  switch (column.type) {
    case 'VarChar':
      return (left, right) => compareTexts(column, left, column, right);
    case 'Int64':
    case 'Timestamptz': {
      // By halves: reading a bigint would make one on the heap.
      const halves = new Int32Array(column.values.buffer, column.values.byteOffset, 2 * column.length);
      return (left, right) => {
        const highs = halves[2 * left + 1]! - halves[2 * right + 1]!;
        return highs !== 0 ? highs : (halves[2 * left]! >>> 0) - (halves[2 * right]! >>> 0);
      };
    }
    case 'Array':
    case 'JSON':
    case 'Geometry':
      throw new TypeError(`${column.type} has no order`);
    default: {
      const { values } = column;
      return (left, right) => values[left]! - values[right]! || 0;
    }
  }
}

interface Grouped {
  /** Where each term was first met. */
  readonly firstEntries: Uint32Array;
  readonly countBefore: Uint32Array;
  /** By term, ascending in each; no row twice in a term. */
  readonly rows: Uint32Array;
}

async function groupEntries(sorted: Uint32Array, values: Values, turns: Turns): Promise<Grouped> {
  const { rowOf } = values;
  const compare = comparisonOf(values.column);
  const rows = new Uint32Array(sorted.length);
  const firstEntries = new Uint32Array(sorted.length);
  const countBefore = new Uint32Array(sorted.length + 1);
  let [terms, count] = [0, 0];
  for (let at = 0; at < sorted.length; at++) {
    const entry = sorted[at]!;
    const row = rowOf === null ? entry : rowOf[entry]!;
    const isNew = at === 0 || compare(sorted[at - 1]!, entry) !== 0;
    if (isNew) {
      firstEntries[terms] = entry;
      countBefore[terms++] = count;
    }
    if (isNew || rows[count - 1] !== row) rows[count++] = row;
    if (at % STEPS === 0 && turns.isOver) await turns.next();
  }
  countBefore[terms] = count;
  return {
    firstEntries: firstEntries.subarray(0, terms),
    countBefore: countBefore.slice(0, terms + 1),
    rows: rows.subarray(0, count),
  };
}

/** Gives each term a list or a bitmap. */
async function placeRows({ rows, countBefore }: Grouped, rowCount: number, turns: Turns): Promise<Postings> {
  const dense: number[] = [];
  const termCount = countBefore.length - 1;
  let listed = 0;
  for (let term = 0; term < termCount; term++) {
    const count = countBefore[term + 1]! - countBefore[term]!;
    if (isDense(count, rowCount)) dense.push(term);
    else listed += count;
  }
  const stride = bitmapStride(rowCount);
  const lists = new Uint32Array(listed);
  const bitmaps = new Uint8Array(dense.length * stride);
  let [offset, next] = [0, 0];
  for (let term = 0; term < termCount; term++) {
    const ofTerm = rows.subarray(countBefore[term]!, countBefore[term + 1]!);
    if (dense[next] === term) {
      const bitmap = bitmaps.subarray(next * stride, (next + 1) * stride);
      for (let at = 0; at < ofTerm.length; at++) setBit(bitmap, ofTerm[at]!);
      next++;
    } else {
      lists.set(ofTerm, offset);
      offset += ofTerm.length;
    }
    if (term % STEPS === 0 && turns.isOver) await turns.next();
  }
  return new Postings({ rowCount, countBefore, lists, dense: Uint32Array.from(dense), bitmaps });
}

function termsOf(column: ScalarColumn): Terms {
  switch (column.type) {
    case 'VarChar':
      return textTerms(column.offsets.subarray(0, column.length + 1), column.bytes);
    case 'Int64':
    case 'Timestamptz':
      return new Int64Terms(column.values.slice(0, column.length));
    case 'Array':
    case 'JSON':
    case 'Geometry':
      throw new TypeError(`${column.type} has no order`);
    default: {
      const values = column.values.slice(0, column.length);
      // One zero of the two.
      for (let term = 0; term < values.length; term++) if (values[term] === 0) values[term] = 0;
      return new NumberTerms(values);
    }
  }
}

function textTerms(offsets: Int32Array, bytes: Uint8Array): TextTerms {
  const base = offsets[0]!;
  return new TextTerms(
    offsets.map((offset) => offset - base),
    bytes.slice(base, offsets.at(-1)!),
  );
}
