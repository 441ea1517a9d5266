import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChannelId, LogSequence } from '../schema/index.ts';
import { decodeMutation } from '../segment/mutation-codec.ts';
import { CALL, WriterCluster, insertOf } from '../../test/support/writer-cluster.ts';

const from = (...positions: [ChannelId, LogSequence][]) => new Map(positions);

test('entries at hand are answered at once, with their place and content', async () => {
  await using cluster = new WriterCluster();
  const process = await cluster.startActive('w');
  const { api } = process.writer;
  const collection = await cluster.createCollection(process, 'c');
  const [channel] = collection.channels as [ChannelId];
  for (const key of [1n, 2n, 3n]) {
    await cluster.settle(api.insert(insertOf(collection, [key], [Number(key)]), CALL));
  }
  const request = { from: from([channel, 2]), waitMs: 60_000, bytesMax: 1_000_000 };
  const { entries, behind, last } = await api.follow(request, CALL);
  assert.deepEqual(behind, []);
  assert.deepEqual([...last], [[channel, 3]]);
  const found = entries.get(channel)!;
  assert.deepEqual(
    found.map(({ sequence, epoch }) => [sequence, epoch]),
    [
      [2, 1],
      [3, 1],
    ],
  );
  const mutation = decodeMutation(found[0]!.type, found[0]!.payload);
  assert.equal(mutation.kind === 'insert' && mutation.rows.rowCount, 1);
  const little = await api.follow({ ...request, from: from([channel, 1]), bytesMax: 1 }, CALL);
  assert.equal(little.entries.get(channel)!.length, 1);
});

test('a caller that is up to date waits for the next entry of any of its channels', async () => {
  await using cluster = new WriterCluster();
  const process = await cluster.startActive('w');
  const { api } = process.writer;
  const collection = await cluster.createCollection(process, 'c', { shardsNum: 4 });
  const positions = from(...collection.channels.map((id): [ChannelId, number] => [id, 1]));
  let isAnswered = false;
  const answer = api.follow({ from: positions, waitMs: 60_000, bytesMax: 1_000 }, CALL);
  void answer.then(() => (isAnswered = true));
  await cluster.host.timers.advance(5_000);
  assert.equal(isAnswered, false);
  const { positions: written } = await cluster.settle(api.insert(insertOf(collection, [1n], [1]), CALL));
  const { entries, last } = await cluster.settle(answer);
  assert.deepEqual([...entries.keys()], [...written.keys()]);
  assert.equal(last.size, 4);
});

test('without new entries the answer is empty after the wait, at once when the wait is 0', async () => {
  await using cluster = new WriterCluster();
  const process = await cluster.startActive('w');
  const { api } = process.writer;
  const collection = await cluster.createCollection(process, 'c');
  const [channel] = collection.channels as [ChannelId];
  const request = { from: from([channel, 1]), waitMs: 2_000, bytesMax: 1_000 };
  const startMs = cluster.host.clock.monotonicMs();
  const empty = await cluster.settle(api.follow(request, CALL));
  assert.ok(cluster.host.clock.monotonicMs() - startMs >= 2_000);
  const expected = { entries: new Map(), behind: [], last: new Map([[channel, 0]]) };
  assert.deepEqual(empty, expected);
  assert.deepEqual(await api.follow({ ...request, waitMs: 0 }, CALL), expected);
});

test('a caller whose entries are no longer at hand is sent to the log', async () => {
  await using cluster = new WriterCluster({ writer: { tailBytesMax: 1 } });
  const process = await cluster.startActive('w');
  const { api } = process.writer;
  const collection = await cluster.createCollection(process, 'c');
  const [channel] = collection.channels as [ChannelId];
  await cluster.settle(api.insert(insertOf(collection, [1n], [1]), CALL));
  const request = { from: from([channel, 1]), waitMs: 60_000, bytesMax: 1_000 };
  assert.deepEqual(await api.follow(request, CALL), {
    entries: new Map(),
    behind: [channel],
    last: new Map([[channel, 1]]),
  });
});

test('after a takeover entries behind the checkpoint are at hand', async () => {
  await using cluster = new WriterCluster();
  const first = await cluster.startActive('w');
  const collection = await cluster.createCollection(first, 'c');
  const [channel] = collection.channels as [ChannelId];
  await cluster.settle(first.writer.api.insert(insertOf(collection, [1n], [1]), CALL));
  await cluster.settle(first.writer.api.flush([collection.id], CALL));
  await cluster.settle(first.writer.api.insert(insertOf(collection, [2n], [2]), CALL));
  await first.kill();
  const { api } = (await cluster.startActive('w')).writer;
  const request = { from: from([channel, 2]), waitMs: 0, bytesMax: 1_000 };
  const { entries } = await cluster.settle(api.follow(request, CALL));
  assert.deepEqual(
    entries.get(channel)!.map(({ sequence }) => sequence),
    [2],
  );
  const { behind } = await api.follow({ ...request, from: from([channel, 1]) }, CALL);
  assert.deepEqual(behind, [channel]);
});

test('a wait ends with the caller, with the lease, and when the collection is dropped', async () => {
  await using cluster = new WriterCluster();
  const process = await cluster.startActive('w');
  const { api } = process.writer;
  const collection = await cluster.createCollection(process, 'c');
  const other = await cluster.createCollection(process, 'd');
  const [channel] = collection.channels as [ChannelId];
  const request = { from: from([channel, 1]), waitMs: 600_000, bytesMax: 1_000 };
  const controller = new AbortController();
  const cancelled = api.follow(request, { ...CALL, signal: controller.signal });
  controller.abort(new Error('enough'));
  await assert.rejects(cancelled, /enough/);
  const waiting = api.follow(request, CALL);
  await cluster.settle(api.execute({ kind: 'drop-collection', collectionId: collection.id }, CALL));
  await cluster.settle(waiting);
  assert.deepEqual(await api.follow({ ...request, waitMs: 0 }, CALL), {
    entries: new Map(),
    behind: [],
    last: new Map(),
  });
  const left = api.follow({ ...request, from: from([other.channels[0]!, 1]) }, CALL);
  left.catch(() => undefined);
  await cluster.host.timers.advance(10);
  process.metastore.stop();
  await cluster.host.timers.advance(10_000);
  process.metastore.resume();
  await assert.rejects(cluster.settle(left), { code: 'FENCED' });
});
