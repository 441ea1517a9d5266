import { HEADER_BYTES, readHeader, type Frame, type FrameHeader } from './frame.ts';

const NOTHING = Buffer.alloc(0);

/**
 * Cuts a byte stream into frames. A frame that lies whole and aligned in one chunk is a view of the chunk; any other is put
 * together in one allocation of its size. Throws `CORRUPT_DATA` on the first malformed header and is unusable afterwards.
 */
export class FrameDecoder {
  readonly #frameBytesMax: number;
  readonly #waiting: Buffer[] = [];
  readonly #partialHeader = Buffer.alloc(HEADER_BYTES);
  #chunk: Buffer = NOTHING;
  #position = 0;
  #headerFilled = 0;
  #header: FrameHeader | null = null;
  #body: Uint8Array = NOTHING;
  #bodyFilled = 0;

  constructor(frameBytesMax: number) {
    this.#frameBytesMax = frameBytesMax;
  }

  /** The chunk must not be written to afterwards: frames may be views of it. */
  feed(chunk: Buffer): void {
    this.#waiting.push(chunk);
  }

  /** The next whole frame, or null when more bytes are needed. */
  next(): Frame | null {
    for (;;) {
      const frame = this.#header === null ? this.#begin() : this.#continue(this.#header);
      if (frame !== null) return frame;
      if (this.#position < this.#chunk.byteLength) continue;
      const chunk = this.#waiting.shift();
      if (chunk === undefined) return null;
      this.#chunk = chunk;
      this.#position = 0;
    }
  }

  #begin(): Frame | null {
    const header = this.#readHeader();
    if (header === null) return null;
    const start = this.#chunk.byteOffset + this.#position;
    const available = this.#chunk.byteLength - this.#position;
    if (available >= header.bodyBytes && start % 8 === 0) {
      this.#position += header.bodyBytes;
      return withBody(header, new Uint8Array(this.#chunk.buffer, start, header.bodyBytes));
    }
    this.#header = header;
    this.#body = new Uint8Array(Buffer.allocUnsafeSlow(header.bodyBytes).buffer);
    this.#bodyFilled = 0;
    return this.#continue(header);
  }

  #readHeader(): FrameHeader | null {
    const available = this.#chunk.byteLength - this.#position;
    if (this.#headerFilled === 0 && available >= HEADER_BYTES) {
      const header = readHeader(this.#chunk, this.#position, this.#frameBytesMax);
      this.#position += HEADER_BYTES;
      return header;
    }
    const copied = this.#chunk.copy(this.#partialHeader, this.#headerFilled, this.#position);
    this.#position += copied;
    this.#headerFilled += copied;
    if (this.#headerFilled < HEADER_BYTES) return null;
    this.#headerFilled = 0;
    return readHeader(this.#partialHeader, 0, this.#frameBytesMax);
  }

  #continue(header: FrameHeader): Frame | null {
    const end = Math.min(this.#chunk.byteLength, this.#position + this.#body.byteLength - this.#bodyFilled);
    this.#body.set(this.#chunk.subarray(this.#position, end), this.#bodyFilled);
    this.#bodyFilled += end - this.#position;
    this.#position = end;
    if (this.#bodyFilled < this.#body.byteLength) return null;
    const frame = withBody(header, this.#body);
    this.#header = null;
    this.#body = NOTHING;
    return frame;
  }
}

function withBody(header: FrameHeader, body: Uint8Array): Frame {
  const { kind, bodyBytes, metaBytes, callId, timeoutMs } = header;
  return { kind, bodyBytes, metaBytes, callId, timeoutMs, body };
}
