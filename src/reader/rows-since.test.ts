import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setRows } from './bitmaps.ts';
import { rowsSince } from './rows-since.ts';
import { testSeed } from '../../test/support/seed.ts';
import { SeededRandom } from '../host/index.ts';
import type { Timestamp } from '../schema/index.ts';

test(`rows count from a timestamp on (seed ${testSeed})`, () => {
  const random = new SeededRandom(testSeed);
  // Few distinct halves, so that equal ones meet on both sides.
  const draw = (): bigint => (BigInt(random.below(3)) << 32n) | BigInt(random.below(3));
  for (let round = 0; round < 200; round++) {
    const timestamps = BigUint64Array.from({ length: random.below(40) }, draw);
    const since = draw();
    const expected = [...timestamps.keys()].filter((row) => timestamps[row]! >= since);
    const bitmap = rowsSince(timestamps, since as Timestamp);
    const rows = bitmap === null ? [...timestamps.keys()] : [...setRows(bitmap, timestamps.length)];
    assert.deepEqual(rows, expected);
  }
});

test('timestamps that need all 64 bits are compared unsigned', () => {
  const timestamps = BigUint64Array.of(2n ** 64n - 1n, 2n ** 63n, 2n ** 63n - 1n, 2n ** 31n);
  const bitmap = rowsSince(timestamps, (2n ** 63n) as Timestamp);
  assert.deepEqual([...setRows(bitmap!, 4)], [0, 1]);
});
