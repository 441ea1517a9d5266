import { bitAt, bitmapBytes, newBitmap, setBit } from '../../columns/bitmap.ts';
import type { ArrayColumn } from '../../columns/column.ts';
import type { ValueSet } from '../plan.ts';
import { vectorIn } from './vector-in.ts';
import { sliceVector, vectorOf } from './vector.ts';

/** Rows with an element in one of the sets (`any`), or in each (`all`: of no sets, every row). */
export function arrayContains(
  column: ArrayColumn,
  quantifier: 'any' | 'all',
  sets: readonly ValueSet[],
): Uint8Array {
  const found = sets.map((set) => rowsWithElementIn(column, set));
  const start = newBitmap(column.length, quantifier === 'all' ? 1 : 0);
  return found.reduce((left, right) => left.map((byte, at) => combined(quantifier, byte, right[at]!)), start);
}

function combined(quantifier: 'any' | 'all', left: number, right: number): number {
  return quantifier === 'all' ? left & right : left | right;
}

function rowsWithElementIn(column: ArrayColumn, set: ValueSet): Uint8Array {
  const { matches, base } = elementMatches(column, set);
  const bitmap = new Uint8Array(bitmapBytes(column.length));
  for (let row = 0; row < column.length; row++) {
    const end = column.offsets[row + 1]! - base;
    for (let element = column.offsets[row]! - base; element < end; element++) {
      if (!bitAt(matches, element)) continue;
      setBit(bitmap, row);
      break;
    }
  }
  return bitmap;
}

/** Rows of exactly `sets.length` elements, each in its set. */
export function arrayEquals(column: ArrayColumn, sets: readonly ValueSet[]): Uint8Array {
  const places = sets.map((set) => elementMatches(column, set));
  const bitmap = new Uint8Array(bitmapBytes(column.length));
  for (let row = 0; row < column.length; row++) {
    const start = column.offsets[row]!;
    const isSameLength = column.offsets[row + 1]! - start === sets.length;
    if (isSameLength && places.every(({ matches, base }, index) => bitAt(matches, start - base + index))) {
      setBit(bitmap, row);
    }
  }
  return bitmap;
}

/** Which elements of the column's rows are in the set; the bit of element `n` is at `n - base`. */
function elementMatches(column: ArrayColumn, set: ValueSet): { matches: Uint8Array; base: number } {
  const base = column.offsets[0]!;
  const elements = sliceVector(vectorOf(column.elements), base, column.offsets[column.length]!);
  return { matches: vectorIn(elements, set), base };
}
