import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MishardsError } from '../errors/index.ts';
import type { Guarantee, ReaderApi, SubRequest } from '../protocol/reader-api.ts';
import { CALL, keysOf, planOf, queryOf, strong } from '../../test/support/reader-asks.ts';
import { ReaderWorld, type RowToWrite } from '../../test/support/reader-world.ts';

const rowsOf = (...keys: number[]): RowToWrite[] =>
  keys.map((key) => ({ key: BigInt(key), vector: [key, 0, 0], price: null, tag: '' }));
const away = (): MishardsError => new MishardsError('STORAGE_UNAVAILABLE', 'the disk is away');
const none: Guarantee = { kind: 'none' };

async function keysSeen(
  world: ReaderWorld,
  api: ReaderApi,
  guarantee: Guarantee,
  timeoutMs = CALL.timeoutMs,
) {
  const plan = planOf(world.catalog.snapshot(), guarantee);
  return keysOf(await world.run(api.query(queryOf(plan), { timeoutMs })));
}

test('a follower reads the log while the writer is away and comes back to it', async () => {
  await using world = await ReaderWorld.create();
  const { api } = await world.startReader();
  await world.insert(rowsOf(1));
  assert.deepEqual(await keysSeen(world, api, strong(world)), [1n]);
  assert.equal(world.log.readCount, 0);

  world.writer.isAway = true;
  await world.insert(rowsOf(2));
  assert.deepEqual(await keysSeen(world, api, strong(world)), [1n, 2n]);
  assert.ok(world.log.readCount > 0);

  world.writer.isAway = false;
  await world.settle(2_000);
  const { readCount } = world.log;
  const { answerCount } = world.writer;
  await world.insert(rowsOf(3));
  assert.deepEqual(await keysSeen(world, api, strong(world)), [1n, 2n, 3n]);
  assert.equal(world.log.readCount, readCount);
  assert.ok(world.writer.answerCount > answerCount);
});

test('a new leader is asked at once, no leader means the log', async () => {
  await using world = await ReaderWorld.create();
  world.writer.isAway = true;
  const { api } = await world.startReader();
  await world.settle();
  world.writer.isAway = false;
  // The one that failed rests; only a new name is worth a call.
  assert.equal(world.writer.answerCount, 0);
  await world.setWriter('writer-2');
  await world.insert(rowsOf(1));
  await world.settle(20);
  assert.ok(world.writer.answerCount > 0);
  await world.setWriter(null);
  await world.settle(20);
  const { answerCount } = world.writer;
  await world.insert(rowsOf(2));
  assert.deepEqual(await keysSeen(world, api, strong(world)), [1n, 2n]);
  assert.equal(world.writer.answerCount, answerCount);
});

test('what the writer no longer has at hand is read from the log', async () => {
  await using world = await ReaderWorld.create();
  await world.insert(rowsOf(1));
  await world.insert(rowsOf(2));
  world.writer.keptFrom = 3;
  const { api } = await world.startReader();
  await world.insert(rowsOf(3));
  assert.deepEqual(await keysSeen(world, api, strong(world)), [1n, 2n, 3n]);
  assert.ok(world.log.readCount > 0);
});

// R5 of docs/internals/read-path.md.
test('a follower whose next entries are gone goes on behind the checkpoint', async () => {
  await using world = await ReaderWorld.create();
  const [channel] = world.channels;
  const { api } = await world.startReader();
  await world.insert(rowsOf(1, 2, 3));
  await world.flush(channel!);
  await world.settle();
  const before = planOf(world.catalog.snapshot(), none);
  assert.deepEqual(await keysSeen(world, api, strong(world)), [1n, 2n, 3n]);

  world.writer.isAway = true;
  world.log.failure = away();
  await world.delete([1n]);
  await world.insert(rowsOf(4));
  await world.flush(channel!);
  await world.log.truncate(channel!, world.lastSequence(channel!) + 1);
  await world.settle();
  world.log.failure = null;
  await world.upsert(rowsOf(2, 5));
  assert.deepEqual(await keysSeen(world, api, strong(world)), [2n, 3n, 4n, 5n]);
  await assert.rejects(world.run(api.query(queryOf(before), CALL)), { code: 'STALE_PLAN' });
});

