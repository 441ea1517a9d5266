import { bitmapBytes } from '../columns/index.ts';

/** The rows both allow; null = all. Gives one of its arguments where the other is null, so the result is not to be written. */
export function intersect(a: Uint8Array | null, b: Uint8Array | null): Uint8Array | null {
  if (a === null || b === null) return a ?? b;
  const result = new Uint8Array(Math.min(a.byteLength, b.byteLength));
  const words = canBeWords(a) && canBeWords(b) ? result.byteLength >>> 2 : 0;
  if (words > 0) {
    const [wordsA, wordsB, target] = [wordsOf(a, words), wordsOf(b, words), wordsOf(result, words)];
    for (let index = 0; index < words; index++) target[index] = wordsA[index]! & wordsB[index]!;
  }
  for (let index = words * 4; index < result.byteLength; index++) result[index] = a[index]! & b[index]!;
  return result;
}

export function hasOnes(bitmap: Uint8Array): boolean {
  return bitmap.some((byte) => byte !== 0);
}

/** The set rows of the first `rowCount`, ascending. */
export function* setRows(bitmap: Uint8Array, rowCount: number): Generator<number> {
  const bytes = bitmapBytes(rowCount);
  for (let index = 0; index < bytes; index++) {
    for (let rest = bitmap[index]!; rest !== 0; rest &= rest - 1) {
      const row = index * 8 + (31 - Math.clz32(rest & -rest));
      if (row < rowCount) yield row;
    }
  }
}

function canBeWords(bitmap: Uint8Array): boolean {
  return bitmap.byteOffset % 4 === 0;
}

function wordsOf(bitmap: Uint8Array, count: number): Int32Array {
  return new Int32Array(bitmap.buffer, bitmap.byteOffset, count);
}
