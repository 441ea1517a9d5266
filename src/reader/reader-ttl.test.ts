import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CALL,
  expectedHits,
  expectedRows,
  keysOf,
  planOf,
  queryOf,
  search,
  searchOf,
  strong,
} from '../../test/support/reader-asks.ts';
import { PARTITIONS, ReaderWorld, type RowToWrite } from '../../test/support/reader-world.ts';
import type { PartitionId, Timestamp } from '../schema/index.ts';

function rowsOf(from: number, to: number): RowToWrite[] {
  return Array.from({ length: to - from }, (_, index) => {
    const key = from + index;
    return { key: BigInt(key), vector: [key, key / 7, key % 3], price: key, tag: `t${key % 4}` };
  });
}

test('rows older than the plan wants do not count, fresh or sealed, with and without a filter', async () => {
  await using world = await ReaderWorld.create({ channelCount: 1 });
  await world.insert(rowsOf(0, 8));
  await world.insert(rowsOf(8, 16));
  await world.upsert(rowsOf(2, 4));
  await world.flush(world.channels[0]!);
  await world.insert(rowsOf(16, 24));
  await world.insert(rowsOf(24, 32));
  const { api } = await world.startReader();
  await world.settle();
  const alive = world.model.alive();
  const moments = new Set(alive.map(({ timestamp }) => timestamp));
  assert.equal(moments.size, 5);
  for (const since of [0n, ...moments, [...moments].at(-1)! + 1n]) {
    const living = alive.filter(({ timestamp }) => timestamp >= since);
    const plan = { ...planOf(world.catalog.snapshot(), strong(world)), rowsSince: since as Timestamp };
    const [hits] = await search(api, world, searchOf(plan, [9, 1, 1], 12));
    assert.deepEqual(hits ?? [], expectedHits(living, [9, 1, 1], 12), `since ${since}`);
    const rows = await world.run(api.query(queryOf(plan), CALL));
    assert.deepEqual(
      keysOf(rows),
      expectedRows(living).map(({ key }) => key),
    );
    const count = await world.run(api.query(queryOf(plan, { countOnly: true }), CALL));
    assert.equal(count.count, living.length);
    const filter = { text: 'price < 20', values: {} };
    const filtered = await world.run(api.query(queryOf(plan, { countOnly: true, filter }), CALL));
    assert.equal(filtered.count, living.filter(({ price }) => price !== null && price < 20).length);
  }
});

test('fresh rows of a dropped partition are not found, those of one newer than the plan are', async () => {
  await using world = await ReaderWorld.create({ channelCount: 1 });
  const [first, second] = PARTITIONS;
  await world.insert(rowsOf(0, 2), first);
  await world.insert(rowsOf(2, 4), second);
  const { api } = await world.startReader();
  await world.settle();
  const keysWith = async (ids: readonly PartitionId[], newerThan: PartitionId | null): Promise<unknown> => {
    const plan = planOf(world.catalog.snapshot(), strong(world));
    return keysOf(await world.run(api.query(queryOf({ ...plan, partitions: { ids, newerThan } }), CALL)));
  };
  assert.deepEqual(await keysWith([second], second), [2n, 3n]);
  assert.deepEqual(await keysWith([first], first), [0n, 1n, 2n, 3n]);
  assert.deepEqual(await keysWith([first], null), [0n, 1n]);
});
