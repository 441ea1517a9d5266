import { fieldOfRows } from './field-column.ts';
import type { ReadSource } from './read-source.ts';
import { fieldOf, fieldsOfRefs, keysOfRefs, type RowRefs } from './row-refs.ts';
import { selectedRows, type RowSelection } from './row-selector.ts';
import {
  columnOf,
  compareKeys,
  compareRows,
  newestOfEachKey,
  type Column,
  type PrimaryKeyColumn,
} from '../columns/index.ts';
import type { OrderBy } from '../protocol/reader-api.ts';
import type { CollectionSchema } from '../schema/index.ts';

/** Rows of a source that are put in order at a time, beside the best so far. */
const CHUNK_ROWS = 16_384;

export interface OrderedRows {
  readonly schema: CollectionSchema;
  readonly orderBy: readonly OrderBy[];
  readonly limit: number | null;
  readonly signal: AbortSignal;
}

/**
 * The first `limit` rows (null = all) of the chosen rows of all sources by the values of fields, ties by key; of rows with one key
 * the newest. Memory is in proportion to the limit, time to the rows looked at.
 */
export async function firstByOrder(
  sources: readonly ReadSource[],
  selections: readonly RowSelection[],
  wanted: OrderedRows,
): Promise<RowRefs> {
  const { schema, orderBy, limit } = wanted;
  const parts: Uint32Array[] = [];
  for (const [index, source] of sources.entries()) {
    const chosen = Uint32Array.from(selectedRows(selections[index]!, source.rowCount));
    parts.push(await bestOf(source, chosen, wanted));
  }
  const refs: RowRefs = {
    sources: Uint32Array.from(parts.flatMap((rows, source) => new Array<number>(rows.length).fill(source))),
    rows: Uint32Array.from(parts.flatMap((rows) => [...rows])),
  };
  const { columns } = await fieldsOfRefs(
    sources,
    refs,
    schema,
    orderBy.map(({ fieldId }) => fieldId),
  );
  const ordered = orderBy.map((order) => columnOf({ rowCount: refs.rows.length, columns }, order.fieldId));
  const keys = keysOfRefs(sources, refs, schema);
  const timestamps = BigUint64Array.from(
    refs.rows,
    (row, at) => sources[refs.sources[at]!]!.timestamps[row]!,
  );
  const order = newestOfEachKey(keys, timestamps).sort(comparing(orderBy, ordered, keys));
  const picked = limit === null ? order : order.slice(0, limit);
  return {
    sources: picked.map((at) => refs.sources[at]!),
    rows: picked.map((at) => refs.rows[at]!),
  };
}

/** Chunk by chunk, so that no more than the best and one chunk are held. */
async function bestOf(source: ReadSource, chosen: Uint32Array, wanted: OrderedRows): Promise<Uint32Array> {
  const { schema, orderBy, limit, signal } = wanted;
  if (limit === null || chosen.length <= limit) return chosen;
  let best = new Uint32Array(0);
  const step = Math.max(limit, CHUNK_ROWS);
  for (let from = 0; from < chosen.length; from += step) {
    const rows = new Uint32Array([...best, ...chosen.subarray(from, from + step)]);
    const columns: Column[] = [];
    for (const { fieldId } of orderBy)
      columns.push(await fieldOfRows(source, fieldOf(schema, fieldId), rows));
    signal.throwIfAborted();
    const byValue = compareRows(orderColumns(orderBy, columns));
    const order = Uint32Array.from(rows, (_, at) => at).sort(
      (a, b) => byValue(a, b) || compareKeys(source.keys, rows[a]!, source.keys, rows[b]!),
    );
    best = order.slice(0, limit).map((at) => rows[at]!);
  }
  return best;
}

function comparing(
  orderBy: readonly OrderBy[],
  columns: readonly Column[],
  keys: PrimaryKeyColumn,
): (a: number, b: number) => number {
  const byValue = compareRows(orderColumns(orderBy, columns));
  return (a, b) => byValue(a, b) || compareKeys(keys, a, keys, b);
}

function orderColumns(orderBy: readonly OrderBy[], columns: readonly Column[]) {
  return orderBy.map(({ descending, nullsFirst }, index) => ({
    column: columns[index]!,
    descending,
    nullsFirst,
  }));
}
