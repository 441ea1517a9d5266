import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { ConsistencyLevelEnum, DataType, type MilvusClient } from '@zilliz/milvus2-sdk-node';
import { succeeded } from '../support/milvus.ts';
import { TestCluster } from '../support/test-cluster.ts';

const NAME = 'goods';
const BATCHES = 3;
const BATCH_ROWS = 400;

interface Row {
  readonly id: number;
  readonly vector: readonly number[];
  readonly price: number;
  readonly city: string;
  readonly active: boolean;
  readonly tags: readonly number[];
  readonly meta: { readonly color: string; readonly size: number };
  readonly place: string | null;
}

function rowOf(id: number): Row {
  return {
    id,
    vector: [id, 1],
    price: id,
    city: `city-${id % 50}`,
    active: id % 100 === 0,
    tags: [id % 30, id % 7],
    meta: { color: `c${id % 40}`, size: id % 90 },
    place: id % 10 === 0 ? null : `POINT (${id % 37} ${id % 31})`,
  };
}

const isInside = ({ id, place }: Row): boolean =>
  place !== null && [id % 37, id % 31].every((at) => at > 0 && at < 9);
const isOutside = (row: Row): boolean => row.place !== null && !isInside(row) && row.price < 60;
const isAtFiveSix = ({ place }: Row): boolean => place === 'POINT (5 6)';

const FILTERS: readonly (readonly [string, (row: Row) => boolean])[] = [
  ['price >= 500 and price < 520', ({ price }) => price >= 500 && price < 520],
  ['price > 5000', () => false],
  ['price < 30 or city == "city-7"', ({ price, city }) => price < 30 || city === 'city-7'],
  ['city like "city-1%" and active', ({ city, active }) => city.startsWith('city-1') && active],
  [
    'not (city in ["city-1", "city-2"]) and price < 60',
    ({ city, price }) => price < 60 && !/^city-[12]$/.test(city),
  ],
  ['array_contains(tags, 29)', ({ tags }) => tags.includes(29)],
  ['array_contains_all(tags, [6, 27])', ({ tags }) => tags.includes(6) && tags.includes(27)],
  ['meta["color"] == "c5"', ({ meta }) => meta.color === 'c5'],
  ['meta["color"] == "c5" and meta["size"] < 20', ({ meta }) => meta.color === 'c5' && meta.size < 20],
  ['id in [3, 450, 1203, 99999]', ({ id }) => [3, 450, 1203].includes(id)],
  ["st_within(place, 'POLYGON ((0 0, 9 0, 9 9, 0 9, 0 0))')", isInside],
  ["not st_within(place, 'POLYGON ((0 0, 9 0, 9 9, 0 9, 0 0))') and price < 60", isOutside],
  [
    'st_equals(place, \'POINT (5 6)\') or city == "city-7"',
    (row) => isAtFiveSix(row) || row.city === 'city-7',
  ],
  ['id > 1190 and price != 1195', ({ id }) => id > 1190 && id !== 1195],
];

async function createGoods(client: MilvusClient): Promise<void> {
  const fields = [
    { name: 'id', data_type: DataType.Int64, is_primary_key: true },
    { name: 'vector', data_type: DataType.FloatVector, dim: 2 },
    { name: 'price', data_type: DataType.Int32 },
    { name: 'city', data_type: DataType.VarChar, max_length: 32 },
    { name: 'active', data_type: DataType.Bool },
    { name: 'tags', data_type: DataType.Array, element_type: DataType.Int32, max_capacity: 4 },
    { name: 'meta', data_type: DataType.JSON },
    { name: 'place', data_type: DataType.Geometry, nullable: true },
  ];
  succeeded(await client.createCollection({ collection_name: NAME, fields, shards_num: 2 }));
  succeeded(
    await client.createIndex({
      collection_name: NAME,
      field_name: 'vector',
      index_type: 'FLAT',
      metric_type: 'L2',
    }),
  );
}

async function createIndexes(client: MilvusClient): Promise<readonly string[]> {
  const color = { json_path: 'meta["color"]', json_cast_type: 'varchar' };
  const indexes = [
    { field_name: 'id', index_type: 'STL_SORT' },
    { field_name: 'price', index_type: 'STL_SORT' },
    { field_name: 'city', index_type: 'TRIE' },
    { field_name: 'active', index_type: 'BITMAP' },
    { field_name: 'tags', index_type: 'INVERTED' },
    { field_name: 'place', index_type: 'RTREE' },
    { field_name: 'meta', index_name: 'color', index_type: 'INVERTED', params: color },
    {
      field_name: 'meta',
      index_type: 'AUTOINDEX',
      params: { json_path: 'meta["size"]', json_cast_type: 'double' },
    },
  ];
  for (const index of indexes) succeeded(await client.createIndex({ collection_name: NAME, ...index }));
  return ['id', 'price', 'city', 'active', 'tags', 'place', 'color', 'meta/size'];
}

test('scalar indexes: declared, built, counted, used, dropped, with the same answers all along', async () => {
  await using cluster = await TestCluster.start({ settings: ['writer.index_rows_min=50'] });
  const client = await cluster.client();
  await createGoods(client);
  const rows: Row[] = [];
  const insert = async (count: number): Promise<void> => {
    const more = Array.from({ length: count }, (_, index) => rowOf(rows.length + index));
    succeeded(await client.insert({ collection_name: NAME, data: more as never }));
    rows.push(...more);
  };
  for (let batch = 0; batch < BATCHES; batch++) {
    await insert(BATCH_ROWS);
    succeeded(await client.flushSync({ collection_names: [NAME] }));
  }
  succeeded(await client.loadCollectionSync({ collection_name: NAME }));
  const check = async (when: string): Promise<void> => {
    for (const [filter, passes] of FILTERS) {
      const query = { collection_name: NAME, filter, output_fields: ['id'], limit: 2_000 };
      const answer = await client.query({ ...query, consistency_level: ConsistencyLevelEnum.Strong });
      const found = succeeded(answer).data.map(({ id }) => Number(id));
      const expected = rows.filter(passes).map(({ id }) => id);
      assert.deepEqual(
        found.sort((left, right) => left - right),
        expected,
        `${filter} ${when}`,
      );
    }
  };
  await check('without indexes');
  await insert(5);
  const names = await createIndexes(client);
  for (const index_name of names) {
    const named = { collection_name: NAME, index_name };
    while (Number(succeeded(await client.getIndexBuildProgress(named)).indexed_rows) < BATCHES * BATCH_ROWS)
      await setImmediate();
    const [shown] = succeeded(await client.getIndexStatistics(named)).index_descriptions;
    assert.equal(shown?.state, 'Finished');
    assert.equal(Number(shown.total_rows), BATCHES * BATCH_ROWS);
  }
  // Answers of the new filters are not yet kept where rows are fresh, and indexes open while requests run.
  await check('with indexes');
  const deleted = [3, 450, 1195];
  succeeded(await client.delete({ collection_name: NAME, ids: deleted }));
  const left = rows.filter(({ id }) => !deleted.includes(id));
  rows.splice(0, rows.length, ...left);
  await check('after deletes');
  for (const index_name of names)
    succeeded(await client.dropIndex({ collection_name: NAME, index_name, field_name: index_name }));
  const { index_descriptions } = succeeded(await client.describeIndex({ collection_name: NAME }));
  assert.deepEqual(
    index_descriptions.map(({ field_name }) => field_name),
    ['vector'],
  );
  await check('after the indexes were dropped');
});
