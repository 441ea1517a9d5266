import { bitmapBytes } from '../../columns/bitmap.ts';
import type { Int64Set } from '../compile/int64-set.ts';

/*
 * 64-bit integers are read as two 32-bit halves, because reading a BigInt64Array can make a bigint on the heap for every
 * row. Hosts are little-endian, so the low half comes first. Low halves are unsigned; with the top bit flipped they
 * compare as signed integers, which stay in registers.
 */

const TOP_BIT = 0x8000_0000 | 0;

export function int64Between(values: BigInt64Array, low: bigint, high: bigint): Uint8Array {
  const bitmap = new Uint8Array(bitmapBytes(values.length));
  if (low > high) return bitmap;
  const halves = halvesOf(values);
  const [lowLow, lowHigh] = split(low);
  const [highLow, highHigh] = split(high);
  for (let row = 0, at = 0; row < values.length; at++) {
    const end = Math.min(row + 8, values.length);
    let byte = 0;
    for (let bit = 1; row < end; row++, bit <<= 1) {
      const valueLow = halves[2 * row]! ^ TOP_BIT;
      const valueHigh = halves[2 * row + 1]!;
      const isAtLeast = valueHigh > lowHigh || (valueHigh === lowHigh && valueLow >= lowLow);
      const isAtMost = valueHigh < highHigh || (valueHigh === highHigh && valueLow <= highLow);
      if (isAtLeast && isAtMost) byte |= bit;
    }
    bitmap[at] = byte;
  }
  return bitmap;
}

export function int64In(values: BigInt64Array, set: Int64Set): Uint8Array {
  const bitmap = new Uint8Array(bitmapBytes(values.length));
  const halves = halvesOf(values);
  for (let row = 0; row < values.length; row++) {
    if (set.has(halves[2 * row]!, halves[2 * row + 1]!)) bitmap[row >>> 3]! |= 1 << (row & 7);
  }
  return bitmap;
}

export function int64Compare(
  operator: '==' | '<' | '<=',
  left: BigInt64Array,
  right: BigInt64Array,
): Uint8Array {
  const bitmap = new Uint8Array(bitmapBytes(left.length));
  const [leftHalves, rightHalves] = [halvesOf(left), halvesOf(right)];
  for (let row = 0; row < left.length; row++) {
    const highs = leftHalves[2 * row + 1]! - rightHalves[2 * row + 1]!;
    const order = highs !== 0 ? highs : (leftHalves[2 * row]! ^ TOP_BIT) - (rightHalves[2 * row]! ^ TOP_BIT);
    const holds = operator === '<' ? order < 0 : operator === '<=' ? order <= 0 : order === 0;
    if (holds) bitmap[row >>> 3]! |= 1 << (row & 7);
  }
  return bitmap;
}

function halvesOf(values: BigInt64Array): Int32Array {
  return new Int32Array(values.buffer, values.byteOffset, 2 * values.length);
}

/** The low half, its top bit flipped, and the high half. */
function split(value: bigint): [number, number] {
  return [Number(BigInt.asIntN(32, value)) ^ TOP_BIT, Number(value >> 32n)];
}
