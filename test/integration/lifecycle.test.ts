import assert from 'node:assert/strict';
import { test } from 'node:test';
import { succeeded } from '../support/milvus.ts';
import {
  countRows,
  createPoints,
  indexAndLoad,
  nearest,
  randomPoints,
  searchIds,
} from '../support/points.ts';
import { TestCluster } from '../support/test-cluster.ts';

const NAME = 'points';

test('rows are found before and after they are flushed, deleted ones never again', async () => {
  await using cluster = await TestCluster.start({ readers: 3 });
  const client = await cluster.client();
  await createPoints(client, NAME);
  await indexAndLoad(client, NAME);
  let points = randomPoints(3_000);
  succeeded(await client.insert({ collection_name: NAME, data: points }));
  const queries = randomPoints(10, 1_000_000).map((point) => point.vector);
  const checkAll = async (when: string): Promise<void> => {
    assert.equal(await countRows(client, NAME), points.length, when);
    for (const query of queries) {
      assert.deepEqual(await searchIds(client, NAME, query, 5), nearest(points, query, 5), when);
    }
  };
  await checkAll('fresh');

  succeeded(await client.flushSync({ collection_names: [NAME] }));
  await checkAll('flushed');

  const gone = new Set(nearest(points, queries[0]!, 3));
  succeeded(await client.delete({ collection_name: NAME, filter: `id in [${[...gone].join(',')}]` }));
  points = points.filter((point) => !gone.has(String(point.id)));
  await checkAll('deleted by key');

  succeeded(await client.delete({ collection_name: NAME, filter: 'tag == "odd" and id < 1000' }));
  points = points.filter((point) => !(point.tag === 'odd' && point.id < 1000));
  await checkAll('deleted by filter');

  const moved = randomPoints(100, 2_000, 2);
  succeeded(await client.upsert({ collection_name: NAME, data: moved }));
  points = points.map((point) => moved.find((other) => other.id === point.id) ?? point);
  await checkAll('upserted');

  succeeded(await client.flushSync({ collection_names: [NAME] }));
  await checkAll('flushed again');

  const filtered = await searchIds(client, NAME, queries[0]!, 5, { filter: 'tag == "even"' });
  assert.deepEqual(
    filtered,
    nearest(
      points.filter((point) => point.tag === 'even'),
      queries[0]!,
      5,
    ),
  );
});

test('a released collection is not searched, a dropped one is gone', async () => {
  await using cluster = await TestCluster.start();
  const client = await cluster.client();
  await createPoints(client, NAME);
  await indexAndLoad(client, NAME);
  succeeded(await client.releaseCollection({ collection_name: NAME }));
  const refused = await client.search({ collection_name: NAME, data: randomPoints(1)[0]!.vector, limit: 1 });
  assert.equal(refused.status.code, 101);
  succeeded(await client.dropCollection({ collection_name: NAME }));
  assert.equal((await client.hasCollection({ collection_name: NAME })).value, false);
});

test('rows of a dropped partition are gone at once, also those that were not flushed', async () => {
  await using cluster = await TestCluster.start();
  const client = await cluster.client();
  await createPoints(client, NAME);
  const partition = { collection_name: NAME, partition_name: 'short_lived' };
  succeeded(await client.createPartition(partition));
  await indexAndLoad(client, NAME);
  succeeded(await client.insert({ collection_name: NAME, data: randomPoints(20) }));
  succeeded(await client.insert({ ...partition, data: randomPoints(10, 100) }));
  assert.equal(await countRows(client, NAME), 30);
  succeeded(await client.releasePartitions({ collection_name: NAME, partition_names: ['short_lived'] }));
  succeeded(await client.dropPartition(partition));
  await client.loadCollectionSync({ collection_name: NAME });
  assert.equal(await countRows(client, NAME), 20);
});
