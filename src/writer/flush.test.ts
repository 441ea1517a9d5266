import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CollectionMeta } from '../catalog/model.ts';
import { keysFromValues } from '../columns/index.ts';
import { MishardsError } from '../errors/index.ts';
import type { ObjectStore } from '../object-store/object-store.ts';
import type { PartitionId } from '../schema/index.ts';
import { InterceptedObjectStore } from '../../test/support/intercepted-object-store.ts';
import { readBack } from '../../test/support/read-back.ts';
import { CALL, WriterCluster, insertOf, type WriterProcess } from '../../test/support/writer-cluster.ts';

async function insert(
  cluster: WriterCluster,
  { writer }: WriterProcess,
  collection: CollectionMeta,
  keys: readonly number[],
  partitionId?: PartitionId,
): Promise<void> {
  const request = insertOf(collection, keys.map(BigInt), keys, partitionId);
  await cluster.settle(writer.api.insert(request, CALL));
}

async function flush(cluster: WriterCluster, { writer }: WriterProcess, collection: CollectionMeta) {
  return await cluster.settle(writer.api.flush([collection.id], CALL));
}

async function remove(
  cluster: WriterCluster,
  { writer }: WriterProcess,
  { id }: CollectionMeta,
  keys: readonly number[],
  partitionId: PartitionId | null = null,
): Promise<void> {
  const request = { collectionId: id, partitionId, keys: keysFromValues('Int64', keys.map(BigInt)) };
  await cluster.settle(writer.api.delete(request, CALL));
}

async function createPartition(
  cluster: WriterCluster,
  process: WriterProcess,
  { id }: CollectionMeta,
  name: string,
): Promise<CollectionMeta> {
  const command = { kind: 'create-partition', collectionId: id, name } as const;
  const { revision } = await cluster.settle(process.writer.api.execute(command, CALL));
  await cluster.until(() => process.catalog.snapshot().revision >= revision);
  return process.catalog.snapshot().collections.get(id)!;
}

const bucketFailure = (): MishardsError => new MishardsError('STORAGE_UNAVAILABLE', 'the bucket failed');

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, index) => from + index);

test('a flush moves rows from the log into one segment a partition of each channel', async () => {
  await using cluster = new WriterCluster();
  const process = await cluster.startActive('w');
  const empty = await cluster.createCollection(process, 'c', { shardsNum: 2 });
  const collection = await createPartition(cluster, process, empty, 'p');
  await insert(cluster, process, collection, range(0, 20));
  await insert(cluster, process, collection, range(20, 40), collection.partitions[1]!.id);
  const result = await flush(cluster, process, collection);
  const snapshot = process.catalog.snapshot();
  assert.ok(snapshot.revision >= result.revision);
  const segments = snapshot.segmentsOf(collection.id);
  assert.deepEqual(
    [...result.segmentIds.get(collection.id)!].sort(),
    segments.map(({ id }) => id),
  );
  assert.deepEqual(
    segments.map(({ channelId, partitionId }) => `${channelId} ${partitionId}`).sort(),
    collection.channels
      .flatMap((channel) => collection.partitions.map(({ id }) => `${channel} ${id}`))
      .sort(),
  );
  assert.deepEqual(
    snapshot.channelsOf(collection.id).map(({ checkpoint, deltas }) => [checkpoint, deltas.length]),
    [
      [2, 0],
      [2, 0],
    ],
  );
  const { rows, segmentRowCount, logEntryCount } = await readBack(cluster, collection.id);
  assert.deepEqual([rows.size, segmentRowCount, logEntryCount], [40, 40, 0]);
  assert.equal((await cluster.settle(process.writer.api.freshRows(collection.id, CALL))).size, 0);
  const again = await flush(cluster, process, collection);
  assert.deepEqual(again.segmentIds.get(collection.id), []);
});

test('a flush is cut into segments of bounded rows', async () => {
  await using cluster = new WriterCluster({ writer: { segmentRowsMax: 10 } });
  const process = await cluster.startActive('w');
  const collection = await cluster.createCollection(process, 'c');
  await insert(cluster, process, collection, range(0, 25));
  await flush(cluster, process, collection);
  const counts = process.catalog
    .snapshot()
    .segmentsOf(collection.id)
    .map((segment) => segment.rowCount);
  assert.deepEqual(counts, [10, 10, 5]);
});

