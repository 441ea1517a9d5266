import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ServedChannel } from './served-channel.ts';
import { keysFromValues, valuesOf, type KeyValue } from '../columns/index.ts';
import { MishardsError } from '../errors/index.ts';
import { createSimulatedHost } from '../host/simulated/index.ts';
import { MemoryKernel } from '../kernel/memory/memory-kernel.ts';
import type { LogEntry } from '../log/log.ts';
import type { ChannelId, PartitionId, Timestamp } from '../schema/index.ts';
import { createFreshRows } from '../segment/fresh-rows.ts';
import { decodeMutation, encodeMutation } from '../segment/mutation-codec.ts';
import type { Mutation } from '../segment/mutation.ts';
import { rowBatch } from '../../test/support/fresh-sources.ts';
import { vectorSchema } from '../../test/support/schemas.ts';

const schema = vectorSchema({ dim: 2 });
const id = '1-0' as ChannelId;
const partitionId = '5' as PartitionId;
const never = new AbortController().signal;

const insertOf = (...keys: bigint[]): Mutation => {
  const rows = rowBatch(
    schema,
    keys.map((key) => ({ key, vector: [0, 0] })),
  );
  return { kind: 'insert', partitionId, rows };
};
const deleteOf = (...keys: bigint[]): Mutation => ({
  kind: 'delete',
  partitionId: null,
  keys: keysFromValues('Int64', keys),
});

function entryOf(sequence: number, mutation: Mutation): LogEntry {
  return { ...encodeMutation(mutation), sequence, epoch: 1, timestamp: BigInt(sequence) as Timestamp };
}

function newChannel(checkpoint = 0): { readonly channel: ServedChannel; readonly deleted: KeyValue[] } {
  const kernel = new MemoryKernel({ files: createSimulatedHost().files });
  const deleted: KeyValue[] = [];
  const channel = new ServedChannel({
    id,
    checkpoint,
    createFreshRows: (after) => createFreshRows({ kernel, channel: id, schema, after }),
    decode: (entry) => decodeMutation(entry.type, entry.payload),
    deleteSealed: ({ keys }) => void deleted.push(...(valuesOf(keys) as KeyValue[])),
  });
  return { channel, deleted };
}

// R1 of docs/internals/read-path.md.
test('entries are applied once and in order, whatever overlaps', () => {
  const { channel, deleted } = newChannel();
  channel.apply([entryOf(1, insertOf(1n, 2n)), entryOf(2, deleteOf(1n))]);
  channel.apply([entryOf(1, insertOf(1n, 2n)), entryOf(2, deleteOf(1n)), entryOf(3, insertOf(3n))]);
  assert.equal(channel.progress.applied, 3);
  assert.equal(channel.fresh.rowCount, 3);
  assert.deepEqual(deleted, [1n]);
  assert.throws(() => channel.apply([entryOf(5, insertOf(5n))]), { code: 'LOG_TRUNCATED' });
  assert.equal(channel.progress.applied, 3);
});

// R2 of docs/internals/read-path.md.
test('what comes before a damaged entry counts, in segments too', async () => {
  const { channel, deleted } = newChannel();
  const damaged = { ...entryOf(3, insertOf(3n)), payload: new Uint8Array(4) };
  const waiting = channel.progress.reach(2, never);
  const entries = [entryOf(1, insertOf(1n)), entryOf(2, deleteOf(1n, 7n)), damaged];
  assert.throws(() => channel.apply(entries), { code: 'CORRUPT_DATA' });
  await waiting;
  assert.equal(channel.progress.applied, 2);
  assert.deepEqual(deleted, [1n, 7n]);
  channel.apply([entryOf(3, insertOf(3n))]);
  assert.equal(channel.progress.applied, 3);
});

test('it begins behind the checkpoint, and after a restart behind the new one', () => {
  const { channel } = newChannel(10);
  channel.apply([entryOf(11, insertOf(1n))]);
  const pin = channel.pin(10);
  const { fresh } = channel;
  channel.restart(20);
  assert.equal(channel.progress.applied, 20);
  assert.equal(fresh.rowCount, 1);
  assert.throws(() => channel.pin(19), { code: 'STALE_PLAN' });
  pin[Symbol.dispose]();
  assert.equal(fresh.rowCount, 0);
  channel.apply([entryOf(21, insertOf(2n))]);
  assert.equal(channel.fresh.rowCount, 1);
});

test('closing tells those who wait', async () => {
  const { channel } = newChannel();
  const waiting = channel.progress.reach(1, never);
  channel.close(new MishardsError('STALE_PLAN', 'released'));
  await assert.rejects(waiting, { code: 'STALE_PLAN' });
  assert.throws(() => channel.pin(0), { code: 'STALE_PLAN' });
});
