import { slotCount } from './bytes-set.ts';

/** Up to this spread of values a bit stands for each: 128 KiB, and the fastest answer. */
const SPREAD_MAX = 2 ** 20;
const FREE = 0;
const TAKEN = 1;

/** An immutable set of integers within 32 bits. */
export class IntegerSet {
  readonly #values: readonly number[];
  readonly #low: number;
  /** A bit for every integer from `#low` on, or null when the values lie too far apart. */
  readonly #bits: Uint8Array | null;
  /** Open addressing otherwise, never more than half full. */
  readonly #slots: Int32Array;
  readonly #states: Uint8Array;

  constructor(values: Iterable<number>) {
    this.#values = [...new Set(values)];
    let [low, high] = [0, 0];
    if (this.#values.length > 0) {
      low = this.#values.reduce((least, value) => Math.min(least, value));
      high = this.#values.reduce((most, value) => Math.max(most, value));
    }
    this.#low = low;
    const isDense = high - low < SPREAD_MAX;
    this.#bits = isDense ? new Uint8Array(((high - low) >>> 3) + 1) : null;
    this.#slots = new Int32Array(isDense ? 1 : slotCount(this.#values.length));
    this.#states = new Uint8Array(this.#slots.length);
    for (const value of this.#values) this.#insert(value);
  }

  get size(): number {
    return this.#values.length;
  }

  /** In the order they were given, each once. */
  values(): readonly number[] {
    return this.#values;
  }

  has(value: number): boolean {
    if (this.#bits !== null) {
      const place = value - this.#low;
      return place >= 0 && ((this.#bits[place >>> 3]! >>> (place & 7)) & 1) === 1;
    }
    const mask = this.#slots.length - 1;
    for (let slot = hash(value) & mask; this.#states[slot] === TAKEN; slot = (slot + 1) & mask) {
      if (this.#slots[slot] === value) return true;
    }
    return false;
  }

  #insert(value: number): void {
    if (this.#bits !== null) {
      const place = value - this.#low;
      this.#bits[place >>> 3]! |= 1 << (place & 7);
      return;
    }
    const mask = this.#slots.length - 1;
    let slot = hash(value) & mask;
    while (this.#states[slot] !== FREE) slot = (slot + 1) & mask;
    this.#slots[slot] = value;
    this.#states[slot] = TAKEN;
  }
}

function hash(value: number): number {
  const mixed = Math.imul(value ^ (value >>> 16), 0x45d9f3b);
  return mixed ^ (mixed >>> 15);
}
