import type { PrimaryKeyColumn } from './column.ts';
import { hashKey } from './key-hash.ts';
import { compareKeys } from './primary-keys.ts';
import { assert } from '../util/assert.ts';

/** Finds the rows of a key in a column that grows: a hash table of row numbers, the keys stay in the column. */
export class KeyIndex {
  #keys: PrimaryKeyColumn;
  /** Newest row of a key, plus 1; 0 is free. Open addressing, at most half full. */
  #slots = new Int32Array(16);
  /** For each row the next older row of the same key, or -1. */
  #older = new Int32Array(8);
  #hashes = new Uint32Array(8);
  #rowCount = 0;
  #keyCount = 0;

  constructor(keys: PrimaryKeyColumn) {
    this.#keys = keys;
    this.extend(keys);
  }

  get rowCount(): number {
    return this.#rowCount;
  }

  /** Different keys. */
  get keyCount(): number {
    return this.#keyCount;
  }

  get sizeBytes(): number {
    return this.#slots.byteLength + this.#older.byteLength + this.#hashes.byteLength;
  }

  /** Indexes what `keys` has more than before. Its first rows are those of the column given before. */
  extend(keys: PrimaryKeyColumn): void {
    assert(keys.length >= this.#rowCount, 'an indexed column only grows');
    this.#keys = keys;
    this.#reserve(keys.length);
    for (; this.#rowCount < keys.length; this.#rowCount++) this.#insert(this.#rowCount);
  }

  /** The newest row with key `row` of `keys`, or -1. */
  newest(keys: PrimaryKeyColumn, row: number): number {
    return this.#slots[this.#slotOf(hashKey(keys, row), keys, row)]! - 1;
  }

  /** The next older row with the same key as `row` of the indexed column, or -1. */
  older(row: number): number {
    return this.#older[row]!;
  }

  #insert(row: number): void {
    const hash = hashKey(this.#keys, row);
    const slot = this.#slotOf(hash, this.#keys, row);
    const newest = this.#slots[slot]! - 1;
    if (newest < 0) this.#keyCount++;
    this.#older[row] = newest;
    this.#hashes[row] = hash;
    this.#slots[slot] = row + 1;
  }

  #slotOf(hash: number, keys: PrimaryKeyColumn, row: number): number {
    const mask = this.#slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const found = this.#slots[slot]! - 1;
      if (found < 0) return slot;
      if (this.#hashes[found] === hash && compareKeys(this.#keys, found, keys, row) === 0) return slot;
    }
  }

  #reserve(rowCount: number): void {
    if (rowCount <= this.#older.length) return;
    const capacity = 2 ** Math.ceil(Math.log2(rowCount));
    this.#older = grown(this.#older, new Int32Array(capacity));
    this.#hashes = grown(this.#hashes, new Uint32Array(capacity));
    const slots = this.#slots;
    this.#slots = new Int32Array(capacity * 2);
    const mask = this.#slots.length - 1;
    for (const entry of slots) {
      if (entry === 0) continue;
      let slot = this.#hashes[entry - 1]! & mask;
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
      this.#slots[slot] = entry;
    }
  }
}

function grown<T extends Int32Array | Uint32Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
