import { bitmapBytes } from '../../columns/bitmap.ts';
import type { IntegerSet } from '../compile/integer-set.ts';
import type { FloatArray, IntegerArray } from './vector.ts';

/*
 * One loop a question, eight rows a byte. Integers and floats have loops of their own although they read the same: the
 * engine specializes a loop for at most four kinds of array, and runs it several times slower with more.
 */

export function integersBetween(values: IntegerArray, low: number, high: number): Uint8Array {
  const bitmap = new Uint8Array(bitmapBytes(values.length));
  for (let row = 0, at = 0; row < values.length; at++) {
    const end = Math.min(row + 8, values.length);
    let byte = 0;
    for (let bit = 1; row < end; row++, bit <<= 1) {
      const value = values[row]!;
      if (value >= low && value <= high) byte |= bit;
    }
    bitmap[at] = byte;
  }
  return bitmap;
}

export function floatsBetween(values: FloatArray, low: number, high: number): Uint8Array {
  const bitmap = new Uint8Array(bitmapBytes(values.length));
  for (let row = 0, at = 0; row < values.length; at++) {
    const end = Math.min(row + 8, values.length);
    let byte = 0;
    for (let bit = 1; row < end; row++, bit <<= 1) {
      const value = values[row]!;
      if (value >= low && value <= high) byte |= bit;
    }
    bitmap[at] = byte;
  }
  return bitmap;
}

export function integersIn(values: IntegerArray, set: IntegerSet): Uint8Array {
  const bitmap = new Uint8Array(bitmapBytes(values.length));
  for (let row = 0; row < values.length; row++) {
    if (set.has(values[row]!)) bitmap[row >>> 3]! |= 1 << (row & 7);
  }
  return bitmap;
}

/** Zeros of both signs are one value; NaN is in no set, because no constant is NaN. */
export function floatsIn(values: FloatArray, set: ReadonlySet<number>): Uint8Array {
  const bitmap = new Uint8Array(bitmapBytes(values.length));
  for (let row = 0; row < values.length; row++) {
    if (set.has(values[row]!)) bitmap[row >>> 3]! |= 1 << (row & 7);
  }
  return bitmap;
}

export function floatsCompare(operator: '==' | '<' | '<=', left: FloatArray, right: FloatArray): Uint8Array {
  const bitmap = new Uint8Array(bitmapBytes(left.length));
  for (let row = 0; row < left.length; row++) {
    const [first, second] = [left[row]!, right[row]!];
    const holds = operator === '<' ? first < second : operator === '<=' ? first <= second : first === second;
    if (holds) bitmap[row >>> 3]! |= 1 << (row & 7);
  }
  return bitmap;
}
