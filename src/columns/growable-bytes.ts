/** Bytes that grow at the end by doubling. What was handed out as a view keeps its content: growing moves, it never rewrites. */
export class GrowableBytes {
  #bytes: Uint8Array<ArrayBuffer>;
  #length = 0;

  constructor(capacityBytes: number) {
    this.#bytes = new Uint8Array(capacityBytes);
  }

  /** Capacity included; the length is `length`. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes;
  }

  get length(): number {
    return this.#length;
  }

  get capacity(): number {
    return this.#bytes.byteLength;
  }

  /** Lengthens by `count` zero bytes and returns where they start. */
  extend(count: number): number {
    const start = this.#length;
    const needed = start + count;
    if (needed > this.#bytes.byteLength) {
      const grown = new Uint8Array(Math.max(needed, this.#bytes.byteLength * 2, 64));
      grown.set(this.#bytes.subarray(0, start));
      this.#bytes = grown;
    }
    this.#length = needed;
    return start;
  }
}
