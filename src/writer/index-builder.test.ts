import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CollectionMeta, SegmentMeta } from '../catalog/model.ts';
import { MishardsError } from '../errors/index.ts';
import { compileFilter, parseFilter } from '../filter/index.ts';
import type { ObjectStore } from '../object-store/object-store.ts';
import { openSegment } from '../segment/open-segment.ts';
import { batchOf, modelSchema, PRICE, TAG } from '../../test/support/model-rows.ts';
import { InterceptedObjectStore } from '../../test/support/intercepted-object-store.ts';
import { CALL, WriterCluster, insertOf, type WriterProcess } from '../../test/support/writer-cluster.ts';

async function createIndex(
  cluster: WriterCluster,
  { writer }: WriterProcess,
  { id }: CollectionMeta,
  type = 'HNSW',
): Promise<void> {
  const index = {
    name: '',
    fieldId: 101,
    requestedType: type,
    type,
    metric: 'L2',
    params: { M: '8' },
  } as const;
  await cluster.settle(writer.api.execute({ kind: 'create-index', collectionId: id, ...index }, CALL));
}

/** One segment for each count of rows. */
async function write(
  cluster: WriterCluster,
  { writer }: WriterProcess,
  collection: CollectionMeta,
  ...counts: readonly number[]
): Promise<void> {
  let key = 0n;
  for (const count of counts) {
    const keys = Array.from({ length: count }, () => key++);
    await cluster.settle(writer.api.insert(insertOf(collection, keys, keys.map(Number)), CALL));
    await cluster.settle(writer.api.flush([collection.id], CALL));
  }
}

const segmentsOf = ({ catalog }: WriterProcess, { id }: CollectionMeta): readonly SegmentMeta[] =>
  catalog.snapshot().segmentsOf(id);

const indexed = (process: WriterProcess, collection: CollectionMeta): number =>
  segmentsOf(process, collection).filter(({ indexes }) => indexes.length > 0).length;

/** Nothing is compacted. */
const options = { indexRowsMin: 10, retryMs: 50, compactionSegmentsMin: 64 };

test('segments get the files of declared indexes, whichever came first; small ones need none', async () => {
  await using cluster = new WriterCluster({ writer: options });
  const process = await cluster.startActive('w');
  const collection = await cluster.createCollection(process, 'c');
  await write(cluster, process, collection, 20, 9);
  await createIndex(cluster, process, collection);
  await cluster.until(() => indexed(process, collection) === 1);
  await write(cluster, process, collection, 30);
  await cluster.until(() => indexed(process, collection) === 2);
  await cluster.host.timers.advance(2_000);
  const { indexes } = process.catalog.snapshot().collections.get(collection.id)!;
  for (const segment of segmentsOf(process, collection)) {
    const wanted = segment.rowCount < 10 ? [] : [indexes[0]!.id];
    assert.deepEqual(
      segment.indexes.map((file) => file.indexId),
      wanted,
    );
    await using cache = await cluster.cache('check');
    const { kernel, host } = cluster;
    await using opened = await openSegment({ meta: segment, schema: collection.schema, cache, kernel, host });
    assert.deepEqual([...opened.openIndexes], wanted);
  }
  assert.equal(process.writer.figures!.indexFilesMissing, 0);
});

test('an index that needs no file asks for no build', async () => {
  await using cluster = new WriterCluster({ writer: options });
  const process = await cluster.startActive('w');
  const collection = await cluster.createCollection(process, 'c');
  await createIndex(cluster, process, collection, 'FLAT');
  await write(cluster, process, collection, 20);
  await cluster.host.timers.advance(5_000);
  assert.equal(indexed(process, collection), 0);
});

test('a build that fails is tried again; one that was under way at a kill is built by the next writer', async () => {
  let failures = 2;
  let gate: Promise<void> | null = null;
  const decorate = (store: ObjectStore): ObjectStore =>
    new InterceptedObjectStore(store, {
      before: async (key) => {
        if (!key.endsWith('.idx')) return;
        if (failures-- > 0) throw new MishardsError('STORAGE_UNAVAILABLE', 'the bucket failed');
        await gate;
      },
    });
  await using cluster = new WriterCluster({ writer: options, decorate });
  const first = await cluster.startActive('w');
  const collection = await cluster.createCollection(first, 'c');
  await createIndex(cluster, first, collection);
  await write(cluster, first, collection, 20);
  await cluster.until(() => indexed(first, collection) === 1);
  const hold = Promise.withResolvers<void>();
  gate = hold.promise;
  await write(cluster, first, collection, 20);
  await cluster.until(() => first.writer.figures!.indexBuildsRunning === 1);
  first.metastore.stop();
  hold.resolve();
  await first.kill();
  gate = null;
  const second = await cluster.startActive('w');
  await cluster.until(() => indexed(second, collection) === 2);
});

test('builds run within their bound', async () => {
  let running = 0;
  let most = 0;
  const pauses: (() => Promise<void>)[] = [];
  const decorate = (store: ObjectStore): ObjectStore =>
    new InterceptedObjectStore(store, {
      before: async (key) => {
        if (!key.endsWith('.idx')) return;
        most = Math.max(most, ++running);
        await pauses[0]!();
        running--;
      },
    });
  await using cluster = new WriterCluster({ writer: { ...options, indexConcurrency: 2 }, decorate });
  pauses.push(() => cluster.host.timers.sleep(1_000));
  const process = await cluster.startActive('w');
  const collection = await cluster.createCollection(process, 'c');
  await write(cluster, process, collection, 20, 20, 20, 20, 20);
  await createIndex(cluster, process, collection);
  await cluster.until(() => indexed(process, collection) === 5);
  assert.equal(most, 2);
});

