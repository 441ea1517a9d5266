import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readBack } from '../../test/support/read-back.ts';
import { CALL, WriterCluster, insertOf } from '../../test/support/writer-cluster.ts';

test('W5: rows that were acknowledged are there after kill -9', async () => {
  await using cluster = new WriterCluster();
  const first = await cluster.startActive('w');
  const collection = await cluster.createCollection(first, 'c', { shardsNum: 2 });
  const { keys } = await cluster.settle(
    first.writer.api.insert(insertOf(collection, [1n, 2n, 3n], [1, 2, 3]), CALL),
  );
  assert.equal(keys.length, 3);
  await first.kill();
  const second = await cluster.startActive('w');
  const counts = await cluster.settle(second.writer.api.freshRows(collection.id, CALL));
  assert.deepEqual([...counts], [[collection.partitions[0]!.id, 3]]);
  const { rows } = await readBack(cluster, collection.id);
  assert.deepEqual([...rows.keys()].sort(), [1n, 2n, 3n]);
});
