import { MishardsError } from '../../../errors/index.ts';

const NESTING_MAX = 100;
const SHORT_TEXT_BYTES = 32;
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/**
 * Reads the protobuf wire format from one buffer. `bytes` results are views of that buffer. Every method throws
 * `PARAMETER_INVALID` when the buffer ends too early or the encoding is broken, and never reads past `limit`.
 */
export class ProtoReader {
  readonly buffer: Uint8Array;
  readonly #view: DataView;
  position = 0;
  #depth = 0;

  constructor(buffer: Uint8Array) {
    this.buffer = buffer;
    this.#view = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
  }

  /** Lower 32 bits of a varint; the rest, if any, is dropped as protobuf asks. */
  uint32(): number {
    const { buffer } = this;
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = buffer[this.position++];
      if (byte === undefined) throw truncated();
      if (shift < 32) value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
    throw malformed('a number has more than 10 bytes');
  }

  int32(): number {
    return this.uint32() | 0;
  }

  bool(): boolean {
    return this.uint64() !== 0n;
  }

  uint64(): bigint {
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.buffer[this.position++];
      if (byte === undefined) throw truncated();
      const bits = byte & 0x7f;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high = bits >>> 4;
      } else high |= bits << (shift - 32);
      if (byte < 0x80) return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
    }
    throw malformed('a number has more than 10 bytes');
  }

  int64(): bigint {
    return BigInt.asIntN(64, this.uint64());
  }

  float(): number {
    const at = this.#advance(4);
    return this.#view.getFloat32(at, true);
  }

  double(): number {
    const at = this.#advance(8);
    return this.#view.getFloat64(at, true);
  }

  bytes(): Uint8Array {
    const end = this.lengthEnd();
    const start = this.position;
    this.position = end;
    return this.buffer.subarray(start, end);
  }

  string(): string {
    const end = this.lengthEnd();
    const start = this.position;
    this.position = end;
    if (end - start > SHORT_TEXT_BYTES) return decoder.decode(this.buffer.subarray(start, end));
    // Names and keys are short and plain: a call of the decoder costs more than they do.
    let text = '';
    for (let at = start; at < end; at++) {
      const byte = this.buffer[at]!;
      if (byte >= 0x80) return decoder.decode(this.buffer.subarray(start, end));
      text += String.fromCharCode(byte);
    }
    return text;
  }

  /** Reads a length and returns where that many bytes end. */
  lengthEnd(): number {
    const length = this.uint32();
    const end = this.position + length;
    if (end > this.buffer.length) throw truncated();
    return end;
  }

  nested<T>(decode: (reader: ProtoReader, end: number) => T): T {
    const end = this.lengthEnd();
    if (++this.#depth > NESTING_MAX) throw malformed(`it nests deeper than ${NESTING_MAX} levels`);
    const value = decode(this, end);
    this.#depth--;
    if (this.position !== end) throw malformed('a field crosses the end of its message');
    return value;
  }

  /** Skips the field whose tag was just read. */
  skip(tag: number): void {
    const wireType = tag & 7;
    if (tag >>> 3 === 0) throw malformed('a field has the number 0');
    if (wireType === 0) this.uint64();
    else if (wireType === 1) this.#advance(8);
    else if (wireType === 2) this.position = this.lengthEnd();
    else if (wireType === 5) this.#advance(4);
    else if (wireType === 3) this.#skipGroup(tag);
    else throw malformed(`wire type ${wireType} is unknown`);
  }

  #skipGroup(startTag: number): void {
    const endTag = startTag + 1;
    if (++this.#depth > NESTING_MAX) throw malformed(`it nests deeper than ${NESTING_MAX} levels`);
    for (let tag = this.uint32(); tag !== endTag; tag = this.uint32()) this.skip(tag);
    this.#depth--;
  }

  #advance(length: number): number {
    const at = this.position;
    if (at + length > this.buffer.length) throw truncated();
    this.position = at + length;
    return at;
  }
}

function truncated(): MishardsError {
  return malformed('it ends in the middle of a field');
}

export function malformed(reason: string): MishardsError {
  return new MishardsError(
    'PARAMETER_INVALID',
    `the message cannot be decoded: ${reason}; use a client of a supported version`,
  );
}
