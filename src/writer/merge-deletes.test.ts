import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mergeDeletes } from './merge-deletes.ts';
import { keysFromValues, valuesOf } from '../columns/index.ts';
import { SeededRandom } from '../host/index.ts';
import type { PartitionId } from '../schema/index.ts';
import type { DeleteBatch } from '../segment/segment.ts';
import { testSeed } from '../../test/support/seed.ts';

type Delete = readonly [key: string, timestamp: number, partition: string | null];

function batch(...deletes: readonly Delete[]): DeleteBatch {
  return {
    keys: keysFromValues(
      'VarChar',
      deletes.map(([key]) => key),
    ),
    timestamps: BigUint64Array.from(deletes, ([, timestamp]) => BigInt(timestamp)),
    partitionIds: deletes.map(([, , partition]) => partition as PartitionId | null),
  };
}

function listOf(deletes: DeleteBatch | null): Delete[] {
  if (deletes === null) return [];
  return valuesOf(deletes.keys).map((key, row) => [
    key as string,
    Number(deletes.timestamps[row]),
    deletes.partitionIds[row]!,
  ]);
}

test('of a key the newest delete of each partition is kept, unless a newer one is for all', () => {
  const merged = mergeDeletes(
    [
      batch(['a', 5, null], ['b', 3, 'p'], ['c', 9, 'p']),
      batch(['a', 7, null], ['b', 4, 'q'], ['c', 9, null]),
    ],
    0n,
  );
  assert.deepEqual(listOf(merged), [
    ['a', 7, null],
    ['b', 3, 'p'],
    ['b', 4, 'q'],
    ['c', 9, null],
  ]);
});

test('deletes that no row is older than are left out', () => {
  assert.equal(mergeDeletes([batch(['a', 5, null])], null), null);
  assert.equal(mergeDeletes([batch(['a', 5, null])], 5n), null);
  assert.deepEqual(listOf(mergeDeletes([batch(['a', 5, null], ['b', 4, null])], 4n)), [['a', 5, null]]);
  assert.equal(mergeDeletes([], 0n), null);
  assert.equal(mergeDeletes([batch()], 0n), null);
});

test('W10: the merged batch deletes the same rows as all batches do', (context) => {
  context.diagnostic(`seed ${testSeed}`);
  const random = new SeededRandom(testSeed);
  const keys = ['a', 'b', 'c', 'd'];
  const partitions = [null, 'p', 'q'];
  const someDelete = (): Delete => [
    keys[random.below(keys.length)]!,
    1 + random.below(20),
    partitions[random.below(partitions.length)]!,
  ];
  for (let round = 0; round < 200; round++) {
    const batches = Array.from({ length: 1 + random.below(4) }, () =>
      batch(...Array.from({ length: random.below(8) }, someDelete)),
    );
    const oldestRow = random.below(10);
    const all = batches.flatMap(listOf);
    const merged = listOf(mergeDeletes(batches, BigInt(oldestRow)));
    assert.ok(merged.length <= all.length);
    for (const key of keys) {
      for (const partition of ['p', 'q', 'r']) {
        for (let timestamp = oldestRow; timestamp < 20; timestamp++) {
          const isDeleted = ([deletedKey, at, where]: Delete): boolean =>
            deletedKey === key && timestamp < at && (where === null || where === partition);
          assert.equal(merged.some(isDeleted), all.some(isDeleted), `${key} ${partition} ${timestamp}`);
        }
      }
    }
  }
});
