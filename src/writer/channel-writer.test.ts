import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ChannelWriter } from './channel-writer.ts';
import { EntryTails } from './entry-tail.ts';
import { keysFromValues } from '../columns/index.ts';
import { MishardsError } from '../errors/index.ts';
import { createSimulatedHost } from '../host/simulated/index.ts';
import { MemoryKernel } from '../kernel/memory/memory-kernel.ts';
import { createMemoryLog } from '../log/memory/memory-log.ts';
import type { ChannelId, PartitionId, Timestamp } from '../schema/index.ts';
import { createFreshRows } from '../segment/fresh-rows.ts';
import { MUTATION_TYPES, type Mutation } from '../segment/mutation.ts';
import { vectorSchema } from '../../test/support/schemas.ts';
import { rowsOf } from '../../test/support/writer-cluster.ts';

const ID = '1-0' as ChannelId;

async function channelOf(failures: unknown[] = []): Promise<ChannelWriter> {
  const host = createSimulatedHost();
  const kernel = new MemoryKernel({ files: host.files });
  const log = createMemoryLog();
  return new ChannelWriter({
    id: ID,
    clock: host.clock,
    appender: await log.openAppender(ID, 1),
    fresh: createFreshRows({ kernel, channel: ID, schema: vectorSchema({ dim: 2 }), after: 0 }),
    tail: new EntryTails(1_000_000).open(0),
    onFailed: (_channel, error) => failures.push(error),
  });
}

let key = 0n;

/** One row into a partition, or a delete; `sizeBytes` is what the entry is said to weigh. */
function write(channel: ChannelWriter, partition: string | null, sizeBytes = 10): Promise<number> {
  const partitionId = partition as PartitionId;
  const mutation: Mutation =
    partition === null
      ? { kind: 'delete', partitionId: null, keys: keysFromValues('Int64', [1n]) }
      : { kind: 'insert', partitionId, rows: rowsOf([key++], [1]) };
  const encoded = { type: MUTATION_TYPES[mutation.kind], payload: new Uint8Array(sizeBytes) };
  return channel.append(mutation, encoded, key as Timestamp);
}

test('a cut bounds partitions and bytes, and never falls before the first entry', async () => {
  const channel = await channelOf();
  const all = { partitionsMax: 100, bytesMax: 1_000_000_000 };
  assert.equal(channel.cut(all), 0);
  for (const partition of ['a', 'a', null, 'b', 'a', 'c', null, 'd']) await write(channel, partition);
  assert.equal(channel.cut(all), 8);
  assert.equal(channel.cut({ ...all, partitionsMax: 3 }), 7);
  assert.equal(channel.cut({ ...all, partitionsMax: 2 }), 5);
  assert.equal(channel.cut({ ...all, partitionsMax: 1 }), 3);
  assert.equal(channel.cut({ ...all, bytesMax: 45 }), 4);
  assert.equal(channel.cut({ ...all, bytesMax: 1 }), 3);
  channel.flushed(5);
  assert.deepEqual([channel.checkpoint, channel.sequence, channel.hasFresh], [5, 8, true]);
  assert.equal(channel.cut({ ...all, partitionsMax: 1 }), 7);
  channel.flushed(7);
  assert.equal(channel.cut({ ...all, partitionsMax: 1 }), 8);
  channel.flushed(8);
  assert.equal(channel.hasFresh, false);
  await write(channel, 'e');
  assert.equal(channel.cut({ partitionsMax: 1, bytesMax: 1 }), 9);
});

test('a long run of one partition can be cut within', async () => {
  const channel = await channelOf();
  const mib = 2 ** 20;
  for (let count = 0; count < 10; count++) await write(channel, 'a', 4 * mib);
  assert.equal(channel.cut({ partitionsMax: 1, bytesMax: 20 * mib }), 4);
  channel.flushed(4);
  assert.equal(channel.cut({ partitionsMax: 1, bytesMax: 20 * mib }), 8);
  channel.flushed(8);
  assert.equal(channel.cut({ partitionsMax: 1, bytesMax: 20 * mib }), 10);
});

test('a closed channel waits for the appends under way and refuses others with its reason', async () => {
  const failures: unknown[] = [];
  const channel = await channelOf(failures);
  const underWay = write(channel, 'a');
  const reason = new MishardsError('NOT_LEADER', 'over');
  const closed = channel.close(reason);
  assert.equal(await underWay, 1);
  await closed;
  await assert.rejects(write(channel, 'a'), reason);
  await channel.close(new MishardsError('INTERNAL', 'closing twice does nothing'));
  assert.deepEqual(failures, []);
});
