import { fieldColumn } from './field-column.ts';
import type { BoundFilter } from './filter-cache.ts';
import type { ReadSource } from './read-source.ts';
import { intersect } from './bitmaps.ts';
import { WeightedCache } from './weighted-cache.ts';
import { newBitmap, sliceColumn, type Column } from '../columns/index.ts';
import { evaluateSlice, useIndexes, type FilterPlan } from '../filter/index.ts';
import { Turns, type Host } from '../host/index.ts';

/** Memory of a kept result beside its bits: a small typed array alone takes about 300 bytes, and a result has up to two, with objects and a key. */
const ENTRY_BYTES = 1_024;
/** Rows asked in one go: of JSON, the slowest, some milliseconds. A multiple of 8. */
const SLICE_ROWS = 16_384;
/** How long a filter may keep the event loop at a time. */
const TURN_MS = 4;

/** What a filter says of the first `rowCount` rows of a source. */
interface Result {
  readonly rowCount: number;
  readonly passing: Uint8Array;
  /** The last intersection with the rows that count: the same until a row is deleted. */
  counted: { readonly visible: Uint8Array; readonly rows: Uint8Array } | null;
}

/**
 * Applies filters to sources and keeps the results, by source and filter, within a bound of bytes. Rows never change, so of
 * fresh ones only those are asked that have arrived since. Long work lets others have the event loop in between.
 */
export class FilterResults {
  readonly #host: Pick<Host, 'clock' | 'timers'>;
  readonly #kept: WeightedCache<Result>;
  /** Requests that want the same at once share it. */
  readonly #running = new Map<string, Promise<Result>>();
  readonly #names = new WeakMap<object, number>();
  #nameCount = 0;

  constructor(bytesMax: number, host: Pick<Host, 'clock' | 'timers'>) {
    this.#host = host;
    this.#kept = new WeightedCache(bytesMax);
  }

  /** Bitmap of the rows that count and pass. Not to be written. */
  async rows(source: ReadSource, filter: BoundFilter): Promise<Uint8Array> {
    const result = await this.#result(source, filter);
    const { visible } = source;
    if (visible === null) return firstRows(result, source.rowCount);
    if (result.counted?.visible === visible) return result.counted.rows;
    const rows = intersect(result.passing, visible)!;
    // The bitmap of fresh rows is another for every request.
    if (source.slot !== null) result.counted = { visible, rows };
    return rows;
  }

  async #result(source: ReadSource, filter: BoundFilter): Promise<Result> {
    const name = source.slot === null ? `fresh ${this.#nameOf(source.block!.origin)}` : source.slot.id;
    const key = `${name} ${filter.id}`;
    let result = this.#kept.get(key);
    while (result === undefined || result.rowCount < source.rowCount) {
      const running = this.#running.get(key);
      if (running !== undefined) {
        result = await running;
        continue;
      }
      const run = this.#extend(result, source, filter);
      this.#running.set(key, run);
      try {
        result = await run;
      } finally {
        this.#running.delete(key);
      }
      const bitmaps = source.slot === null ? 1 : 2;
      this.#kept.set(key, result, bitmaps * result.passing.byteLength + ENTRY_BYTES);
    }
    return result;
  }

  /** Asks the rows that are not yet in the result. */
  async #extend(
    known: Result | undefined,
    source: ReadSource,
    { plan, fields }: BoundFilter,
  ): Promise<Result> {
    const { rowCount } = source;
    const turns = new Turns(this.#host, TURN_MS);
    const helped = await useIndexes(plan, source.rows, rowCount, turns);
    const whole = wholeAnswer(helped, rowCount);
    if (whole !== null) return { rowCount, passing: whole, counted: null };
    const columns = new Map<number, Column>();
    for (const field of fields)
      if (helped.fieldIds.includes(field.id)) columns.set(field.id, await fieldColumn(source, field));
    const passing = newBitmap(rowCount, 0);
    // The last byte of what is known may have had room for more.
    const start = known === undefined ? 0 : known.rowCount & ~7;
    if (known !== undefined) passing.set(known.passing.subarray(0, start >>> 3));
    for (let from = start; from < rowCount; from += SLICE_ROWS) {
      const count = Math.min(SLICE_ROWS, rowCount - from);
      const column = (id: number): Column | null => {
        const all = columns.get(id);
        return all === undefined ? null : sliceColumn(all, from, from + count);
      };
      passing.set(evaluateSlice(helped, { column }, from, count), from >>> 3);
      if (turns.isOver) await turns.next();
    }
    return { rowCount, passing, counted: null };
  }

  #nameOf(origin: object): number {
    const name = this.#names.get(origin) ?? ++this.#nameCount;
    this.#names.set(origin, name);
    return name;
  }
}

/** When an index has told all, or nothing was to be told. */
function wholeAnswer({ predicate }: FilterPlan, rowCount: number): Uint8Array | null {
  if (predicate.kind === 'indexed') return predicate.isTrue;
  return predicate.kind === 'constant' ? newBitmap(rowCount, predicate.value ? 1 : 0) : null;
}

/** An answer for more rows than were there when the request looked, cut. */
function firstRows({ passing, rowCount }: Result, wanted: number): Uint8Array {
  if (rowCount === wanted) return passing;
  return intersect(passing, newBitmap(wanted, 1))!;
}