test('files of a dropped index go after the grace, and the index can be declared anew', async () => {
  await using cluster = new WriterCluster({ writer: { ...options, orphanGraceMs: 5_000 } });
  const process = await cluster.startActive('w');
  const collection = await cluster.createCollection(process, 'c');
  await write(cluster, process, collection, 20);
  await createIndex(cluster, process, collection);
  await cluster.until(() => indexed(process, collection) === 1);
  const [index] = process.catalog.snapshot().collections.get(collection.id)!.indexes;
  const drop = { kind: 'drop-index', collectionId: collection.id, indexId: index!.id } as const;
  await cluster.settle(process.writer.api.execute(drop, CALL));
  const files = async () =>
    (await cluster.objectStore.list('segment/')).filter(({ key }) => key.endsWith('.idx')).length;
  await cluster.host.timers.advance(4_000);
  assert.equal(await files(), 1);
  await cluster.host.timers.advance(3_000);
  assert.equal(await files(), 0);
  assert.equal(indexed(process, collection), 0);
  await createIndex(cluster, process, collection);
  await cluster.until(() => indexed(process, collection) === 1);
});

test('an index dropped while it is built leaves no file', async () => {
  const hold = Promise.withResolvers<void>();
  const decorate = (store: ObjectStore): ObjectStore =>
    new InterceptedObjectStore(store, { after: (key) => (key.endsWith('.idx') ? hold.promise : undefined) });
  await using cluster = new WriterCluster({ writer: options, decorate });
  const process = await cluster.startActive('w');
  const collection = await cluster.createCollection(process, 'c');
  await write(cluster, process, collection, 20);
  await createIndex(cluster, process, collection);
  await cluster.until(() => process.writer.figures!.indexBuildsRunning === 1);
  const [index] = process.catalog.snapshot().collections.get(collection.id)!.indexes;
  const drop = { kind: 'drop-index', collectionId: collection.id, indexId: index!.id } as const;
  await cluster.settle(process.writer.api.execute(drop, CALL));
  hold.resolve();
  await cluster.until(() => process.writer.figures!.indexBuildsRunning === 0);
  const files = await cluster.objectStore.list('segment/');
  assert.ok(files.every(({ key }) => !key.endsWith('.idx')));
  assert.equal(indexed(process, collection), 0);
});

test('scalar fields get index files too, the primary key needs none, and dropping an index removes its files', async () => {
  await using cluster = new WriterCluster({ writer: { ...options, orphanGraceMs: 1_000 } });
  const process = await cluster.startActive('w');
  const schema = modelSchema(2);
  const collection = await cluster.createCollection(process, 'c', { schema });
  const rows = Array.from({ length: 20 }, (_, row) => ({
    key: BigInt(row),
    vector: [row, 0],
    price: row % 4 === 0 ? null : row % 3,
    tag: `t${row % 5}`,
  }));
  const insert = { ...insertOf(collection, [0n], [0]), rows: batchOf(schema, rows) };
  await cluster.settle(process.writer.api.insert(insert, CALL));
  await cluster.settle(process.writer.api.flush([collection.id], CALL));
  const create = async (fieldId: number, type: string): Promise<void> => {
    const index = { name: '', fieldId, requestedType: type, type, metric: null, params: {} };
    const command = { kind: 'create-index', collectionId: collection.id, ...index } as const;
    await cluster.settle(process.writer.api.execute(command, CALL));
  };
  await create(100, 'STL_SORT');
  await create(PRICE, 'STL_SORT');
  await create(TAG, 'TRIE');
  const files = () => segmentsOf(process, collection)[0]!.indexes;
  await cluster.until(() => files().length === 2);
  await cluster.host.timers.advance(2_000);
  assert.deepEqual(
    files()
      .map(({ fieldId, type }) => [fieldId, type])
      .sort(),
    [
      [PRICE, 'STL_SORT'],
      [TAG, 'TRIE'],
    ],
  );
  assert.equal(process.writer.figures!.indexFilesMissing, 0);
  const [segment] = segmentsOf(process, collection);
  await using cache = await cluster.cache('check');
  const { kernel, host } = cluster;
  await using opened = await openSegment({ meta: segment!, schema, cache, kernel, host });
  const count = (filter: string) =>
    opened.matches(compileFilter(parseFilter(filter), schema).predicate)?.count;
  assert.equal(count('tag like "t1%"'), 4);
  assert.equal(count('price is null'), 5);
  const { indexes } = process.catalog.snapshot().collections.get(collection.id)!;
  for (const { id } of indexes) {
    const drop = { kind: 'drop-index', collectionId: collection.id, indexId: id } as const;
    await cluster.settle(process.writer.api.execute(drop, CALL));
  }
  await cluster.host.timers.advance(5_000);
  assert.deepEqual(files(), []);
  const objects = await cluster.objectStore.list('segment/');
  assert.ok(objects.every(({ key }) => !key.endsWith('.idx')));
});