test('W9: a failure between the objects and the commit changes nothing; the next try does it', async () => {
  let failures = 0;
  const decorate = (store: ObjectStore): ObjectStore =>
    new InterceptedObjectStore(store, {
      after: (key) => {
        if (key.endsWith('rows.arrow') && failures-- > 0) throw bucketFailure();
      },
    });
  await using cluster = new WriterCluster({ decorate });
  const process = await cluster.startActive('w');
  const collection = await cluster.createCollection(process, 'c');
  await insert(cluster, process, collection, range(0, 5));
  failures = 1;
  await assert.rejects(flush(cluster, process, collection), { code: 'STORAGE_UNAVAILABLE' });
  const before = await readBack(cluster, collection.id);
  assert.deepEqual([before.rows.size, before.segmentRowCount, before.logEntryCount], [5, 0, 1]);
  const left = await cluster.objectStore.list('segment/');
  assert.ok(left.length > 0, 'objects that nobody names are left');
  await flush(cluster, process, collection);
  const after = await readBack(cluster, collection.id);
  assert.deepEqual([after.rows.size, after.segmentRowCount, after.logEntryCount], [5, 5, 0]);
});

test('W9: a commit whose answer was lost happens once', async () => {
  await using cluster = new WriterCluster();
  const process = await cluster.startActive('w');
  const collection = await cluster.createCollection(process, 'c');
  await insert(cluster, process, collection, range(0, 5));
  process.metastore.loseReplies(1);
  await flush(cluster, process, collection);
  const { rows, segmentRowCount } = await readBack(cluster, collection.id);
  assert.deepEqual([rows.size, segmentRowCount], [5, 5]);
});

test('W9: a writer killed before the commit leaves the rows to the next one', async () => {
  await using cluster = new WriterCluster();
  const first = await cluster.startActive('w');
  const collection = await cluster.createCollection(first, 'c');
  await insert(cluster, first, collection, range(0, 5));
  first.metastore.stop();
  const flushing = first.writer.api.flush([collection.id], CALL);
  flushing.catch(() => undefined);
  await cluster.host.timers.advance(500);
  await first.kill();
  const second = await cluster.startActive('w');
  await insert(cluster, second, collection, range(5, 8));
  await flush(cluster, second, collection);
  const { rows, segmentRowCount } = await readBack(cluster, collection.id);
  assert.deepEqual([rows.size, segmentRowCount], [8, 8]);
});

test('rows written while a flush runs stay in the log until the next one', async () => {
  const gate = Promise.withResolvers<void>();
  const started = Promise.withResolvers<void>();
  const decorate = (store: ObjectStore): ObjectStore =>
    new InterceptedObjectStore(store, {
      before: async () => {
        started.resolve();
        await gate.promise;
      },
    });
  await using cluster = new WriterCluster({ decorate });
  const process = await cluster.startActive('w');
  const collection = await cluster.createCollection(process, 'c');
  await insert(cluster, process, collection, [1, 2, 3]);
  const flushing = process.writer.api.flush([collection.id], CALL);
  await cluster.settle(started.promise);
  await insert(cluster, process, collection, [4]);
  await remove(cluster, process, collection, [1]);
  gate.resolve();
  await cluster.settle(flushing);
  const { rows, segmentRowCount, logEntryCount } = await readBack(cluster, collection.id);
  assert.deepEqual([rows.size, segmentRowCount, logEntryCount], [3, 3, 2]);
  await flush(cluster, process, collection);
  const after = await readBack(cluster, collection.id);
  assert.deepEqual([...after.rows.keys()].sort(), [2n, 3n, 4n]);
  assert.equal(after.logEntryCount, 0);
});

test('W10: deletes are kept only where older segments need them', async () => {
  await using cluster = new WriterCluster();
  const process = await cluster.startActive('w');
  const collection = await cluster.createCollection(process, 'c');
  const deltas = () => process.catalog.snapshot().channelsOf(collection.id)[0]!.deltas;
  await insert(cluster, process, collection, range(0, 5));
  await remove(cluster, process, collection, [1]);
  await flush(cluster, process, collection);
  assert.deepEqual(deltas(), [], 'there was no older segment');
  await remove(cluster, process, collection, [2, 3]);
  await flush(cluster, process, collection);
  assert.deepEqual(
    deltas().map(({ rowCount }) => rowCount),
    [2],
  );
  const { rows, segmentRowCount } = await readBack(cluster, collection.id);
  assert.deepEqual([...rows.keys()].sort(), [0n, 4n]);
  assert.equal(segmentRowCount, 4);
});

test('W10: many delta objects become one, and the old ones go after the grace', async () => {
  await using cluster = new WriterCluster({ writer: { deltasMax: 3, logGraceMs: 5_000 } });
  const process = await cluster.startActive('w');
  const collection = await cluster.createCollection(process, 'c');
  await insert(cluster, process, collection, range(0, 20));
  await flush(cluster, process, collection);
  for (const key of range(0, 8)) {
    await remove(cluster, process, collection, [key, 19]);
    await flush(cluster, process, collection);
  }
  const { deltas } = process.catalog.snapshot().channelsOf(collection.id)[0]!;
  assert.deepEqual(
    deltas.map(({ rowCount }) => rowCount),
    [8, 2],
  );
  assert.ok((await cluster.objectStore.list('delta/')).length > 2);
  await cluster.host.timers.advance(7_000);
  assert.equal((await cluster.objectStore.list('delta/')).length, 2);
  assert.equal((await readBack(cluster, collection.id)).rows.size, 11);
});

