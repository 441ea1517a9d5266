import type { ByteRows } from './byte-rows.ts';

const INITIAL_BYTES = 1024;
const SHORT_TEXT_UNITS = 32;
const encoder = new TextEncoder();

/**
 * Writes the protobuf wire format from its end to its start, so that the length of a nested message is known when it is
 * needed and nothing is measured twice. Fields must therefore be written in descending order, elements last to first.
 */
export class ProtoWriter {
  #buffer: Uint8Array<ArrayBuffer>;
  #start: number;

  constructor(expectedBytes = INITIAL_BYTES) {
    this.#buffer = new Uint8Array(Math.max(expectedBytes, 16));
    this.#start = this.#buffer.length;
  }

  /** What was written. The writer must not be used after. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.#buffer.subarray(this.#start);
  }

  /** Bytes written so far. */
  get size(): number {
    return this.#buffer.length - this.#start;
  }

  /** Ends (that is, starts) the length-delimited field whose content was written since `sizeBefore`. */
  closeField(tag: number, sizeBefore: number): void {
    this.varint(this.size - sizeBefore);
    this.varint(tag);
  }

  /** An unsigned 32-bit number. */
  varint(value: number): void {
    const at = this.#reserve(varintBytes(value));
    this.#putVarint(at, value >>> 0);
  }

  varint64(value: bigint): void {
    this.#varintWords(Number(BigInt.asUintN(32, value)), Number(BigInt.asUintN(32, value >> 32n)));
  }

  uint32Field(tag: number, value: number): void {
    this.varint(value);
    this.varint(tag);
  }

  /** Negative numbers take 10 bytes, as protobuf demands. */
  int32Field(tag: number, value: number): void {
    this.#int32(value);
    this.varint(tag);
  }

  uint64Field(tag: number, value: bigint): void {
    this.varint64(value);
    this.varint(tag);
  }

  int64Field(tag: number, value: bigint): void {
    this.varint64(value);
    this.varint(tag);
  }

  boolField(tag: number, value: boolean): void {
    this.varint(value ? 1 : 0);
    this.varint(tag);
  }

  floatField(tag: number, value: number): void {
    const at = this.#reserve(4);
    new DataView(this.#buffer.buffer).setFloat32(at, value, true);
    this.varint(tag);
  }

  doubleField(tag: number, value: number): void {
    const at = this.#reserve(8);
    new DataView(this.#buffer.buffer).setFloat64(at, value, true);
    this.varint(tag);
  }

  stringField(tag: number, value: string): void {
    if (value.length > SHORT_TEXT_UNITS || !isAscii(value)) {
      this.bytesField(tag, encoder.encode(value));
      return;
    }
    const at = this.#reserve(value.length);
    for (let index = 0; index < value.length; index++) this.#buffer[at + index] = value.charCodeAt(index);
    this.varint(value.length);
    this.varint(tag);
  }

  bytesField(tag: number, value: Uint8Array): void {
    // Two steps, because reserving may replace the buffer.
    const at = this.#reserve(value.byteLength);
    this.#buffer.set(value, at);
    this.varint(value.byteLength);
    this.varint(tag);
  }

  stringsField(tag: number, values: readonly string[]): void {
    for (let index = values.length - 1; index >= 0; index--) this.stringField(tag, values[index]!);
  }

  byteStringsField(tag: number, values: readonly Uint8Array[]): void {
    for (let index = values.length - 1; index >= 0; index--) this.bytesField(tag, values[index]!);
  }

  byteRowsField(tag: number, rows: ByteRows): void {
    for (let index = rows.offsets.length - 2; index >= 0; index--) {
      this.bytesField(tag, rows.bytes.subarray(rows.offsets[index]!, rows.offsets[index + 1]!));
    }
  }

  /** Floats and doubles, packed: one copy. */
  packedFixedField(tag: number, values: Float32Array | Float64Array): void {
    if (values.length === 0) return;
    this.bytesField(tag, new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  }

  packedInt32Field(tag: number, values: Int32Array | Int16Array | Int8Array): void {
    this.#packed(tag, values.length, (index) => this.#int32(values[index]!));
  }

  packedUint32Field(tag: number, values: Uint32Array | Uint8Array): void {
    this.#packed(tag, values.length, (index) => this.varint(values[index]!));
  }

  packed64Field(tag: number, values: BigInt64Array | BigUint64Array): void {
    const words = new Uint32Array(values.buffer, values.byteOffset, values.length * 2);
    this.#packed(tag, values.length, (index) => this.#varintWords(words[2 * index]!, words[2 * index + 1]!));
  }

  #packed(tag: number, count: number, write: (index: number) => void): void {
    if (count === 0) return;
    const before = this.size;
    for (let index = count - 1; index >= 0; index--) write(index);
    this.closeField(tag, before);
  }

  #int32(value: number): void {
    if (value >= 0) this.varint(value);
    else this.#varintWords(value >>> 0, 0xffff_ffff);
  }

  #varintWords(low: number, high: number): void {
    if (high === 0) {
      this.varint(low);
      return;
    }
    let bytes = 5;
    for (let rest = high >>> 3; rest !== 0; rest >>>= 7) bytes++;
    let at = this.#reserve(bytes);
    const buffer = this.#buffer;
    for (let shift = 0; shift < 28; shift += 7) buffer[at++] = ((low >>> shift) & 0x7f) | 0x80;
    let rest = high >>> 3;
    buffer[at++] = (low >>> 28) | ((high & 7) << 4) | (rest === 0 ? 0 : 0x80);
    while (rest !== 0) {
      buffer[at++] = (rest & 0x7f) | (rest > 0x7f ? 0x80 : 0);
      rest >>>= 7;
    }
  }

  #putVarint(at: number, value: number): void {
    const buffer = this.#buffer;
    while (value > 0x7f) {
      buffer[at++] = (value & 0x7f) | 0x80;
      value >>>= 7;
    }
    buffer[at] = value;
  }

  /** Makes room before what is written and returns where it begins. */
  #reserve(bytes: number): number {
    if (bytes > this.#start) this.#grow(bytes);
    this.#start -= bytes;
    return this.#start;
  }

  #grow(bytes: number): void {
    const { size } = this;
    const grown = new Uint8Array(Math.max(this.#buffer.length * 2, size + bytes));
    grown.set(this.#buffer.subarray(this.#start), grown.length - size);
    this.#buffer = grown;
    this.#start = grown.length - size;
  }
}

function varintBytes(value: number): number {
  const unsigned = value >>> 0;
  if (unsigned < 0x80) return 1;
  if (unsigned < 0x4000) return 2;
  if (unsigned < 0x20_0000) return 3;
  return unsigned < 0x1000_0000 ? 4 : 5;
}

function isAscii(text: string): boolean {
  for (let index = 0; index < text.length; index++) if (text.charCodeAt(index) >= 0x80) return false;
  return true;
}
