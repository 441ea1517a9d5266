import { bitmapBytes } from '../../columns/bitmap.ts';
import { sameBytes, type BytesSet } from '../compile/bytes-set.ts';
import { matchesLike, type LikePattern } from '../compile/like-pattern.ts';
import type { StringBound, StringBounds } from '../plan.ts';
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
    const order = compareBytes(
      ...([left.bytes, left.starts[row]!, left.ends[row]!] as const),
      ...([right.bytes, right.starts[row]!, right.ends[row]!] as const),
    );
    const holds = operator === '<' ? order < 0 : operator === '<=' ? order <= 0 : order === 0;
    if (holds) bitmap[row >>> 3]! |= 1 << (row & 7);
  }
  return bitmap;
}

export function isBetween(bounds: StringBounds, bytes: Uint8Array, start: number, end: number): boolean {
  return isWithin(bounds.low, 1, bytes, start, end) && isWithin(bounds.high, -1, bytes, start, end);
}

function isWithin(
  bound: StringBound | null,
  side: 1 | -1,
  bytes: Uint8Array,
  start: number,
  end: number,
): boolean {
  if (bound === null) return true;
  const order = side * compareBytes(bytes, start, end, bound.bytes, 0, bound.bytes.length);
  return bound.open ? order > 0 : order >= 0;
}

/** Byte by byte, a shorter prefix first: the order of code points. */
function compareBytes(
  left: Uint8Array,
  leftStart: number,
  leftEnd: number,
  right: Uint8Array,
  rightStart: number,
  rightEnd: number,
): number {
  const [leftLength, rightLength] = [leftEnd - leftStart, rightEnd - rightStart];
  const length = Math.min(leftLength, rightLength);
  for (let index = 0; index < length; index++) {
    const difference = left[leftStart + index]! - right[rightStart + index]!;
    if (difference !== 0) return difference;
  }
  return leftLength - rightLength;
}
