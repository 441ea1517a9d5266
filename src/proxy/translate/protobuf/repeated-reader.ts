import { concatByteRows, type ByteRows } from './byte-rows.ts';
import { malformed, type ProtoReader } from './proto-reader.ts';

/**
 * Repeated scalars as typed arrays. Each function is called with the tag just read, takes the packed and the unpacked
 * form, consumes directly following elements of the same field, and returns `before` with the new elements after it.
 */
type Repeated<T> = (reader: ProtoReader, tag: number, before: T, end: number) => T;

interface TypedArrayLike {
  readonly length: number;
}
interface TypedArrayType<T extends TypedArrayLike> {
  readonly BYTES_PER_ELEMENT: number;
  new (length: number): T;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): T;
}
interface Settable<T> extends TypedArrayLike {
  set(source: T, offset: number): void;
}

const LENGTH_DELIMITED = 2;

export const repeatedFloats: Repeated<Float32Array> = (reader, tag, before, end) =>
  fixedWidth(Float32Array, reader, tag, before, end);
export const repeatedDoubles: Repeated<Float64Array> = (reader, tag, before, end) =>
  fixedWidth(Float64Array, reader, tag, before, end);

/** Packed: one copy of the bytes, or none where they happen to be aligned. */
function fixedWidth<T extends Settable<T>>(
  type: TypedArrayType<T>,
  reader: ProtoReader,
  tag: number,
  before: T,
  end: number,
): T {
  const size = type.BYTES_PER_ELEMENT;
  if ((tag & 7) !== LENGTH_DELIMITED) return unpackedFixedWidth(type, reader, tag, before, end);
  const bytes = reader.bytes();
  if (bytes.byteLength % size !== 0) {
    throw malformed(`${bytes.byteLength} packed bytes are not a whole number of ${size}-byte values`);
  }
  const aligned = bytes.byteOffset % size === 0 ? bytes : new Uint8Array(bytes);
  return concat(type, before, new type(aligned.buffer, aligned.byteOffset, aligned.byteLength / size));
}

function unpackedFixedWidth<T extends Settable<T>>(
  type: TypedArrayType<T>,
  reader: ProtoReader,
  tag: number,
  before: T,
  end: number,
): T {
  const size = type.BYTES_PER_ELEMENT;
  const starts: number[] = [];
  do {
    starts.push(reader.position);
    if (reader.position + size > end) throw malformed('it ends in the middle of a field');
    reader.position += size;
  } while (nextIs(reader, tag, end));
  const values = new Uint8Array(starts.length * size);
  starts.forEach((start, index) => values.set(reader.buffer.subarray(start, start + size), index * size));
  return concat(type, before, new type(values.buffer, 0, starts.length));
}

export const repeatedInt32s: Repeated<Int32Array> = (reader, tag, before, end) => {
  const count = varintCount(reader, tag, end);
  const values = new Int32Array(count);
  eachVarint(reader, tag, count, (index) => (values[index] = reader.int32()));
  return concat(Int32Array, before, values);
};

export const repeatedUint32s: Repeated<Uint32Array> = (reader, tag, before, end) => {
  const count = varintCount(reader, tag, end);
  const values = new Uint32Array(count);
  eachVarint(reader, tag, count, (index) => (values[index] = reader.uint32()));
  return concat(Uint32Array, before, values);
};

/** One byte an element, 0 or 1. */
export const repeatedBools: Repeated<Uint8Array> = (reader, tag, before, end) => {
  const count = varintCount(reader, tag, end);
  const values = new Uint8Array(count);
  eachVarint(reader, tag, count, (index) => (values[index] = reader.bool() ? 1 : 0));
  return concat(Uint8Array, before, values);
};

export const repeatedInt64s: Repeated<BigInt64Array> = (reader, tag, before, end) =>
  concat(BigInt64Array, before, new BigInt64Array(varint64Words(reader, tag, end).buffer));
export const repeatedUint64s: Repeated<BigUint64Array> = (reader, tag, before, end) =>
  concat(BigUint64Array, before, new BigUint64Array(varint64Words(reader, tag, end).buffer));

