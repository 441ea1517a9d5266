import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testSeed } from '../../test/support/seed.ts';
import { SeededRandom } from '../host/index.ts';
import { NumberTable } from './number-table.ts';

test(`a table holds what a map would (seed ${testSeed})`, () => {
  const random = new SeededRandom(testSeed);
  const table = new NumberTable<string>();
  const map = new Map<number, string>();
  for (let step = 0; step < 5_000; step++) {
    const number = random.below(40) + (step % 3 === 0 ? 2 ** 32 - 41 : 0);
    if (random.below(2) === 0) {
      table.set(number, `${step}`);
      map.set(number, `${step}`);
    } else {
      assert.equal(table.take(number), map.get(number));
      map.delete(number);
    }
    assert.equal(table.get(number), map.get(number));
    assert.equal(table.size, map.size);
  }
  assert.deepEqual(
    table.values(),
    [...map].toSorted(([a], [b]) => a - b).map(([, value]) => value),
  );
  table.clear();
  assert.deepEqual([table.size, table.values()], [0, []]);
});
