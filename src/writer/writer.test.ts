import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isErrorWithCode } from '../errors/index.ts';
import { readBack } from '../../test/support/read-back.ts';
import { CALL, WriterCluster, createCollection, insertOf } from '../../test/support/writer-cluster.ts';

test('the first writer becomes active and makes the default database', async () => {
  await using cluster = new WriterCluster();
  const process = await cluster.startActive('a');
  assert.equal(process.writer.figures!.epoch, 1);
  await cluster.until(() => process.catalog.snapshot().databases.has('default'));
  const { writer } = process.catalog.snapshot();
  assert.deepEqual(writer, { nodeId: 'a', address: 'memory://a', epoch: 1 });
});

test('a standby refuses calls and names the active writer', async () => {
  await using cluster = new WriterCluster();
  await cluster.startActive('a');
  const standby = await cluster.start('b');
  await cluster.host.timers.advance(1_000);
  assert.equal(standby.writer.isLeader, false);
  assert.equal(standby.writer.figures, null);
  await assert.rejects(standby.writer.api.execute(createCollection('c'), CALL), {
    code: 'NOT_LEADER',
    message: /ask a at memory:\/\/a/,
  });
});

test('W5: rows that were acknowledged are there after kill -9', async () => {
  await using cluster = new WriterCluster();
  const first = await cluster.startActive('w');
  const collection = await cluster.createCollection(first, 'c', { shardsNum: 2 });
  await cluster.settle(first.writer.api.insert(insertOf(collection, [1n, 2n, 3n], [1, 2, 3]), CALL));
  await first.kill();
  const second = await cluster.startActive('w');
  const counts = await cluster.settle(second.writer.api.freshRows(collection.id, CALL));
  assert.deepEqual([...counts], [[collection.partitions[0]!.id, 3]]);
  const { rows } = await readBack(cluster, collection.id);
  assert.deepEqual([...rows.keys()].sort(), [1n, 2n, 3n]);
});

test('W1: a process that comes again under its name takes over without waiting for its old lease', async () => {
  await using cluster = new WriterCluster({ writer: { leaseTtlMs: 60_000 } });
  const first = await cluster.startActive('w');
  await first.kill();
  const startMs = cluster.host.clock.monotonicMs();
  const second = await cluster.startActive('w');
  assert.ok(cluster.host.clock.monotonicMs() - startMs < 1_000);
  assert.equal(second.writer.figures!.epoch, 2);
});

test('W1: two processes under one name do not take the lease from each other for ever', async () => {
  await using cluster = new WriterCluster();
  const first = await cluster.startActive('w');
  const second = await cluster.startActive('w');
  await cluster.host.timers.advance(30_000);
  assert.equal(second.writer.figures!.epoch, 2);
  assert.equal(first.writer.isLeader, false);
});

test('a standby takes over at once from a writer that stops, and within the lease time from one that dies', async () => {
  await using cluster = new WriterCluster();
  const [a, b, c] = [await cluster.startActive('a'), await cluster.start('b'), await cluster.start('c')];
  await a.stop();
  const stoppedMs = cluster.host.clock.monotonicMs();
  await cluster.until(() => b.writer.isLeader || c.writer.isLeader);
  assert.ok(cluster.host.clock.monotonicMs() - stoppedMs < 1_000);
  const [active, standby] = b.writer.isLeader ? [b, c] : [c, b];
  await active.kill();
  const killedMs = cluster.host.clock.monotonicMs();
  await cluster.active(standby);
  assert.ok(cluster.host.clock.monotonicMs() - killedMs < 5_000);
});