/** Low and high words of each varint: no bigint is made on the way. */
function varint64Words(reader: ProtoReader, tag: number, end: number): Int32Array<ArrayBuffer> {
  const count = varintCount(reader, tag, end);
  const words = new Int32Array(count * 2);
  const { buffer } = reader;
  eachVarint(reader, tag, count, (index) => {
    let low = 0;
    let high = 0;
    let shift = 0;
    for (; shift < 70; shift += 7) {
      const byte = buffer[reader.position++];
      if (byte === undefined) throw malformed('it ends in the middle of a field');
      const bits = byte & 0x7f;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high = bits >>> 4;
      } else high |= bits << (shift - 32);
      if (byte < 0x80) break;
    }
    if (shift === 70) throw malformed('a number has more than 10 bytes');
    words[2 * index] = low;
    words[2 * index + 1] = high;
  });
  return words;
}

/** How many varints follow: in the packed block (whose length it reads), or as consecutive single fields. Leaves the reader at the first. */
function varintCount(reader: ProtoReader, tag: number, end: number): number {
  const { buffer } = reader;
  let count = 0;
  if ((tag & 7) === LENGTH_DELIMITED) {
    const packedEnd = reader.lengthEnd();
    for (let at = reader.position; at < packedEnd; at++) if (buffer[at]! < 0x80) count++;
    if (packedEnd > reader.position && buffer[packedEnd - 1]! >= 0x80) {
      throw malformed('a packed block ends in the middle of a number');
    }
    return count;
  }
  const start = reader.position;
  do {
    reader.uint64();
    count++;
  } while (nextIs(reader, tag, end));
  reader.position = start;
  return count;
}

function eachVarint(reader: ProtoReader, tag: number, count: number, read: (index: number) => void): void {
  const packed = (tag & 7) === LENGTH_DELIMITED;
  for (let index = 0; index < count; index++) {
    if (!packed && index > 0) reader.uint32();
    read(index);
  }
}

/** Strings or bytes as one block, copied once. */
export const repeatedByteRows: Repeated<ByteRows> = (reader, tag, before, end) => {
  const start = reader.position;
  let count = 0;
  let size = 0;
  do {
    const valueEnd = reader.lengthEnd();
    size += valueEnd - reader.position;
    reader.position = valueEnd;
    count++;
  } while (nextIs(reader, tag, end));
  reader.position = start;
  const offsets = new Int32Array(count + 1);
  const bytes = new Uint8Array(size);
  for (let index = 0; index < count; index++) {
    if (index > 0) reader.uint32();
    const valueEnd = reader.lengthEnd();
    copyBytes(reader.buffer, reader.position, valueEnd, bytes, offsets[index]!);
    offsets[index + 1] = offsets[index]! + valueEnd - reader.position;
    reader.position = valueEnd;
  }
  return concatByteRows(before, { offsets, bytes });
};

const SHORT_COPY_BYTES = 32;

export function copyBytes(
  source: Uint8Array,
  from: number,
  to: number,
  target: Uint8Array,
  at: number,
): void {
  if (to - from > SHORT_COPY_BYTES) target.set(source.subarray(from, to), at);
  else for (let index = from; index < to; index++) target[at++] = source[index]!;
}

/** Consumes the next tag when it is the same field again. */
function nextIs(reader: ProtoReader, tag: number, end: number): boolean {
  if (reader.position >= end) return false;
  const before = reader.position;
  if (reader.uint32() === tag) return true;
  reader.position = before;
  return false;
}

function concat<T extends Settable<T>>(type: TypedArrayType<T>, before: T, values: T): T {
  if (before.length === 0) return values;
  const joined = new type(before.length + values.length);
  joined.set(before, 0);
  joined.set(values, before.length);
  return joined;
}

export const NO_BOOLS = new Uint8Array(0);
export const NO_INT32S = new Int32Array(0);
export const NO_UINT32S = new Uint32Array(0);
export const NO_INT64S = new BigInt64Array(0);
export const NO_UINT64S = new BigUint64Array(0);
export const NO_FLOATS = new Float32Array(0);
export const NO_DOUBLES = new Float64Array(0);
