import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MilvusClient } from '@zilliz/milvus2-sdk-node';
import { refused, succeeded } from '../support/milvus.ts';
import { createPoints, indexAndLoad, randomPoints } from '../support/points.ts';
import { TestCluster } from '../support/test-cluster.ts';

const NAME = 'points';
const RANK = { name: 'rank', data_type: 'Int32', nullable: true } as const;
const COUNT = 400;

/** Seven ranks and null. */
const rankOf = (id: number): number | null => (id % 8 === 7 ? null : (id * 5) % 8);
const points = randomPoints(COUNT).map((point) => ({ ...point, rank: rankOf(point.id) }));

/** Sealed segments and fresh rows on several channels and readers; some rows are written anew, some deleted. */
async function clusterWithRows(): Promise<TestCluster> {
  const cluster = await TestCluster.start({ readers: 2 });
  const client = await cluster.client();
  await createPoints(client, NAME);
  succeeded(await client.addCollectionField({ collection_name: NAME, field: RANK }));
  await indexAndLoad(client, NAME);
  const before = points.slice(0, 300).map((point) => ({ ...point, rank: -1 }));
  succeeded(await client.insert({ collection_name: NAME, data: before }));
  succeeded(await client.flushSync({ collection_names: [NAME] }));
  succeeded(await client.upsert({ collection_name: NAME, data: points.slice(0, 350) }));
  succeeded(await client.flushSync({ collection_names: [NAME] }));
  succeeded(await client.insert({ collection_name: NAME, data: points.slice(350) }));
  succeeded(await client.delete({ collection_name: NAME, filter: 'id < 10' }));
  return cluster;
}

async function queried(client: MilvusClient, more: object): Promise<[number, unknown][]> {
  const asked = { collection_name: NAME, filter: 'id >= 0', output_fields: ['rank'], ...more };
  return succeeded(await client.query(asked as never)).data.map((row) => [Number(row['id']), row['rank']]);
}

test('rows are asked for by the values of a field', async () => {
  await using cluster = await clusterWithRows();
  const client = await cluster.client();
  const alive = points.slice(10);
  const ranked = (descending: boolean): [number, unknown][] =>
    alive
      .toSorted((a, b) => {
        const [first, second] = [a.rank ?? 99, b.rank ?? 99];
        return (descending ? second - first : first - second) || a.id - b.id;
      })
      .map(({ id, rank }) => [id, rank]);
  assert.deepEqual(await queried(client, { order_by_fields: 'rank', limit: 60 }), ranked(false).slice(0, 60));
  assert.deepEqual(
    await queried(client, { order_by_fields: 'rank:desc', limit: 30, offset: 100 }),
    ranked(true).slice(100, 130),
  );
  assert.deepEqual(await queried(client, { order_by_fields: 'rank:asc:nulls_last' }), ranked(false));
  const byTag = await queried(client, {
    order_by_fields: 'tag:desc,id:desc',
    limit: 3,
    output_fields: ['id'],
  });
  assert.deepEqual(
    byTag.map(([id]) => id),
    [399, 397, 395],
  );
  const refuse = async (order_by_fields: string, reason: RegExp): Promise<void> =>
    await refused(client.query({ collection_name: NAME, filter: 'id > 0', order_by_fields }), 1100, reason);
  await refuse('vector', /field vector is FloatVector; results can be ordered by/);
  await refuse('rank:up', /has up where asc, desc/);
  await refuse('rank,rank:desc', /names a field twice/);
});

test('hits are grouped by the values of a field, or shown in their order', async () => {
  await using cluster = await clusterWithRows();
  const client = await cluster.client();
  const alive = points.slice(10);
  const distance = (vector: readonly number[]): number =>
    vector.reduce((sum, value, index) => sum + (value - points[20]!.vector[index]!) ** 2, 0);
  const nearest = alive.toSorted((a, b) => distance(a.vector) - distance(b.vector) || a.id - b.id);
  const asked = {
    collection_name: NAME,
    data: points[20]!.vector,
    params: { ef: 400 },
  };
  const found = async (more: object): Promise<number[]> =>
    succeeded(await client.search({ ...asked, ...more } as never)).results.map(({ id }) => Number(id));
  const groups = Map.groupBy(nearest, ({ rank }) => rank);
  const best = (count: number, size: number): number[] =>
    [...groups.values()].slice(0, count).flatMap((hits) => hits.slice(0, size).map(({ id }) => id));
  assert.deepEqual(await found({ group_by_field: 'rank', limit: 5 }), best(5, 1));
  assert.deepEqual(
    await found({ group_by_field: 'rank', limit: 4, group_size: 3, strict_group_size: true }),
    best(4, 3),
  );
  const ten = nearest.slice(0, 10).toSorted((a, b) => b.id - a.id);
  assert.deepEqual(
    await found({ limit: 10, order_by_fields: [{ field: 'id', order: 'desc' }] }),
    ten.map(({ id }) => id),
  );
  await refused(
    client.search({ ...asked, limit: 3, group_by_field: 'vector' }),
    1100,
    /field vector is FloatVector; results can be grouped by/,
  );
});