test('segments that were superseded while the log was lost answer no more', async () => {
  await using world = await ReaderWorld.create();
  const [channel] = world.channels;
  const { api } = await world.startReader();
  await world.insert(rowsOf(1, 2));
  await world.flush(channel!);
  await world.settle();
  const old = planOf(world.catalog.snapshot(), none);
  world.writer.isAway = true;
  world.log.failure = away();
  await world.settle();
  const position = world.lastSequence(channel!) + 1;
  const guarantee: Guarantee = { kind: 'positions', positions: new Map([[channel!, position]]) };
  // It has the old segment open and waits for what only the newer ones know.
  const waiting = api
    .query(queryOf({ ...old, channels: [], guarantee }), CALL)
    .catch((error: unknown) => error);
  await world.settle();
  await world.delete([1n]);
  await world.flush(channel!);
  await world.compact(channel!);
  await world.log.truncate(channel!, world.lastSequence(channel!) + 1);
  world.log.failure = null;
  assert.deepEqual(await keysSeen(world, api, strong(world)), [2n]);
  assert.equal(((await world.run(waiting)) as MishardsError).code, 'STALE_PLAN');
  const ofOldSegments: SubRequest = { ...old, channels: [] };
  await assert.rejects(world.run(api.query(queryOf(ofOldSegments), CALL)), { code: 'STALE_PLAN' });
});

test('a damaged entry fails those who wait for it, not the other channels', async () => {
  await using world = await ReaderWorld.create({ channelCount: 2 });
  const [damaged, sound] = world.channels;
  const { api } = await world.startReader();
  await world.insert(rowsOf(0, 1));
  await world.settle();
  await world.appendRaw(damaged!, { type: 1, payload: new Uint8Array(5) });
  await world.insert(rowsOf(3));
  const ofDamaged: Guarantee = { kind: 'positions', positions: new Map([[damaged!, 2]]) };
  await assert.rejects(keysSeen(world, api, ofDamaged), { code: 'CORRUPT_DATA' });
  const ofSound: Guarantee = { kind: 'positions', positions: new Map([[sound!, 2]]) };
  assert.deepEqual(await keysSeen(world, api, ofSound), [0n, 1n, 3n]);
});

test('without a guarantee nothing is waited for', async () => {
  await using world = await ReaderWorld.create();
  world.writer.isAway = true;
  world.log.failure = away();
  const { api } = await world.startReader();
  await world.insert(rowsOf(1));
  assert.deepEqual(await keysSeen(world, api, none), []);
  const waiting = keysSeen(world, api, strong(world), 500);
  await assert.rejects(waiting, { code: 'DEADLINE_EXCEEDED' });
});

test('the end of the log is reached, or the failure told', async () => {
  await using world = await ReaderWorld.create();
  const { api } = await world.startReader();
  await world.settle();
  world.writer.isAway = true;
  await world.insert(rowsOf(1));
  const logEnd: Guarantee = { kind: 'log-end' };
  assert.deepEqual(await keysSeen(world, api, logEnd), [1n]);
  world.log.failure = away();
  await assert.rejects(keysSeen(world, api, logEnd), { code: 'STORAGE_UNAVAILABLE' });
});

test('bounded staleness asks the writer only when nothing was heard within the bound', async () => {
  await using world = await ReaderWorld.create();
  const { api } = await world.startReader('reader-1', { options: { followWaitMs: 2_000 } });
  await world.insert(rowsOf(1));
  await world.settle(10);
  const { answerCount } = world.writer;
  assert.deepEqual(await keysSeen(world, api, { kind: 'staleness', maxMs: 1_000 }), [1n]);
  assert.equal(world.writer.answerCount, answerCount);
  await world.settle(500);
  assert.deepEqual(await keysSeen(world, api, { kind: 'staleness', maxMs: 100 }), [1n]);
  assert.equal(world.writer.answerCount, answerCount + 1);

  world.writer.isAway = true;
  await world.insert(rowsOf(2));
  assert.deepEqual(await keysSeen(world, api, { kind: 'staleness', maxMs: 0 }), [1n, 2n]);
  world.log.failure = away();
  await world.insert(rowsOf(3));
  await assert.rejects(keysSeen(world, api, { kind: 'staleness', maxMs: 0 }), {
    code: 'STORAGE_UNAVAILABLE',
  });
  assert.deepEqual(await keysSeen(world, api, { kind: 'staleness', maxMs: 60_000 }), [1n, 2n]);
});
