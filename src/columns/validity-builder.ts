import { bitAt, bitmapBytes, copyBits, setBit, setBits } from './bitmap.ts';

/** Grows a validity bitmap; holds nothing as long as no row is null. */
export class ValidityBuilder {
  #length = 0;
  #bitmap: Uint8Array<ArrayBuffer> | null = null;

  get length(): number {
    return this.#length;
  }

  get sizeBytes(): number {
    return this.#bitmap?.byteLength ?? 0;
  }

  append(source: Uint8Array | null, from: number, to: number): void {
    const start = this.#grow(to - from, source !== null);
    if (this.#bitmap === null) return;
    if (source === null) setBits(this.#bitmap, start, this.#length);
    else copyBits(source, from, this.#bitmap, start, to - from);
  }

  appendRows(source: Uint8Array | null, rows: Uint32Array): void {
    const start = this.#grow(rows.length, source !== null);
    if (this.#bitmap === null) return;
    if (source === null) return setBits(this.#bitmap, start, this.#length);
    for (let index = 0; index < rows.length; index++) {
      if (bitAt(source, rows[index]!)) setBit(this.#bitmap, start + index);
    }
  }

  appendNulls(count: number): void {
    if (count > 0) this.#grow(count, true);
  }

  /** A copy, because the last byte goes on changing. */
  view(): Uint8Array | null {
    return this.#bitmap?.slice(0, bitmapBytes(this.#length)) ?? null;
  }

  /** Room for `count` more rows, all null; returns where they start. */
  #grow(count: number, mayHaveNulls: boolean): number {
    const start = this.#length;
    this.#length += count;
    if (this.#bitmap === null) {
      if (!mayHaveNulls) return start;
      this.#bitmap = new Uint8Array(bitmapBytes(this.#length));
      setBits(this.#bitmap, 0, start);
    } else if (bitmapBytes(this.#length) > this.#bitmap.byteLength) {
      const grown = new Uint8Array(Math.max(bitmapBytes(this.#length), this.#bitmap.byteLength * 2));
      grown.set(this.#bitmap);
      this.#bitmap = grown;
    }
    return start;
  }
}
