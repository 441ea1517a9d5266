import { bitAt, compareKeys, type PrimaryKeyColumn } from '../../columns/index.ts';

/** Rows to be merged, by primary key ascending, then timestamp. */
export interface OrderedRows {
  readonly keys: PrimaryKeyColumn;
  readonly timestamps: BigUint64Array;
  /** Bitmap of the rows that are taken; null = all. */
  alive(): Uint8Array | null;
}

/** The next rows of the result: which rows of which sources they come from. */
export interface MergePiece {
  /** Rows [from, to) of each source that has some here. */
  readonly parts: readonly { readonly source: number; readonly from: number; readonly to: number }[];
  /** For each row of the piece its place in the parts one after another. */
  readonly order: Uint32Array;
  /** One for each row. */
  readonly timestamps: BigUint64Array;
}

/**
 * Merges sorted sources by key, then timestamp, then source, in pieces of `pieceRows`, so that the caller may pause in between.
 * Rows that are not alive or older than `livingSince` are left out.
 */
export function* mergeOrder(
  sources: readonly OrderedRows[],
  livingSince: bigint,
  pieceRows: number,
): Generator<MergePiece, void, undefined> {
  const heap = new CursorHeap(sources.map((rows, source) => new Cursor(rows, source, livingSince)));
  while (heap.top !== null) {
    const from = new Map<number, number>();
    const to = new Map<number, number>();
    const sourceOf = new Uint32Array(pieceRows);
    const rowOf = new Uint32Array(pieceRows);
    const timestamps = new BigUint64Array(pieceRows);
    let count = 0;
    for (let top: Cursor | null; count < pieceRows && (top = heap.top) !== null; count++) {
      if (!from.has(top.source)) from.set(top.source, top.row);
      to.set(top.source, top.row + 1);
      sourceOf[count] = top.source;
      rowOf[count] = top.row;
      timestamps[count] = top.timestamp;
      heap.advance();
    }
    const starts = new Map<number, number>();
    let start = 0;
    for (const [source, first] of from) {
      // A row's place in the parts is its number plus this.
      starts.set(source, start - first);
      start += to.get(source)! - first;
    }
    const order = new Uint32Array(count);
    for (let index = 0; index < count; index++) {
      order[index] = starts.get(sourceOf[index]!)! + rowOf[index]!;
    }
    const parts = [...from].map(([source, first]) => ({ source, from: first, to: to.get(source)! }));
    yield { parts, order, timestamps: timestamps.subarray(0, count) };
  }
}

/** Where the merge is in one source. */
class Cursor {
  readonly source: number;
  readonly #keys: PrimaryKeyColumn;
  readonly #timestamps: BigUint64Array;
  readonly #alive: Uint8Array | null;
  readonly #livingSince: bigint;
  row = -1;

  constructor(rows: OrderedRows, source: number, livingSince: bigint) {
    this.source = source;
    this.#keys = rows.keys;
    this.#timestamps = rows.timestamps;
    this.#alive = rows.alive();
    this.#livingSince = livingSince;
  }

  get timestamp(): bigint {
    return this.#timestamps[this.row]!;
  }

  /** To the next row that is taken; false = there is none. */
  advance(): boolean {
    for (this.row++; this.row < this.#keys.length; this.row++) {
      if (this.#alive !== null && !bitAt(this.#alive, this.row)) continue;
      if (this.timestamp >= this.#livingSince) return true;
    }
    return false;
  }

  isBefore(other: Cursor): boolean {
    const order = compareKeys(this.#keys, this.row, other.#keys, other.row);
    if (order !== 0) return order < 0;
    const [mine, others] = [this.timestamp, other.timestamp];
    return mine === others ? this.source < other.source : mine < others;
  }
}

/** The cursors that have a row, the one with the least on top. */
class CursorHeap {
  readonly #cursors: Cursor[];

  constructor(cursors: readonly Cursor[]) {
    this.#cursors = cursors.filter((cursor) => cursor.advance());
    for (let index = (this.#cursors.length >> 1) - 1; index >= 0; index--) this.#sink(index);
  }

  get top(): Cursor | null {
    return this.#cursors[0] ?? null;
  }

  /** Moves the top cursor on. */
  advance(): void {
    const cursors = this.#cursors;
    if (!cursors[0]!.advance()) {
      const last = cursors.pop()!;
      if (cursors.length === 0) return;
      cursors[0] = last;
    }
    this.#sink(0);
  }

  #sink(start: number): void {
    const cursors = this.#cursors;
    const cursor = cursors[start]!;
    let index = start;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= cursors.length) break;
      if (child + 1 < cursors.length && cursors[child + 1]!.isBefore(cursors[child]!)) child++;
      if (!cursors[child]!.isBefore(cursor)) break;
      cursors[index] = cursors[child]!;
      index = child;
    }
    cursors[index] = cursor;
  }
}
