import { slotCount } from './bytes-set.ts';

const EMPTY = -1;

/** An immutable set of 64-bit integers, asked with the two halves of a value, so that no `bigint` is made a row. */
export class Int64Set {
  readonly #values: BigInt64Array;
  readonly #halves: Int32Array;
  /** Open addressing over indexes of values; never more than half full. */
  readonly #slots: Int32Array;

  constructor(values: Iterable<bigint>) {
    this.#values = BigInt64Array.from(new Set(values));
    this.#halves = new Int32Array(this.#values.buffer);
    this.#slots = new Int32Array(slotCount(this.#values.length)).fill(EMPTY);
    for (let index = 0; index < this.#values.length; index++) this.#insert(index);
  }

  get size(): number {
    return this.#values.length;
  }

  /** In the order they were given, each once. */
  values(): bigint[] {
    return [...this.#values];
  }

  /** `low` and `high`: the value's halves as signed 32-bit integers. */
  has(low: number, high: number): boolean {
    const mask = this.#slots.length - 1;
    for (let slot = hash(low, high) & mask; ; slot = (slot + 1) & mask) {
      const index = this.#slots[slot]!;
      if (index === EMPTY) return false;
      if (this.#halves[2 * index] === low && this.#halves[2 * index + 1] === high) return true;
    }
  }

  #insert(index: number): void {
    const mask = this.#slots.length - 1;
    let slot = hash(this.#halves[2 * index]!, this.#halves[2 * index + 1]!) & mask;
    while (this.#slots[slot] !== EMPTY) slot = (slot + 1) & mask;
    this.#slots[slot] = index;
  }
}

function hash(low: number, high: number): number {
  let mixed = Math.imul(low, 0x85ebca6b) ^ Math.imul(high, 0xc2b2ae35);
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x27d4eb2f);
  return mixed ^ (mixed >>> 15);
}
