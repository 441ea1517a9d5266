import { hasOnes, intersect, setRows } from './bitmaps.ts';
import { fieldColumn } from './field-column.ts';
import type { BoundFilter } from './filter-cache.ts';
import type { ReadSource } from './read-source.ts';
import { WeightedCache } from './weighted-cache.ts';
import {
  bitAt,
  compareKeys,
  countOnes,
  lowerBound,
  newBitmap,
  setBit,
  type Column,
  type PrimaryKeyColumn,
} from '../columns/index.ts';
import { evaluateFilter } from '../filter/index.ts';

/** The rows of a source that a request may return: a bitmap (null = all), or, where they are few, their ascending numbers. */
export type RowSelection =
  | { readonly kind: 'bitmap'; readonly bitmap: Uint8Array | null }
  | { readonly kind: 'rows'; readonly rows: readonly number[] };

/** Memory of a kept result beside its bits. */
const ENTRY_BYTES = 128;

/** Applies filters to sources and keeps the results on sealed segments, which never change but for their deletes. */
export class RowSelector {
  readonly #bitmaps: WeightedCache<Uint8Array>;

  constructor(bitmapBytesMax: number) {
    this.#bitmaps = new WeightedCache(bitmapBytesMax);
  }

  async select(source: ReadSource, filter: BoundFilter | null): Promise<RowSelection> {
    if (filter === null) return { kind: 'bitmap', bitmap: source.visible };
    if (filter.keys !== null && source.slot !== null)
      return { kind: 'rows', rows: rowsOfKeys(source, filter.keys) };
    const passing = await this.#passing(source, filter);
    return { kind: 'bitmap', bitmap: intersect(passing, source.visible) };
  }

  async #passing(source: ReadSource, filter: BoundFilter): Promise<Uint8Array> {
    if (source.slot === null) return await evaluate(source, filter);
    const cacheKey = `${source.slot.id} ${filter.id}`;
    const kept = this.#bitmaps.get(cacheKey);
    if (kept !== undefined) return kept;
    const passing = await evaluate(source, filter);
    this.#bitmaps.set(cacheKey, passing, passing.byteLength + ENTRY_BYTES);
    return passing;
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

async function evaluate(source: ReadSource, filter: BoundFilter): Promise<Uint8Array> {
  const columns = new Map<number, Column>();
  for (const field of filter.fields) columns.set(field.id, await fieldColumn(source, field));
  return evaluateFilter(filter.plan, { column: (id) => columns.get(id) ?? null }, source.rowCount);
}

/** Rows of a sealed segment, whose keys ascend, that have one of the ascending `wanted` keys and count. */
function rowsOfKeys(source: ReadSource, wanted: PrimaryKeyColumn): number[] {
  const { keys, visible } = source;
  const rows: number[] = [];
  let from = 0;
  for (let index = 0; index < wanted.length; index++) {
    from = lowerBound(keys, wanted, index, from);
    for (; from < keys.length && compareKeys(keys, from, wanted, index) === 0; from++) {
      if (visible === null || bitAt(visible, from)) rows.push(from);
    }
  }
  return rows;
}
