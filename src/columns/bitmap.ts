/** Bitmaps: least significant bit first, ceil(n / 8) bytes; bits past n are 0. */
export function bitmapBytes(length: number): number {
  return (length + 7) >>> 3;
}

export function newBitmap(length: number, bit: 0 | 1): Uint8Array<ArrayBuffer> {
  const bitmap = new Uint8Array(bitmapBytes(length));
  if (bit === 1) {
    bitmap.fill(0xff);
    if (length % 8 !== 0) bitmap[bitmap.length - 1] = (1 << (length % 8)) - 1;
  }
  return bitmap;
}

export function bitAt(bitmap: Uint8Array, index: number): boolean {
  return ((bitmap[index >>> 3]! >>> (index & 7)) & 1) === 1;
}

export function setBit(bitmap: Uint8Array, index: number): void {
  bitmap[index >>> 3]! |= 1 << (index & 7);
}

export function clearBit(bitmap: Uint8Array, index: number): void {
  bitmap[index >>> 3]! &= ~(1 << (index & 7));
}

/** The bits at these indexes, in their order. */
export function takeBits(bitmap: Uint8Array, indexes: Uint32Array): Uint8Array {
  const taken = newBitmap(indexes.length, 0);
  for (let at = 0; at < indexes.length; at++) if (bitAt(bitmap, indexes[at]!)) setBit(taken, at);
  return taken;
}

const ONES_OF_BYTE = Uint8Array.from({ length: 256 }, (_, byte) => {
  let ones = 0;
  for (let rest = byte; rest !== 0; rest &= rest - 1) ones++;
  return ones;
});

export function countOnes(bitmap: Uint8Array): number {
  let ones = 0;
  for (let index = 0; index < bitmap.length; index++) ones += ONES_OF_BYTE[bitmap[index]!]!;
  return ones;
}

/** Copies `length` bits, from bit `from` of `source` to bit `at` of `target`. The target's other bits stay. */
export function copyBits(
  source: Uint8Array,
  from: number,
  target: Uint8Array,
  at: number,
  length: number,
): void {
  if (from % 8 === 0 && at % 8 === 0) {
    const wholeBytes = length >>> 3;
    target.set(source.subarray(from >>> 3, (from >>> 3) + wholeBytes), at >>> 3);
    copyBitByBit(source, from + wholeBytes * 8, target, at + wholeBytes * 8, length & 7);
    return;
  }
  copyBitByBit(source, from, target, at, length);
}

function copyBitByBit(
  source: Uint8Array,
  from: number,
  target: Uint8Array,
  at: number,
  length: number,
): void {
  for (let index = 0; index < length; index++) {
    if (bitAt(source, from + index)) setBit(target, at + index);
    else clearBit(target, at + index);
  }
}

/** Sets the bits [from, to). */
export function setBits(bitmap: Uint8Array, from: number, to: number): void {
  let index = from;
  for (; index < to && index % 8 !== 0; index++) setBit(bitmap, index);
  const wholeEnd = to - ((to - index) & 7);
  if (wholeEnd > index) bitmap.fill(0xff, index >>> 3, wholeEnd >>> 3);
  for (index = Math.max(index, wholeEnd); index < to; index++) setBit(bitmap, index);
}
