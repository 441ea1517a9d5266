import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keysFromValues } from '../columns/index.ts';
import { CALL, WriterCluster, insertOf, type WriterProcess } from '../../test/support/writer-cluster.ts';
import type { CollectionMeta } from '../catalog/model.ts';

/** Nothing is compacted. */
const options = { orphanGraceMs: 5_000, logGraceMs: 1_000_000, compactionDeadRatio: 2 };

async function written(
  cluster: WriterCluster,
  process: WriterProcess,
  name: string,
): Promise<CollectionMeta> {
  const collection = await cluster.createCollection(process, name, { shardsNum: 2 });
  const keys = Array.from({ length: 20 }, (_, index) => BigInt(index));
  const { api } = process.writer;
  await cluster.settle(api.insert(insertOf(collection, keys, keys.map(Number)), CALL));
  await cluster.settle(api.flush([collection.id], CALL));
  await cluster.settle(
    api.delete({ collectionId: collection.id, partitionId: null, keys: keysFromValues('Int64', keys) }, CALL),
  );
  await cluster.settle(api.flush([collection.id], CALL));
  await cluster.settle(api.insert(insertOf(collection, [100n], [1]), CALL));
  return collection;
}

const documentsOf = (cluster: WriterCluster, { id }: CollectionMeta): readonly string[] =>
  ['segment', 'channel', 'collection'].flatMap((kind) =>
    cluster.metastoreVolume.range(`catalog/${kind}/${id}`).entries.map(({ key }) => key),
  );

const objectsOf = async (cluster: WriterCluster, { id }: CollectionMeta): Promise<readonly string[]> =>
  [
    ...(await cluster.objectStore.list(`segment/${id}/`)),
    ...(await cluster.objectStore.list(`delta/${id}/`)),
  ].map(({ key }) => key);

async function drop(
  cluster: WriterCluster,
  { writer }: WriterProcess,
  { id }: CollectionMeta,
): Promise<void> {
  await cluster.settle(writer.api.execute({ kind: 'drop-collection', collectionId: id }, CALL));
}

test('W11: a dropped collection is gone at once; its logs, objects and documents go after the grace', async () => {
  await using cluster = new WriterCluster({ writer: options });
  const process = await cluster.startActive('w');
  const collection = await written(cluster, process, 'c');
  const kept = await written(cluster, process, 'kept');
  const objects = await objectsOf(cluster, collection);
  assert.ok(objects.length > 4);
  await drop(cluster, process, collection);
  await assert.rejects(cluster.settle(process.writer.api.insert(insertOf(collection, [1n], [1]), CALL)), {
    code: 'COLLECTION_NOT_FOUND',
  });
  await cluster.host.timers.advance(4_000);
  assert.deepEqual(await objectsOf(cluster, collection), objects);
  assert.deepEqual(process.log.dropped, []);
  await cluster.host.timers.advance(3_000);
  assert.deepEqual(await objectsOf(cluster, collection), []);
  assert.deepEqual(documentsOf(cluster, collection), []);
  assert.deepEqual([...process.log.dropped].sort(), [...collection.channels].sort());
  assert.ok((await objectsOf(cluster, kept)).length > 4);
  assert.ok(documentsOf(cluster, kept).length > 4);
});

test('W11: a writer that is killed before the grace is over leaves the rest to the next one', async () => {
  await using cluster = new WriterCluster({ writer: options });
  const first = await cluster.startActive('w');
  const collection = await written(cluster, first, 'c');
  await drop(cluster, first, collection);
  await cluster.host.timers.advance(2_000);
  await first.kill();
  const second = await cluster.startActive('w');
  await cluster.host.timers.advance(4_000);
  assert.ok((await objectsOf(cluster, collection)).length > 0, 'the grace begins anew');
  await cluster.host.timers.advance(3_000);
  assert.deepEqual(await objectsOf(cluster, collection), []);
  assert.deepEqual(documentsOf(cluster, collection), []);
  assert.equal(second.log.dropped.length, 2);
});

test('W11: a collection of the same name can be created at once', async () => {
  await using cluster = new WriterCluster({ writer: options });
  const process = await cluster.startActive('w');
  const first = await written(cluster, process, 'c');
  await drop(cluster, process, first);
  const second = await written(cluster, process, 'c');
  await cluster.host.timers.advance(10_000);
  assert.notEqual(second.id, first.id);
  assert.deepEqual(documentsOf(cluster, first), []);
  assert.ok((await objectsOf(cluster, second)).length > 4);
  const counts = await cluster.settle(process.writer.api.freshRows(second.id, CALL));
  assert.deepEqual([...counts.values()], [1]);
});

test('segments of a dropped partition go after the grace', async () => {
  await using cluster = new WriterCluster({ writer: options });
  const process = await cluster.startActive('w');
  const { api } = process.writer;
  const empty = await cluster.createCollection(process, 'c');
  const create = { kind: 'create-partition', collectionId: empty.id, name: 'p' } as const;
  const { revision } = await cluster.settle(api.execute(create, CALL));
  await cluster.until(() => process.catalog.snapshot().revision >= revision);
  const collection = process.catalog.snapshot().collections.get(empty.id)!;
  for (const { id } of collection.partitions) {
    await cluster.settle(api.insert(insertOf(collection, [BigInt(id)], [1], id), CALL));
  }
  await cluster.settle(api.flush([collection.id], CALL));
  const objects = await objectsOf(cluster, collection);
  await cluster.settle(api.execute({ kind: 'drop-partition', collectionId: collection.id, name: 'p' }, CALL));
  await cluster.until(() => process.catalog.snapshot().segmentsOf(collection.id).length === 1);
  await cluster.host.timers.advance(7_000);
  assert.equal((await objectsOf(cluster, collection)).length, objects.length / 2);
  assert.equal(documentsOf(cluster, collection).length, 3);
});
