import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DeltaCache } from './delta-cache.ts';
import type { DeltaMeta } from '../catalog/model.ts';
import { keysFromValues } from '../columns/index.ts';
import type { DeleteBatch } from '../segment/segment.ts';

const deltaOf = (objectKey: string, sizeBytes = 10): DeltaMeta => ({
  objectKey,
  sizeBytes,
  rowCount: 1,
  minTimestamp: '1',
  maxTimestamp: '1',
});

function batch(): DeleteBatch {
  return { keys: keysFromValues('Int64', [1n]), timestamps: BigUint64Array.of(1n), partitionIds: [null] };
}

test('an object is fetched once for all who ask, and again when it was forgotten', async () => {
  const fetched: string[] = [];
  const cache = new DeltaCache(async ({ objectKey }) => {
    fetched.push(objectKey);
    return batch();
  }, 25);
  const [first, second] = await Promise.all([cache.get(deltaOf('a')), cache.get(deltaOf('a'))]);
  assert.equal(first, second);
  assert.equal(await cache.get(deltaOf('a')), first);
  await cache.get(deltaOf('b'));
  assert.deepEqual(fetched, ['a', 'b']);
  await cache.get(deltaOf('c'));
  assert.notEqual(await cache.get(deltaOf('a')), first);
  assert.deepEqual(fetched, ['a', 'b', 'c', 'a']);
});

test('a failure is told and not kept', async () => {
  let failures = 1;
  const cache = new DeltaCache(async () => {
    if (failures-- > 0) throw new Error('the bucket is away');
    return batch();
  }, 100);
  await assert.rejects(cache.get(deltaOf('a')), /away/);
  assert.equal((await cache.get(deltaOf('a'))).keys.length, 1);
});