test('W2, W6: a takeover fences the old writer: its acknowledgements stop, its appends and its changes fail', async () => {
  await using cluster = new WriterCluster();
  const old = await cluster.startActive('old');
  const collection = await cluster.createCollection(old, 'c');
  await cluster.settle(old.writer.api.insert(insertOf(collection, [1n], [1]), CALL));
  const next = await cluster.start('next');
  old.metastore.stop();
  const refused: unknown[] = [];
  let acknowledged = 1;
  let key = 100n;
  await cluster.until(() => {
    const insert = old.writer.api.insert(insertOf(collection, [key++], [0]), CALL);
    void insert.then(
      () => void acknowledged++,
      (error: unknown) => void refused.push(error),
    );
    return next.writer.isLeader;
  });
  assert.ok(acknowledged > 10);
  assert.ok(refused.length > 0, 'it stopped before the other took over');
  assert.ok(refused.every((error) => isErrorWithCode(error, 'NOT_LEADER', 'FENCED', 'CONNECTION_LOST')));
  await cluster.settle(next.writer.api.insert(insertOf(collection, [2n], [2]), CALL));
  const before = acknowledged;
  await assert.rejects(old.writer.api.positions(collection.id, CALL), { code: 'NOT_LEADER' });
  old.metastore.resume();
  await assert.rejects(cluster.settle(old.writer.api.execute(createCollection('d'), CALL)), (error) =>
    isErrorWithCode(error, 'NOT_LEADER', 'FENCED'),
  );
  await cluster.host.timers.advance(10_000);
  assert.equal(acknowledged, before);
  assert.equal(old.writer.isLeader, false);
  const { rows } = await readBack(cluster, collection.id);
  assert.ok(rows.size > before, 'what was acknowledged before the takeover is kept');
  assert.ok(rows.has(2n));
});

test('W6: an append of the old epoch fails even when its process believes in its lease', async () => {
  await using cluster = new WriterCluster({ writer: { leaseTtlMs: 60_000 } });
  const old = await cluster.startActive('w');
  const collection = await cluster.createCollection(old, 'c');
  const gate = Promise.withResolvers<void>();
  old.log.gate = gate.promise;
  const insert = old.writer.api.insert(insertOf(collection, [1n], [1]), CALL);
  insert.catch(() => undefined);
  old.metastore.stop();
  const next = await cluster.startActive('w');
  await cluster.settle(next.writer.api.positions(collection.id, CALL));
  assert.ok(old.writer.isLeader, 'its clock does not tell');
  gate.resolve();
  await assert.rejects(cluster.settle(insert), { code: 'FENCED' });
  await cluster.host.timers.advance(100);
  assert.equal(old.writer.isLeader, false);
  assert.equal((await readBack(cluster, collection.id)).rows.size, 0);
});

test('W7: after a failure of the log the writer begins a new epoch and finds what had been written', async () => {
  await using cluster = new WriterCluster();
  const process = await cluster.startActive('w');
  const collection = await cluster.createCollection(process, 'c');
  process.log.appends = 'happen-and-fail';
  const lost = process.writer.api.insert(insertOf(collection, [1n], [1]), CALL);
  await assert.rejects(cluster.settle(lost), { code: 'CONNECTION_LOST' });
  process.log.appends = 'fail';
  await cluster.until(() => process.writer.figures?.epoch === 2);
  const failed = process.writer.api.insert(insertOf(collection, [2n], [2]), CALL);
  await assert.rejects(cluster.settle(failed), { code: 'CONNECTION_LOST' });
  process.log.appends = 'pass';
  await cluster.until(() => process.writer.figures?.epoch === 3);
  await cluster.settle(process.writer.api.insert(insertOf(collection, [3n], [3]), CALL));
  assert.deepEqual([...(await readBack(cluster, collection.id)).rows.keys()].sort(), [1n, 3n]);
  const counts = await cluster.settle(process.writer.api.freshRows(collection.id, CALL));
  assert.deepEqual([...counts.values()], [2]);
});

test('W8: timestamps go on above all that was written, though the clock of the next writer is behind', async () => {
  await using cluster = new WriterCluster();
  const first = await cluster.startActive('a');
  const collection = await cluster.createCollection(first, 'c');
  const before = await cluster.settle(first.writer.api.insert(insertOf(collection, [1n], [1]), CALL));
  await first.stop();
  const second = await cluster.startActive('b', -3_600_000);
  const after = await cluster.settle(second.writer.api.insert(insertOf(collection, [2n], [2]), CALL));
  assert.ok(after.timestamp > before.timestamp);
});

