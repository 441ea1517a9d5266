import assert from 'node:assert/strict';
import { test } from 'node:test';
import { channelIndexes, channelIndexOf } from './key-hash.ts';
import { KeyIndex } from './key-index.ts';
import { sortedRows } from './key-order.ts';
import { KeySet } from './key-set.ts';
import { compareKeys, isSorted, keyAt, keysFromValues, lowerBound, type KeyValue } from './primary-keys.ts';
import { concatColumns, sliceColumn, takeColumn } from './row-batch.ts';
import type { PrimaryKeyColumn } from './column.ts';
import { SeededRandom, type Random } from '../host/index.ts';
import { randomValue, fieldOf } from '../../test/support/random-rows.ts';
import { testSeed } from '../../test/support/seed.ts';

const TYPES = ['Int64', 'VarChar'] as const;

/** Many repeats, both signs, long common prefixes. */
function randomKeys(random: Random, type: (typeof TYPES)[number], length: number): KeyValue[] {
  const wide = fieldOf({ id: 1, type });
  const narrow = (): KeyValue =>
    type === 'Int64'
      ? BigInt(random.below(20) - 10)
      : `prefix${'x'.repeat(random.below(3))}${random.below(5)}`;
  return Array.from({ length }, () =>
    random.below(2) === 0 ? narrow() : (randomValue(random, wide) as KeyValue),
  );
}

function compareValues(a: KeyValue, b: KeyValue): number {
  if (typeof a === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b as string));
  return a < (b as bigint) ? -1 : a > (b as bigint) ? 1 : 0;
}

for (const type of TYPES) {
  test(`${type} keys sort by key, timestamp and row (seed ${testSeed})`, () => {
    const random = new SeededRandom(testSeed);
    for (const length of [0, 1, 2, 300]) {
      const values = randomKeys(random, type, length);
      const keys = keysFromValues(type, values);
      const timestamps = BigUint64Array.from({ length }, () => BigInt(random.below(3)) << 40n);
      const rows = sortedRows(keys, timestamps);
      const expected = [...values.keys()].sort(
        (a, b) => compareValues(values[a]!, values[b]!) || Number(timestamps[a]! - timestamps[b]!) || a - b,
      );
      assert.deepEqual([...rows], expected);
      const sorted = takeColumn(keys, rows) as PrimaryKeyColumn;
      assert.equal(
        isSorted(
          sorted,
          timestamps.map((_, index) => timestamps[rows[index]!]!),
        ),
        true,
      );
      for (let row = 0; row < length; row++) {
        const at = lowerBound(sorted, keys, row);
        assert.equal(compareKeys(sorted, at, keys, row), 0);
        if (at > 0) assert.ok(compareKeys(sorted, at - 1, keys, row) < 0);
      }
    }
  });

  test(`${type} keys are found in an index that grows, newest first (seed ${testSeed})`, () => {
    const random = new SeededRandom(testSeed);
    const values = randomKeys(random, type, 500);
    const keys = keysFromValues(type, values);
    const index = new KeyIndex(sliceColumn(keys, 0, 0) as PrimaryKeyColumn);
    for (let end = 0; end < 500; end += 1 + random.below(90))
      index.extend(sliceColumn(keys, 0, end) as typeof keys);
    index.extend(keys);
    assert.equal(index.keyCount, new Set(values).size);
    const others = keysFromValues(type, [...values.slice(0, 50), ...randomKeys(random, type, 50)]);
    for (let row = 0; row < others.length; row++) {
      const found: number[] = [];
      for (let at = index.newest(others, row); at >= 0; at = index.older(at)) found.push(at);
      const wanted = keyAt(others, row);
      const expected = [...values.keys()].filter((at) => values[at] === wanted).reverse();
      assert.deepEqual(found, expected);
    }
  });

  test(`a set numbers ${type} keys in order of arrival (seed ${testSeed})`, () => {
    const random = new SeededRandom(testSeed);
    const values = randomKeys(random, type, 300);
    const keys = keysFromValues(type, values);
    const set = new KeySet(type);
    const numbers = values.map((_, row) => set.add(keys, row));
    const distinct = [...new Set(values)];
    assert.deepEqual(
      numbers,
      values.map((value) => distinct.indexOf(value)),
    );
    assert.equal(set.size, distinct.length);
    const again = concatColumns([set.keys(), keys]) as PrimaryKeyColumn;
    assert.deepEqual(
      distinct,
      distinct.map((_, row) => keyAt(again, row)),
    );
    assert.equal(set.find(keysFromValues(type, type === 'Int64' ? [12_345n] : ['absent']), 0), -1);
  });
}

/** Stored rows depend on these: a change of any of them loses data. */
const CHANNELS: readonly (readonly [KeyValue, number])[] = [
  [0n, 14],
  [1n, 0],
  [-1n, 5],
  [42n, 6],
  [9007199254740993n, 4],
  [-9223372036854775808n, 13],
  [9223372036854775807n, 2],
  ['', 0],
  ['a', 0],
  ['key-1', 4],
  ['漢字', 1],
];

test('the channel of a key never changes', () => {
  for (const [key, channel] of CHANNELS) assert.equal(channelIndexOf(key, 16), channel, String(key));
});

test('channels of a column are those of its keys, and spread evenly', () => {
  const values = Array.from({ length: 16_000 }, (_, index) => BigInt(index));
  const channels = channelIndexes(keysFromValues('Int64', values), 16);
  const counts = new Uint32Array(16);
  values.forEach((value, row) => {
    if (row < 100) assert.equal(channels[row], channelIndexOf(value, 16));
    counts[channels[row]!]!++;
  });
  for (const count of counts) assert.ok(count > 850 && count < 1150, `${counts}`);
  const texts = keysFromValues('VarChar', ['a', 'é', '']);
  assert.deepEqual(
    [...channelIndexes(texts, 7)],
    ['a', 'é', ''].map((text) => channelIndexOf(text, 7)),
  );
});
