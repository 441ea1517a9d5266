import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CollectionMeta, SegmentMeta } from '../../catalog/model.ts';
import { keysFromValues } from '../../columns/index.ts';
import { MishardsError } from '../../errors/index.ts';
import type { ObjectStore } from '../../object-store/object-store.ts';
import { InterceptedObjectStore } from '../../../test/support/intercepted-object-store.ts';
import { readBack } from '../../../test/support/read-back.ts';
import { CALL, WriterCluster, insertOf, type WriterProcess } from '../../../test/support/writer-cluster.ts';

const WARM_UP_MS = 5_000;
const GRACE_MS = 20_000;
const options = {
  compactionSegmentsMin: 3,
  compactionWarmUpMs: WARM_UP_MS,
  indexRowsMin: 10,
  logGraceMs: 1_000,
  orphanGraceMs: GRACE_MS,
  garbageIntervalMs: 10_000,
  retryMs: 50,
};

class Stage implements AsyncDisposable {
  readonly cluster: WriterCluster;
  process!: WriterProcess;
  collection!: CollectionMeta;
  #key = 0;

  constructor(change: Partial<typeof options> = {}, decorate?: (store: ObjectStore) => ObjectStore) {
    this.cluster = new WriterCluster({ writer: { ...options, ...change }, ...(decorate && { decorate }) });
  }

  async open(properties: Readonly<Record<string, string>> = {}): Promise<void> {
    this.process = await this.cluster.startActive('w1');
    this.collection = await this.cluster.createCollection(this.process, 'c', { properties });
  }

  get segments(): readonly SegmentMeta[] {
    return this.process.catalog.snapshot().segmentsOf(this.collection.id);
  }

  get incoming(): readonly SegmentMeta[] {
    return this.process.catalog.snapshot().incomingOf(this.collection.id);
  }

  get deltaCount(): number {
    return this.process.catalog.snapshot().channelsOf(this.collection.id)[0]!.deltas.length;
  }

  /** A segment of rows with the next keys. */
  async flushed(rowCount: number): Promise<void> {
    await this.insert(rowCount);
    await this.flush();
  }

  async insert(rowCount: number): Promise<void> {
    const keys = Array.from({ length: rowCount }, () => BigInt(this.#key++));
    await this.#write((api) => api.insert(insertOf(this.collection, keys, keys.map(Number)), CALL));
  }

  async delete(...keys: readonly number[]): Promise<void> {
    await this.#write((api) =>
      api.delete(
        {
          collectionId: this.collection.id,
          partitionId: null,
          keys: keysFromValues('Int64', keys.map(BigInt)),
        },
        CALL,
      ),
    );
  }

  async flush(): Promise<void> {
    await this.#write((api) => api.flush([this.collection.id], CALL));
  }

  async load(): Promise<void> {
    await this.index();
    const load = { replicas: 1, partitionIds: null, fieldIds: null };
    await this.#write((api) =>
      api.execute({ kind: 'load', collectionId: this.collection.id, ...load }, CALL),
    );
  }

  async index(): Promise<void> {
    const index = { requestedType: 'HNSW', type: 'HNSW', metric: 'L2', params: {} } as const;
    const target = { collectionId: this.collection.id, name: '', fieldId: 101 };
    await this.#write((api) => api.execute({ kind: 'create-index', ...target, ...index }, CALL));
  }

  async compact(): Promise<string> {
    const api = this.process.writer.api;
    const { compactionId } = await this.cluster.settle(api.compact(this.collection.id, CALL));
    return compactionId;
  }

  async state(compactionId: string) {
    const answer = this.process.writer.api.compactionState(compactionId, CALL);
    const { revision, ...state } = await this.cluster.settle(answer);
    assert.ok(this.process.catalog.snapshot().revision >= revision);
    return state;
  }

  async rowCount(): Promise<number> {
    return (await readBack(this.cluster, this.collection.id)).rows.size;
  }

  async objects(): Promise<readonly string[]> {
    const listed = [
      ...(await this.cluster.objectStore.list('segment/')),
      ...(await this.cluster.objectStore.list('delta/')),
    ];
    return listed.map(({ key }) => key);
  }

