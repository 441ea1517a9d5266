import type { PrimaryKeyColumn } from './column.ts';
import { createColumnBuilder, type ColumnBuilder } from './column-builder.ts';
import { scalarShape } from './column-shape.ts';
import { KeyIndex } from './key-index.ts';

/**
 * Different keys gathered from many columns, numbered from 0 in order of arrival: a set, and with an array by number
 * beside it a map.
 */
export class KeySet {
  readonly #builder: ColumnBuilder;
  readonly #index: KeyIndex;

  constructor(type: PrimaryKeyColumn['type']) {
    this.#builder = createColumnBuilder(scalarShape(type));
    this.#index = new KeyIndex(this.keys());
  }

  get size(): number {
    return this.#builder.length;
  }

  /** The number of key `row` of `keys`; a new one (the former `size`) when it was not in the set. */
  add(keys: PrimaryKeyColumn, row: number): number {
    const found = this.#index.newest(keys, row);
    if (found >= 0) return found;
    this.#builder.append(keys, row, row + 1);
    this.#index.extend(this.keys());
    return this.size - 1;
  }

  /** The number of key `row` of `keys`, or -1. */
  find(keys: PrimaryKeyColumn, row: number): number {
    return this.#index.newest(keys, row);
  }

  /** All keys, by number. */
  keys(): PrimaryKeyColumn {
    return this.#builder.view() as PrimaryKeyColumn;
  }
}
