import assert from 'node:assert/strict';
import { test } from 'node:test';
import { columnFromValues, compareRows, type ColumnValue } from './index.ts';
import type { DataType } from '../schema/index.ts';

const column = (type: DataType, values: readonly ColumnValue[]) =>
  columnFromValues({ type, elementType: null, dim: null }, values);

function sorted(type: DataType, values: readonly ColumnValue[], descending = false, nullsFirst = descending) {
  const compare = compareRows([{ column: column(type, values), descending, nullsFirst }]);
  return values
    .map((_, row) => row)
    .sort(compare)
    .map((row) => values[row]);
}

test('rows are ordered by the values of a column, nulls where they are wanted', () => {
  assert.deepEqual(sorted('Int64', [3n, -(2n ** 62n), 2n]), [-(2n ** 62n), 2n, 3n]);
  assert.deepEqual(sorted('Int8', [3, null, -2, 0]), [-2, 0, 3, null]);
  assert.deepEqual(sorted('Int8', [3, null, -2, 0], true), [null, 3, 0, -2]);
  assert.deepEqual(sorted('Int8', [3, null, -2, 0], true, false), [3, 0, -2, null]);
  assert.deepEqual(sorted('VarChar', ['b', 'é', 'a', 'B']), ['B', 'a', 'b', 'é']);
  assert.deepEqual(sorted('Bool', [true, false]), [false, true]);
  assert.deepEqual(sorted('Double', [NaN, 1, -Infinity, Infinity]), [-Infinity, 1, Infinity, NaN]);
  assert.deepEqual(sorted('Timestamptz', [5n, -5n]), [-5n, 5n]);
});

test('ties go to the next column', () => {
  const compare = compareRows([
    { column: column('Bool', [true, false, true]), descending: true, nullsFirst: true },
    { column: column('Int32', [2, 1, 1]), descending: false, nullsFirst: false },
  ]);
  assert.deepEqual([0, 1, 2].sort(compare), [2, 0, 1]);
});
