import { compareKeys, sortedRows, takeColumn, type PrimaryKeyColumn } from '../columns/index.ts';
import type { ReadSource } from './read-source.ts';
import { selectedRows, type RowSelection } from './row-selector.ts';
import type { RowRefs } from './row-refs.ts';

/** The chosen rows of one source, ascending by key, then timestamp. */
interface Cursor {
  readonly source: number;
  readonly keys: PrimaryKeyColumn;
  readonly timestamps: BigUint64Array;
  readonly rest: Iterator<number>;
  row: number;
}

/**
 * The first `limit` keys (null = all) of the chosen rows of all sources, ascending, each with its newest row. Work is in
 * proportion to the rows looked at: sealed segments are sorted already, fresh rows are sorted first.
 */
export function firstByKey(
  sources: readonly ReadSource[],
  selections: readonly RowSelection[],
  limit: number | null,
): RowRefs {
  const heap = new CursorHeap();
  sources.forEach((source, index) => {
    const cursor = openCursor(source, selections[index]!, index);
    if (cursor !== null) heap.push(cursor);
  });
  const picked: { source: number; row: number }[] = [];
  while (heap.first !== undefined && (limit === null || picked.length < limit)) {
    picked.push(takeNewest(heap));
  }
  return {
    sources: Uint32Array.from(picked, ({ source }) => source),
    rows: Uint32Array.from(picked, ({ row }) => row),
  };
}

/** Takes all rows with the lowest key off the heap and gives the newest of them. */
function takeNewest(heap: CursorHeap): { source: number; row: number } {
  const lowest = heap.first!;
  const { keys, row: lowestRow } = lowest;
  let newest = { source: lowest.source, row: lowest.row, timestamp: lowest.timestamps[lowest.row]! };
  for (let cursor = heap.first; cursor !== undefined; cursor = heap.first) {
    if (compareKeys(cursor.keys, cursor.row, keys, lowestRow) !== 0) break;
    const timestamp = cursor.timestamps[cursor.row]!;
    if (timestamp >= newest.timestamp) newest = { source: cursor.source, row: cursor.row, timestamp };
    heap.advanceFirst();
  }
  return newest;
}

function openCursor(source: ReadSource, selection: RowSelection, index: number): Cursor | null {
  const chosen = selectedRows(selection, source.rowCount);
  const rest = source.slot === null ? sorted(source, Uint32Array.from(chosen)) : chosen;
  const first = rest.next();
  if (first.done === true) return null;
  return { source: index, keys: source.keys, timestamps: source.timestamps, rest, row: first.value };
}

/** Fresh rows are in order of arrival. */
function sorted({ keys, timestamps }: ReadSource, rows: Uint32Array): Iterator<number> {
  if (rows.length <= 1) return rows.values();
  const order = sortedRows(
    takeColumn(keys, rows) as PrimaryKeyColumn,
    BigUint64Array.from(rows, (row) => timestamps[row]!),
  );
  return order.map((index) => rows[index]!).values();
}

/** Cursors by the key they stand at; equal keys by source, so that the order of ties is fixed. */
class CursorHeap {
  readonly #cursors: Cursor[] = [];

  get first(): Cursor | undefined {
    return this.#cursors[0];
  }

  push(cursor: Cursor): void {
    let index = this.#cursors.push(cursor) - 1;
    while (index > 0) {
      const parent = (index - 1) >>> 1;
      if (!this.#isBelow(index, parent)) return;
      this.#swap(index, parent);
      index = parent;
    }
  }

  /** Moves the first cursor on, and takes it away at its end. */
  advanceFirst(): void {
    const first = this.#cursors[0]!;
    const next = first.rest.next();
    if (next.done === true) {
      const last = this.#cursors.pop()!;
      if (this.#cursors.length === 0) return;
      this.#cursors[0] = last;
    } else {
      first.row = next.value;
    }
    this.#sink();
  }

  #sink(): void {
    for (let index = 0; ;) {
      let lowest = index;
      for (const child of [2 * index + 1, 2 * index + 2]) {
        if (child < this.#cursors.length && this.#isBelow(child, lowest)) lowest = child;
      }
      if (lowest === index) return;
      this.#swap(index, lowest);
      index = lowest;
    }
  }

  #isBelow(a: number, b: number): boolean {
    const [left, right] = [this.#cursors[a]!, this.#cursors[b]!];
    const order = compareKeys(left.keys, left.row, right.keys, right.row);
    return order < 0 || (order === 0 && left.source < right.source);
  }

  #swap(a: number, b: number): void {
    [this.#cursors[a], this.#cursors[b]] = [this.#cursors[b]!, this.#cursors[a]!];
  }
}