test('rows of a dropped partition are left out', async () => {
  await using cluster = new WriterCluster({ writer: { orphanGraceMs: 1_000 } });
  const process = await cluster.startActive('w');
  const empty = await cluster.createCollection(process, 'c');
  const collection = await createPartition(cluster, process, empty, 'p');
  await insert(cluster, process, collection, [1], collection.partitions[1]!.id);
  await insert(cluster, process, collection, [2]);
  const drop = { kind: 'drop-partition', collectionId: collection.id, name: 'p' } as const;
  await cluster.settle(process.writer.api.execute(drop, CALL));
  await flush(cluster, process, collection);
  const { rows, segmentRowCount } = await readBack(cluster, collection.id);
  assert.deepEqual([[...rows.keys()], segmentRowCount], [[2n], 1]);
});

test('W9: a flush of more partitions than one transaction takes is cut into several', async () => {
  await using cluster = new WriterCluster();
  const process = await cluster.startActive('w');
  let collection = await cluster.createCollection(process, 'c');
  for (const number of range(0, 130)) {
    collection = await createPartition(cluster, process, collection, `p${number}`);
  }
  for (const [number, { id }] of collection.partitions.entries()) {
    await insert(cluster, process, collection, [number], id);
  }
  const { segmentIds } = await flush(cluster, process, collection);
  assert.equal(segmentIds.get(collection.id)!.length, 131);
  const { rows, logEntryCount } = await readBack(cluster, collection.id);
  assert.deepEqual([rows.size, logEntryCount], [131, 0]);
});

for (const [policy, options] of Object.entries({
  rows: { flushRows: 30 },
  bytes: { flushBytes: 4_000 },
  age: { flushAgeMs: 3_000 },
})) {
  test(`channels are flushed by ${policy}`, async () => {
    await using cluster = new WriterCluster({ writer: options });
    const process = await cluster.startActive('w');
    const collection = await cluster.createCollection(process, 'c');
    await insert(cluster, process, collection, range(0, 10));
    await cluster.host.timers.advance(1_500);
    assert.equal(process.catalog.snapshot().segmentsOf(collection.id).length, 0);
    if (policy !== 'age') await insert(cluster, process, collection, range(10, 200));
    await cluster.until(() => process.catalog.snapshot().segmentsOf(collection.id).length === 1);
    await cluster.host.timers.advance(10_000);
    assert.equal(process.catalog.snapshot().segmentsOf(collection.id).length, 1);
  });
}

test('a flush that fails is tried again by itself', async () => {
  let failures = 3;
  const decorate = (store: ObjectStore): ObjectStore =>
    new InterceptedObjectStore(store, {
      before: () => {
        if (failures-- > 0) throw bucketFailure();
      },
    });
  await using cluster = new WriterCluster({ decorate, writer: { flushRows: 1 } });
  const process = await cluster.startActive('w');
  const collection = await cluster.createCollection(process, 'c');
  await insert(cluster, process, collection, [1]);
  await cluster.until(() => process.catalog.snapshot().segmentsOf(collection.id).length === 1);
  assert.ok(failures < 0);
});

test('the log is cut behind the checkpoint after a grace, also by the next writer', async () => {
  await using cluster = new WriterCluster({ writer: { logGraceMs: 5_000 } });
  const first = await cluster.startActive('w');
  const collection = await cluster.createCollection(first, 'c');
  const [channel] = collection.channels;
  await insert(cluster, first, collection, [1]);
  await flush(cluster, first, collection);
  await insert(cluster, first, collection, [2]);
  await cluster.host.timers.advance(4_000);
  assert.deepEqual(first.log.truncations, []);
  await cluster.host.timers.advance(2_000);
  assert.deepEqual(first.log.truncations, [{ channel, before: 2 }]);
  await flush(cluster, first, collection);
  await first.kill();
  const second = await cluster.startActive('w');
  await cluster.host.timers.advance(6_000);
  assert.deepEqual(second.log.truncations, [{ channel, before: 3 }]);
  await insert(cluster, second, collection, [3]);
  assert.equal((await readBack(cluster, collection.id)).rows.size, 3);
});

test('flushing several collections says which segments each got', async () => {
  await using cluster = new WriterCluster();
  const process = await cluster.startActive('w');
  const a = await cluster.createCollection(process, 'a');
  const b = await cluster.createCollection(process, 'b');
  await insert(cluster, process, a, [1]);
  const { segmentIds } = await cluster.settle(process.writer.api.flush([a.id, b.id], CALL));
  assert.deepEqual([segmentIds.get(a.id)!.length, segmentIds.get(b.id)!.length], [1, 0]);
  await assert.rejects(cluster.settle(process.writer.api.flush(['99' as never], CALL)), {
    code: 'COLLECTION_NOT_FOUND',
  });
});
