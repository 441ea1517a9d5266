import { hasOnes, setRows } from './bitmaps.ts';
import type { BoundFilter } from './filter-cache.ts';
import type { FilterResults } from './filter-results.ts';
import type { ReadSource } from './read-source.ts';
import {
  bitAt,
  compareKeys,
  countOnes,
  lowerBound,
  newBitmap,
  setBit,
  type PrimaryKeyColumn,
} from '../columns/index.ts';

/** The rows of a source that a request may return: a bitmap (null = all), or, where they are few, their ascending numbers. */
export type RowSelection =
  | { readonly kind: 'bitmap'; readonly bitmap: Uint8Array | null }
  | { readonly kind: 'rows'; readonly rows: readonly number[] };

/** Applies filters to sources. */
export class RowSelector {
  readonly #results: FilterResults;

  constructor(results: FilterResults) {
    this.#results = results;
  }

  async select(source: ReadSource, filter: BoundFilter | null): Promise<RowSelection> {
    if (filter === null) return { kind: 'bitmap', bitmap: source.visible };
    if (filter.keys !== null) return { kind: 'rows', rows: rowsOfKeys(source, filter.keys) };
    return { kind: 'bitmap', bitmap: await this.#results.rows(source, filter) };
  }
}

/** The bitmap form, for the kernel; null = all rows. */
export function selectionBitmap(selection: RowSelection, rowCount: number): Uint8Array | null {
  if (selection.kind === 'bitmap') return selection.bitmap;
  const bitmap = newBitmap(rowCount, 0);
  for (const row of selection.rows) setBit(bitmap, row);
  return bitmap;
}

export function isEmptySelection(selection: RowSelection, rowCount: number): boolean {
  if (selection.kind === 'rows') return selection.rows.length === 0;
  return rowCount === 0 || (selection.bitmap !== null && !hasOnes(selection.bitmap));
}

export function selectedCount(selection: RowSelection, rowCount: number): number {
  if (selection.kind === 'rows') return selection.rows.length;
  return selection.bitmap === null ? rowCount : countOnes(selection.bitmap);
}

/** Ascending. */
export function* selectedRows(selection: RowSelection, rowCount: number): Generator<number> {
  if (selection.kind === 'rows') yield* selection.rows;
  else if (selection.bitmap !== null) yield* setRows(selection.bitmap, rowCount);
  else for (let row = 0; row < rowCount; row++) yield row;
}

/** Rows with one of the ascending `wanted` keys that count. */
function rowsOfKeys(source: ReadSource, wanted: PrimaryKeyColumn): readonly number[] {
  const { block, visible } = source;
  const rows = block === null ? sortedRowsOfKeys(source.keys, wanted) : block.rowsOfKeys(wanted);
  return visible === null ? rows : rows.filter((row) => bitAt(visible, row));
}

/** In a sealed segment, whose keys ascend. */
function sortedRowsOfKeys(keys: PrimaryKeyColumn, wanted: PrimaryKeyColumn): readonly number[] {
  const rows: number[] = [];
  let from = 0;
  for (let index = 0; index < wanted.length; index++) {
    from = lowerBound(keys, wanted, index, from);
    for (; from < keys.length && compareKeys(keys, from, wanted, index) === 0; from++) rows.push(from);
  }
  return rows;
}
