import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CollectionMeta } from '../../catalog/model.ts';
import { MishardsError } from '../../errors/index.ts';
import { CompactionStage, GRACE_MS, WARM_UP_MS } from '../../../test/support/compaction-stage.ts';
import { InterceptedObjectStore } from '../../../test/support/intercepted-object-store.ts';
import { CALL } from '../../../test/support/writer-cluster.ts';

test('small segments become one, and what they were made of goes after the grace', async () => {
  await using stage = new CompactionStage();
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
  await using stage = new CompactionStage({}, (store) => {
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
  await using stage = new CompactionStage();
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
  await using stage = new CompactionStage({ compactionSegmentsMin: 64 });
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
  await using stage = new CompactionStage();
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
    await using stage = new CompactionStage({}, (store) => {
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
  await using stage = new CompactionStage();
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
    await using stage = new CompactionStage({}, (store) => {
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
  await using stage = new CompactionStage();
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
  await using stage = new CompactionStage({ compactionSegmentsMin: 64 }, (store) => {
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
  await using stage = new CompactionStage({ compactionSegmentsMin: 64 }, (store) => {
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