  /** What the catalog names is all there is. */
  async assertTidy(): Promise<void> {
    const named = [...this.segments, ...this.incoming].flatMap((segment) =>
      [segment.rows, ...segment.vectors, ...segment.indexes].map(({ objectKey }) => objectKey),
    );
    const { deltas } = this.process.catalog.snapshot().channelsOf(this.collection.id)[0]!;
    const all = [...named, ...deltas.map(({ objectKey }) => objectKey)];
    assert.deepEqual([...(await this.objects())].sort(), all.sort());
  }

  async replaced(count: number): Promise<void> {
    await this.cluster.until(() => this.segments.length === count && this.incoming.length === 0);
  }

  async killed(name = 'w2'): Promise<void> {
    await this.process.kill();
    this.process = await this.cluster.startActive(name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cluster[Symbol.asyncDispose]();
  }

  async #write<T>(write: (api: WriterProcess['writer']['api']) => Promise<T>): Promise<T> {
    return await this.cluster.settle(write(this.process.writer.api));
  }
}

test('small segments become one, and what they were made of goes after the grace', async () => {
  await using stage = new Stage();
  await stage.open();
  for (let count = 0; count < 3; count++) await stage.flushed(4);
  const before = stage.segments;
  await stage.replaced(1);
  const [merged] = stage.segments;
  assert.equal(merged!.rowCount, 12);
  assert.deepEqual(merged!.replaces, []);
  assert.equal(await stage.rowCount(), 12);
  const objects = await stage.objects();
  for (const { rows } of before) assert.ok(objects.includes(rows.objectKey), 'plans made before need it');
  await stage.cluster.host.timers.advance(GRACE_MS + 1_000);
  await stage.assertTidy();
});

test('W12: a merged segment is read when its index is there and readers had time to open it', async () => {
  let gate: Promise<void> | null = null;
  await using stage = new Stage({}, (store) => {
    return new InterceptedObjectStore(store, {
      before: async (key) => void (key.endsWith('.idx') && (await gate)),
    });
  });
  await stage.open();
  await stage.load();
  for (let count = 0; count < 2; count++) await stage.flushed(20);
  await stage.cluster.until(() => stage.segments.every(({ indexes }) => indexes.length === 1));
  const hold = Promise.withResolvers<void>();
  gate = hold.promise;
  await stage.flushed(20);
  await stage.cluster.until(() => stage.incoming.length === 1);
  const [incoming] = stage.incoming;
  assert.deepEqual(
    incoming!.replaces,
    stage.segments.map(({ id }) => id),
  );
  await stage.cluster.host.timers.advance(60_000);
  assert.equal(stage.segments.length, 3, 'it has no index yet');
  hold.resolve();
  await stage.cluster.until(() => stage.incoming[0]!.indexes.length === 1);
  await stage.cluster.host.timers.advance(WARM_UP_MS - 1_000);
  assert.equal(stage.segments.length, 3, 'readers open it');
  await stage.replaced(1);
  assert.equal(stage.segments[0]!.id, incoming!.id);
  assert.equal(stage.segments[0]!.indexes.length, 1);
});

test('W12: deletes that come while a merged segment waits are not forgotten', async () => {
  await using stage = new Stage();
  await stage.open();
  await stage.load();
  for (let count = 0; count < 3; count++) await stage.flushed(3);
  await stage.cluster.until(() => stage.incoming.length === 1);
  await stage.delete(0, 4, 8);
  await stage.flush();
  assert.equal(stage.deltaCount, 1);
  await stage.replaced(1);
  assert.equal(stage.segments[0]!.rowCount, 9);
  assert.equal(await stage.rowCount(), 6);
  await stage.cluster.until(() => stage.segments[0]!.rowCount === 6);
  await stage.cluster.until(() => stage.deltaCount === 0);
  assert.equal(await stage.rowCount(), 6);
});

test('segments with enough deleted rows are rewritten; few deletes, and those that meet nothing, cost no rewrite', async () => {
  await using stage = new Stage({ compactionSegmentsMin: 64 });
  await stage.open();
  await stage.flushed(20);
  const [first] = stage.segments;
  await stage.delete(1_000, 1_001, 1_002, 1_003, 1_004);
  await stage.flush();
  assert.equal(stage.deltaCount, 1);
  await stage.cluster.until(() => stage.deltaCount === 0);
  assert.equal(stage.segments[0]!.id, first!.id, 'a look was enough');
  await stage.delete(1, 2, 3);
  await stage.flush();
  await stage.cluster.host.timers.advance(5_000);
  assert.equal(stage.segments[0]!.id, first!.id);
  assert.equal(stage.deltaCount, 1);
  await stage.delete(4, 5);
  await stage.flush();
  await stage.cluster.until(() => stage.segments[0]!.rowCount === 15);
  assert.equal(stage.deltaCount, 0);
  assert.equal(await stage.rowCount(), 15);
  await stage.delete(...Array.from({ length: 20 }, (_, key) => key));
  await stage.flush();
  await stage.cluster.until(() => stage.segments.length === 0 && stage.deltaCount === 0);
  await stage.cluster.host.timers.advance(GRACE_MS + 1_000);
  assert.deepEqual(await stage.objects(), []);
});

