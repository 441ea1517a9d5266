import type { QueryAnswer } from '../proxy-core.ts';
import { asKeys, compareKeys, concatColumns, concatRows, takeColumn, takeRows } from '../../columns/index.ts';
import type { QueryResult } from '../../protocol/reader-api.ts';

/** Merges the nodes' rows by primary key ascending; of several rows with one key the newest is kept. Skips `offset`, keeps up to `limit`. */
export function mergeRows(
  results: readonly QueryResult[],
  offset: number,
  limit: number | null,
): QueryAnswer {
  const heads = results.map(() => 0);
  const bases = results.map((_, index) =>
    results.slice(0, index).reduce((sum, earlier) => sum + earlier.keys.length, 0),
  );
  const picked: number[] = [];
  const end = limit === null ? Infinity : offset + limit;
  for (let distinct = 0; distinct < end; distinct++) {
    const newest = takeSmallestKey(results, heads);
    if (newest === null) break;
    if (distinct >= offset) picked.push(bases[newest.result]! + newest.row);
  }
  const rows = Uint32Array.from(picked);
  const keys = concatColumns(results.map((result) => result.keys));
  return {
    count: rows.length,
    keys: asKeys(takeColumn(keys, rows)),
    rows: takeRows(concatRows(results.map((result) => result.rows)), rows),
  };
}

/** Moves all heads past the smallest key and says where its newest row is. */
function takeSmallestKey(
  results: readonly QueryResult[],
  heads: number[],
): { result: number; row: number } | null {
  let newest: { result: number; row: number } | null = null;
  let ties: number[] = [];
  for (let index = 0; index < results.length; index++) {
    const { keys, timestamps } = results[index]!;
    const row = heads[index]!;
    if (row >= keys.length) continue;
    const order = newest === null ? -1 : compareKeys(keys, row, results[newest.result]!.keys, newest.row);
    if (order < 0) {
      newest = { result: index, row };
      ties = [index];
    } else if (order === 0) {
      ties.push(index);
      if (timestamps[row]! > results[newest!.result]!.timestamps[newest!.row]!)
        newest = { result: index, row };
    }
  }
  for (const index of ties) heads[index]!++;
  return newest;
}