test('W5: a channel whose log cannot be read fails alone', async () => {
  await using cluster = new WriterCluster();
  const first = await cluster.startActive('a');
  const good = await cluster.createCollection(first, 'good');
  const bad = await cluster.createCollection(first, 'bad');
  for (const collection of [good, bad]) {
    await cluster.settle(first.writer.api.insert(insertOf(collection, [1n], [1]), CALL));
  }
  await first.stop();
  const second = await cluster.start('b');
  second.log.damaged.add(bad.channels[0]!);
  await cluster.active(second);
  await cluster.settle(second.writer.api.insert(insertOf(good, [2n], [2]), CALL));
  await assert.rejects(cluster.settle(second.writer.api.insert(insertOf(bad, [2n], [2]), CALL)), {
    code: 'CORRUPT_DATA',
  });
  assert.equal(second.writer.figures!.recoveringChannelCount, 1);
  second.log.damaged.clear();
  await cluster.until(() => second.writer.figures!.recoveringChannelCount === 0);
  await cluster.settle(second.writer.api.insert(insertOf(bad, [2n], [2]), CALL));
  assert.equal((await readBack(cluster, bad.id)).rows.size, 2);
});

test('W5: a log that ends before its checkpoint is refused', async () => {
  await using cluster = new WriterCluster();
  const first = await cluster.startActive('a');
  const collection = await cluster.createCollection(first, 'c');
  await cluster.settle(first.writer.api.insert(insertOf(collection, [1n], [1]), CALL));
  await cluster.settle(first.writer.api.flush([collection.id], CALL));
  await first.stop();
  cluster.logVolume.channels.clear();
  const second = await cluster.startActive('b');
  await assert.rejects(cluster.settle(second.writer.api.insert(insertOf(collection, [2n], [2]), CALL)), {
    code: 'CORRUPT_DATA',
    message: /ends at 0, before its checkpoint 1/,
  });
});

test('a stopping writer ends the calls that only wait, lets writes finish, and refuses new ones', async () => {
  await using cluster = new WriterCluster();
  const process = await cluster.startActive('a');
  const collection = await cluster.createCollection(process, 'c');
  const gate = Promise.withResolvers<void>();
  process.log.gate = gate.promise;
  const insert = process.writer.api.insert(insertOf(collection, [1n], [1]), CALL);
  const follow = process.writer.api.follow(
    { from: new Map([[collection.channels[0]!, 1]]), waitMs: 60_000, bytesMax: 1_000 },
    CALL,
  );
  follow.catch(() => undefined);
  const stopped = process.writer.stop();
  await assert.rejects(process.writer.api.positions(collection.id, CALL), { code: 'NOT_LEADER' });
  await assert.rejects(cluster.settle(follow), { code: 'NOT_LEADER' });
  gate.resolve();
  await cluster.settle(insert);
  await cluster.settle(stopped);
  assert.equal((await readBack(cluster, collection.id)).rows.size, 1);
});

test('a writer stops even while the metastore is away', async () => {
  await using cluster = new WriterCluster();
  const process = await cluster.startActive('a');
  process.metastore.stop();
  const change = process.writer.api.execute(createCollection('c'), CALL);
  change.catch(() => undefined);
  await cluster.settle(process.writer.stop());
  await assert.rejects(change);
});

test('a writer that cannot be active says why', async () => {
  await using cluster = new WriterCluster();
  const process = await cluster.startActive('a');
  const collection = await cluster.createCollection(process, 'c');
  const told = async (): Promise<string> => {
    const error: unknown = await process.writer.api.positions(collection.id, CALL).catch((cause) => cause);
    assert.ok(isErrorWithCode(error, 'NOT_LEADER'), String(error));
    return error.message;
  };
  process.metastore.stop();
  await cluster.until(() => !process.writer.isLeader);
  assert.match(await told(), /lease could not be renewed .*: the metadata service does not answer/);
  process.log.appends = 'fail';
  process.metastore.resume();
  await cluster.active(process);
  const insert = process.writer.api.insert(insertOf(collection, [1n], [1]), CALL);
  process.metastore.stop();
  await assert.rejects(cluster.settle(insert), { code: 'CONNECTION_LOST' });
  assert.match(await told(), /not active: the log of channel .* failed/);
  await cluster.host.timers.advance(2_000);
  assert.match(await told(), /not active: the metadata service does not answer/);
  process.log.appends = 'pass';
  process.metastore.resume();
  await cluster.active(process);
  await cluster.settle(process.writer.api.positions(collection.id, CALL));
});