test('rows that have outlived their time give their space back', async () => {
  await using stage = new Stage();
  await stage.open({ 'collection.ttl.seconds': '100' });
  await stage.flushed(5);
  await stage.cluster.host.timers.advance(60_000);
  await stage.flushed(5);
  await stage.cluster.host.timers.advance(50_000);
  assert.equal(stage.segments.length, 2, 'searches planned before may still count them');
  await stage.cluster.until(() => stage.segments.length === 1);
  assert.equal(await stage.rowCount(), 5);
  await stage.cluster.until(() => stage.segments.length === 0);
  await stage.cluster.host.timers.advance(GRACE_MS + 1_000);
  assert.deepEqual(await stage.objects(), []);
});

test('W12: a writer that is killed at any step leaves nothing undone, nothing lost and nothing for ever', async () => {
  for (let deadly = 0, isOver = false; !isOver; deadly++) {
    let puts = 0;
    let isArmed = false;
    const died = Promise.withResolvers<void>();
    await using stage = new Stage({}, (store) => {
      const count = async (): Promise<void> => {
        if (!isArmed || puts++ !== deadly) return;
        died.resolve();
        // What a killed process was doing never ends.
        throw new MishardsError('STORAGE_UNAVAILABLE', 'the process is dead');
      };
      return new InterceptedObjectStore(store, { before: count, after: count });
    });
    await stage.open();
    await stage.load();
    for (let flush = 0; flush < 2; flush++) await stage.flushed(10);
    await stage.delete(0, 10);
    await stage.cluster.until(() => stage.segments.every(({ indexes }) => indexes.length === 1));
    isArmed = true;
    const flushed = stage.flushed(10).catch(() => undefined);
    await Promise.race([died.promise, flushed.then(() => stage.replaced(1))]);
    isArmed = false;
    isOver = puts <= deadly;
    await stage.killed();
    await flushed;
    await stage.flush();
    await stage.replaced(1);
    assert.equal(await stage.rowCount(), 28, `killed at step ${deadly}`);
    await stage.cluster.host.timers.advance(3 * GRACE_MS + 10_000);
    await stage.assertTidy();
    assert.ok(deadly < 40);
  }
});

test('an announced segment takes its place also under the next writer', async () => {
  await using stage = new Stage();
  await stage.open();
  await stage.load();
  for (let count = 0; count < 3; count++) await stage.flushed(3);
  await stage.cluster.until(() => stage.incoming.length === 1);
  const { id } = stage.incoming[0]!;
  await stage.killed();
  await stage.replaced(1);
  assert.equal(stage.segments[0]!.id, id);
  assert.equal(await stage.rowCount(), 9);
});

test('what a drop of the partition overtakes comes to nothing, whenever it happens', async () => {
  for (const isAnnounced of [false, true]) {
    const reached = Promise.withResolvers<void>();
    let gate: Promise<void> | null = null;
    await using stage = new Stage({}, (store) => {
      return new InterceptedObjectStore(store, {
        before: async () => {
          if (gate === null) return;
          reached.resolve();
          await gate;
        },
      });
    });
    await stage.open();
    await stage.load();
    const hold = Promise.withResolvers<void>();
    for (let count = 0; count < 3; count++) await stage.flushed(3);
    if (!isAnnounced) gate = hold.promise;
    const waited = isAnnounced
      ? stage.cluster.until(() => stage.incoming.length === 1)
      : stage.cluster.settle(reached.promise);
    await waited;
    const wish = await stage.compact();
    const { api } = stage.process.writer;
    await stage.cluster.settle(
      api.execute({ kind: 'truncate-collection', collectionId: stage.collection.id }, CALL),
    );
    gate = null;
    hold.resolve();
    await stage.cluster.host.timers.advance(5 * GRACE_MS);
    assert.equal((await stage.state(wish)).executingCount, 0, 'who polls comes to an end');
    assert.deepEqual([stage.segments, stage.incoming], [[], []]);
    assert.deepEqual(await stage.objects(), []);
  }
});

