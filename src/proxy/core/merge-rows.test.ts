import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mergeRows } from './merge-rows.ts';
import { columnFromValues, keysFromValues, valuesOf } from '../../columns/index.ts';
import type { QueryResult } from '../../protocol/reader-api.ts';

const FIELD = 101;

function resultOf(rows: readonly (readonly [key: string, timestamp: bigint, value: bigint])[]): QueryResult {
  const values = columnFromValues(
    { type: 'Int64', elementType: null, dim: null },
    rows.map((row) => row[2]),
  );
  return {
    count: rows.length,
    keys: keysFromValues(
      'VarChar',
      rows.map((row) => row[0]),
    ),
    timestamps: BigUint64Array.from(rows.map((row) => row[1])),
    rows: { rowCount: rows.length, columns: new Map([[FIELD, values]]) },
    stats: { segmentCount: 1, rowsSearched: rows.length, elapsedMs: 0, positions: new Map() },
  };
}

const shown = (results: readonly QueryResult[], offset: number, limit: number | null): unknown => {
  const merged = mergeRows(results, offset, limit);
  return [valuesOf(merged.keys), valuesOf(merged.rows.columns.get(FIELD)!)];
};

test('rows come by key; of one key the newest row wins, from whichever node', () => {
  const a = resultOf([
    ['a', 5n, 1n],
    ['c', 1n, 2n],
  ]);
  const b = resultOf([
    ['a', 9n, 3n],
    ['b', 1n, 4n],
    ['c', 0n, 5n],
  ]);
  const expected = [
    ['a', 'b', 'c'],
    [3n, 4n, 2n],
  ];
  assert.deepEqual(shown([a, b], 0, null), expected);
  assert.deepEqual(shown([b, a], 0, null), expected);
});

test('offset and limit count distinct keys', () => {
  const a = resultOf([
    ['a', 1n, 1n],
    ['b', 1n, 2n],
    ['d', 1n, 3n],
  ]);
  const b = resultOf([
    ['b', 2n, 4n],
    ['c', 1n, 5n],
  ]);
  assert.deepEqual(shown([a, b], 1, 2), [
    ['b', 'c'],
    [4n, 5n],
  ]);
  assert.deepEqual(shown([a, b], 4, 2), [[], []]);
});
