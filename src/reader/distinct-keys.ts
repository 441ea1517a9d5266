import { compareKeys, hashKey, type PrimaryKeyColumn } from '../columns/index.ts';

/** Finds repeated keys within one query after another, with one table for all of them. */
export class DistinctKeys {
  readonly #keys: PrimaryKeyColumn;
  readonly #mask: number;
  /** The row of each key. A slot counts only when its round is the present one; rounds begin at 1. */
  readonly #slots: Int32Array;
  readonly #rounds: Int32Array;
  #round = 1;

  /** For rounds of up to `rowsMax` rows of `keys`. */
  constructor(keys: PrimaryKeyColumn, rowsMax: number) {
    const size = 2 ** Math.ceil(Math.log2(Math.max(8, rowsMax * 2)));
    this.#keys = keys;
    this.#mask = size - 1;
    this.#slots = new Int32Array(size);
    this.#rounds = new Int32Array(size);
  }

  /** Forgets all keys. */
  nextRound(): void {
    this.#round++;
  }

  /** False when the key of `row` came before in this round. */
  add(row: number): boolean {
    let slot = hashKey(this.#keys, row) & this.#mask;
    for (; this.#rounds[slot] === this.#round; slot = (slot + 1) & this.#mask) {
      if (compareKeys(this.#keys, this.#slots[slot]!, this.#keys, row) === 0) return false;
    }
    this.#rounds[slot] = this.#round;
    this.#slots[slot] = row;
    return true;
  }
}