test('a client may ask for compaction and see how far it is', async () => {
  await using stage = new Stage();
  await stage.open();
  await stage.load();
  for (let count = 0; count < 2; count++) await stage.flushed(20);
  await stage.delete(3);
  await stage.flush();
  const sources = stage.segments.map(({ id }) => id);
  const wish = await stage.compact();
  assert.deepEqual(await stage.state(wish), {
    executingCount: 1,
    completedCount: 0,
    failedCount: 0,
    merges: [{ sources, target: null }],
  });
  await stage.cluster.until(() => stage.incoming.length === 1);
  const again = await stage.compact();
  await stage.replaced(1);
  const [merged] = stage.segments;
  assert.equal(merged!.rowCount, 39);
  await stage.cluster.host.timers.advance(1_000);
  for (const one of [wish, again]) {
    assert.deepEqual(await stage.state(one), {
      executingCount: 0,
      completedCount: 1,
      failedCount: 0,
      merges: [{ sources, target: merged!.id }],
    });
  }
  const idle = { executingCount: 0, completedCount: 0, failedCount: 0, merges: [] };
  assert.deepEqual(await stage.state(await stage.compact()), idle, 'nothing to do');
  await stage.killed();
  assert.deepEqual(await stage.state(wish), idle, 'the next writer does not know it');
  const unknown = { ...stage.collection, id: '999' } as CollectionMeta;
  await assert.rejects(stage.cluster.settle(stage.process.writer.api.compact(unknown.id, CALL)), {
    code: 'COLLECTION_NOT_FOUND',
  });
});

test('what waits to be merged is merged once, however often it is asked for', async () => {
  const written = new Set<string>();
  let gate: Promise<void> | null = null;
  await using stage = new Stage({ compactionSegmentsMin: 64 }, (store) => {
    return new InterceptedObjectStore(store, {
      before: async (key) => {
        await gate;
        if (key.endsWith('/rows.arrow')) written.add(key);
      },
    });
  });
  await stage.open();
  await stage.load();
  for (let count = 0; count < 3; count++) await stage.flushed(3);
  const wanted = stage.collection;
  const other = await stage.cluster.createCollection(stage.process, 'other');
  stage.collection = other;
  for (let count = 0; count < 2; count++) await stage.flushed(3);
  written.clear();
  const hold = Promise.withResolvers<void>();
  gate = hold.promise;
  await stage.compact();
  stage.collection = wanted;
  const wishes: string[] = [];
  for (let count = 0; count < 3; count++) wishes.push(await stage.compact());
  hold.resolve();
  gate = null;
  await stage.cluster.until(() => stage.incoming.length === 1);
  const [target] = stage.incoming;
  await stage.cluster.host.timers.advance(WARM_UP_MS - 1_000);
  const ofWanted = [...written].filter((key) => key.startsWith(`segment/${wanted.id}/`));
  assert.deepEqual(ofWanted, [target!.rows.objectKey]);
  await stage.replaced(1);
  await stage.cluster.host.timers.advance(1_000);
  for (const wish of wishes) {
    const { executingCount, completedCount } = await stage.state(wish);
    assert.deepEqual({ executingCount, completedCount }, { executingCount: 0, completedCount: 1 });
  }
});

test('a collection whose dead segments are still being merged keeps no other waiting', async () => {
  let gate: Promise<void> | null = null;
  await using stage = new Stage({ compactionSegmentsMin: 64 }, (store) => {
    return new InterceptedObjectStore(store, { before: async () => void (await gate) });
  });
  const properties = { 'collection.ttl.seconds': '100' };
  await stage.open(properties);
  const first = stage.collection;
  for (let count = 0; count < 2; count++) await stage.flushed(3);
  stage.collection = await stage.cluster.createCollection(stage.process, 'other', { properties });
  const other = stage.collection;
  await stage.flushed(3);
  const hold = Promise.withResolvers<void>();
  gate = hold.promise;
  stage.collection = first;
  await stage.compact();
  await stage.cluster.host.timers.advance(100_000 + GRACE_MS + 10_000);
  const left = [first, other].map(({ id }) => stage.process.catalog.snapshot().segmentsOf(id).length);
  gate = null;
  hold.resolve();
  assert.deepEqual(left, [2, 0], 'those of the first are being merged');
});
