import { bitmapBytes } from '../../columns/bitmap.ts';
import { sameBytes, type BytesSet } from '../compile/bytes-set.ts';
import { matchesLike, type LikePattern } from '../compile/like-pattern.ts';
import type { StringBounds } from '../plan.ts';
import type { StringVector } from './vector.ts';

export function stringsBetween(vector: StringVector, bounds: StringBounds): Uint8Array {
  const { bytes, starts, ends } = vector;
  const bitmap = new Uint8Array(bitmapBytes(starts.length));
  for (let row = 0; row < starts.length; row++) {
    if (isBetween(bounds, bytes, starts[row]!, ends[row]!)) bitmap[row >>> 3]! |= 1 << (row & 7);
  }
  return bitmap;
}

export function stringsIn(vector: StringVector, set: BytesSet): Uint8Array {
  const { bytes, starts, ends } = vector;
  const bitmap = new Uint8Array(bitmapBytes(starts.length));
  if (set.size === 0) return bitmap;
  const only = set.size === 1 ? set.entry(0) : null;
  for (let row = 0; row < starts.length; row++) {
    const start = starts[row]!;
    const end = ends[row]!;
    const found = only === null ? set.has(bytes, start, end) : sameBytes(only, bytes, start, end);
    if (found) bitmap[row >>> 3]! |= 1 << (row & 7);
  }
  return bitmap;
}

export function stringsLike(vector: StringVector, pattern: LikePattern): Uint8Array {
  const { bytes, starts, ends } = vector;
  const bitmap = new Uint8Array(bitmapBytes(starts.length));
  for (let row = 0; row < starts.length; row++) {
    if (matchesLike(pattern, bytes, starts[row]!, ends[row]!)) bitmap[row >>> 3]! |= 1 << (row & 7);
  }
  return bitmap;
}

export function stringsCompare(
  operator: '==' | '<' | '<=',
  left: StringVector,
  right: StringVector,
): Uint8Array {
  const bitmap = new Uint8Array(bitmapBytes(left.starts.length));
  for (let row = 0; row < left.starts.length; row++) {
    const [leftStart, leftEnd] = [left.starts[row]!, left.ends[row]!];
    const [rightStart, rightEnd] = [right.starts[row]!, right.ends[row]!];
    const order = compareBytes(left.bytes, leftStart, leftEnd, right.bytes, rightStart, rightEnd);
    const holds = operator === '<' ? order < 0 : operator === '<=' ? order <= 0 : order === 0;
    if (holds) bitmap[row >>> 3]! |= 1 << (row & 7);
  }
  return bitmap;
}

export function isBetween(bounds: StringBounds, bytes: Uint8Array, start: number, end: number): boolean {
  const { low, high } = bounds;
  if (low !== null) {
    const order = compareBytes(bytes, start, end, low.bytes, 0, low.bytes.length);
    if (order < 0 || (order === 0 && low.open)) return false;
  }
  if (high === null) return true;
  const order = compareBytes(bytes, start, end, high.bytes, 0, high.bytes.length);
  return order < 0 || (order === 0 && !high.open);
}

/** Byte by byte, a shorter prefix first: the order of code points. */
export function compareBytes(
  left: Uint8Array,
  leftStart: number,
  leftEnd: number,
  right: Uint8Array,
  rightStart: number,
  rightEnd: number,
): number {
  const lengths = leftEnd - leftStart - (rightEnd - rightStart);
  const length = lengths < 0 ? leftEnd - leftStart : rightEnd - rightStart;
  for (let index = 0; index < length; index++) {
    const difference = left[leftStart + index]! - right[rightStart + index]!;
    if (difference !== 0) return difference;
  }
  return lengths;
}
