import assert from 'node:assert/strict';
import { test } from 'node:test';
import { valuesOf } from '../columns/index.ts';
import { PRICE, TAG } from '../../test/support/model-rows.ts';
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
import { ReaderWorld, type RowToWrite } from '../../test/support/reader-world.ts';

function rowsOf(from: number, to: number): RowToWrite[] {
  return Array.from({ length: to - from }, (_, index) => {
    const key = from + index;
    const price = key % 5 === 0 ? null : key;
    return { key: BigInt(key), vector: [key, key / 7, key % 3], price, tag: `t${key % 4}` };
  });
}

async function expectAll(world: ReaderWorld, api: Awaited<ReturnType<ReaderWorld['startReader']>>['api']) {
  const plan = planOf(world.catalog.snapshot(), strong(world));
  const [hits] = await search(api, world, searchOf(plan, [10, 1, 1], 8));
  assert.deepEqual(hits, expectedHits(world.model.alive(), [10, 1, 1], 8));
  const rows = await world.run(api.query(queryOf(plan, { outputFieldIds: [PRICE, TAG] }), CALL));
  const expected = expectedRows(world.model.alive());
  assert.deepEqual(
    keysOf(rows),
    expected.map(({ key }) => key),
  );
  assert.deepEqual(
    [...rows.timestamps],
    expected.map(({ timestamp }) => timestamp),
  );
  assert.deepEqual(
    valuesOf(rows.rows.columns.get(PRICE)!),
    expected.map(({ price }) => price),
  );
  assert.deepEqual(
    valuesOf(rows.rows.columns.get(TAG)!),
    expected.map(({ tag }) => tag),
  );
  const count = await world.run(api.query(queryOf(plan, { countOnly: true }), CALL));
  assert.equal(count.count, world.model.alive().length);
}

test('rows are found fresh and sealed, with deletes and upserts at every stage', async () => {
  await using world = await ReaderWorld.create({ channelCount: 2 });
  await world.insert(rowsOf(0, 20));
  const { api } = await world.startReader();
  await expectAll(world, api);
  await world.delete([3n, 4n, 999n]);
  await world.upsert(
    rowsOf(9, 12).map((row) => ({ ...row, vector: [10, Number(row.key) / 100, 1], tag: 'new' })),
  );
  await expectAll(world, api);
  await world.flush(world.channels[0]!);
  await world.settle();
  await expectAll(world, api);
  await world.delete([10n]);
  await world.upsert(rowsOf(14, 16).map((row) => ({ ...row, tag: 'newer' })));
  await world.flush(world.channels[1]!);
  await world.settle();
  await expectAll(world, api);
  await world.insert(rowsOf(3, 5));
  await world.flush(world.channels[1]!);
  await world.delete([3n]);
  await expectAll(world, api);
  await world.flush(world.channels[0]!);
  await world.compact(world.channels[0]!);
  await world.compact(world.channels[1]!);
  await world.settle();
  await expectAll(world, api);
});
