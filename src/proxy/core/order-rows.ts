import type { QueryAnswer } from '../proxy-core.ts';
import {
  asKeys,
  columnOf,
  compareKeys,
  compareRows,
  concatColumns,
  concatRows,
  newestOfEachKey,
  takeColumn,
  takeRows,
  type PrimaryKeyColumn,
  type RowBatch,
} from '../../columns/index.ts';
import type { OrderBy, QueryResult } from '../../protocol/reader-api.ts';

/** How rows of an answer compare by the values of fields, ties by key. The batch has these fields. */
export function comparerOf(
  orderBy: readonly OrderBy[],
  rows: RowBatch,
  keys: PrimaryKeyColumn,
): (a: number, b: number) => number {
  const byValue = compareRows(
    orderBy.map(({ fieldId, descending, nullsFirst }) => {
      return { column: columnOf(rows, fieldId), descending, nullsFirst };
    }),
  );
  return (a, b) => byValue(a, b) || compareKeys(keys, a, keys, b);
}

/** As `mergeRows`, by the values of fields in place of the key. */
export function mergeOrderedRows(
  results: readonly QueryResult[],
  orderBy: readonly OrderBy[],
  offset: number,
  limit: number | null,
): QueryAnswer {
  const keys = asKeys(concatColumns(results.map((result) => result.keys)));
  const rows = concatRows(results.map((result) => result.rows));
  const timestamps = BigUint64Array.from(results.flatMap((result) => [...result.timestamps]));
  const order = newestOfEachKey(keys, timestamps).sort(comparerOf(orderBy, rows, keys));
  const picked = order.slice(offset, limit === null ? undefined : offset + limit);
  return { count: picked.length, keys: asKeys(takeColumn(keys, picked)), rows: takeRows(rows, picked) };
}
