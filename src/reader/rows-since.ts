import { newBitmap, setBit } from '../columns/index.ts';
import type { Timestamp } from '../schema/index.ts';

/** Bitmap of the rows whose timestamp is `since` or later; null = all of them. */
export function rowsSince(timestamps: BigUint64Array, since: Timestamp): Uint8Array | null {
  if (since === 0n) return null;
  const rowCount = timestamps.length;
  // Comparing halves makes no bigints: a million rows take milliseconds.
  const halves = new Uint32Array(timestamps.buffer, timestamps.byteOffset, rowCount * 2);
  const sinceLow = Number(since & 0xffff_ffffn);
  const sinceHigh = Number(since >> 32n);
  const bitmap = newBitmap(rowCount, 0);
  let count = 0;
  for (let row = 0; row < rowCount; row++) {
    const high = halves[row * 2 + 1]!;
    if (high < sinceHigh || (high === sinceHigh && halves[row * 2]! < sinceLow)) continue;
    setBit(bitmap, row);
    count++;
  }
  return count === rowCount ? null : bitmap;
}
