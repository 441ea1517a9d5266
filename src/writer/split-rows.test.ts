import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lastOfEachKey, splitKeys, splitRows } from './split-rows.ts';
import {
  channelIndexOf,
  columnFromValues,
  keysFromValues,
  valuesOf,
  type KeyValue,
} from '../columns/index.ts';
import { SeededRandom } from '../host/index.ts';
import { testSeed } from '../../test/support/seed.ts';

const numberShape = { type: 'Int32', elementType: null, dim: null } as const;

function rowsOf(keys: readonly KeyValue[]) {
  const keyColumn = keysFromValues(typeof keys[0] === 'bigint' ? 'Int64' : 'VarChar', keys);
  const numbers = columnFromValues(
    numberShape,
    keys.map((_, index) => index),
  );
  return {
    keys: keyColumn,
    rows: {
      rowCount: keys.length,
      columns: new Map([
        [100, keyColumn],
        [101, numbers],
      ]),
    },
  };
}

for (const type of ['Int64', 'VarChar'] as const) {
  test(`rows go to the channel of their ${type} key, in the order they came`, (context) => {
    context.diagnostic(`seed ${testSeed}`);
    const random = new SeededRandom(testSeed);
    const values = Array.from({ length: 500 }, () => {
      const number = random.below(10_000) - 5_000;
      return type === 'Int64' ? BigInt(number) : `key-${number}`;
    });
    const { rows, keys } = rowsOf(values);
    const seen: number[] = [];
    for (const { channelIndex, part } of splitRows(rows, keys, 7)) {
      const numbers = valuesOf(part.columns.get(101)!) as number[];
      assert.deepEqual(
        numbers,
        numbers.toSorted((a, b) => a - b),
      );
      for (const [row, key] of valuesOf(part.columns.get(100)!).entries()) {
        assert.equal(key, values[numbers[row]!]);
        assert.equal(channelIndexOf(key as KeyValue, 7), channelIndex);
      }
      seen.push(...numbers);
    }
    assert.deepEqual(
      seen.toSorted((a, b) => a - b),
      values.map((_, index) => index),
    );
    const split = splitKeys(keys, 7).flatMap(({ part }) => valuesOf(part));
    assert.deepEqual(split.map(String).sort(), values.map(String).sort());
  });
}

test('with one channel rows are passed on as they are', () => {
  const { rows, keys } = rowsOf([1n, 2n]);
  assert.equal(splitRows(rows, keys, 1)[0]!.part, rows);
  assert.equal(splitKeys(keys, 1)[0]!.part, keys);
});

test('channels without rows get nothing', () => {
  const { rows, keys } = rowsOf([3n]);
  const parts = splitRows(rows, keys, 4);
  assert.deepEqual(
    parts.map(({ channelIndex }) => channelIndex),
    [channelIndexOf(3n, 4)],
  );
});

test('of rows with the same key the last is kept, in place', () => {
  const { rows, keys } = rowsOf(['a', 'b', 'a', 'c', 'b', 'a']);
  assert.deepEqual(valuesOf(lastOfEachKey(rows, keys).columns.get(101)!), [3, 4, 5]);
  const distinct = rowsOf([1n, 2n]);
  assert.equal(lastOfEachKey(distinct.rows, distinct.keys), distinct.rows);
});
