import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { succeeded } from '../support/milvus.ts';
import { countRows, createPoints, indexAndLoad, randomPoints, searchIds } from '../support/points.ts';
import { TestCluster } from '../support/test-cluster.ts';

const NAME = 'points';
const TTL = 'collection.ttl.seconds';

test('truncating takes all rows away, fresh and flushed, and keeps the rest', async () => {
  await using cluster = await TestCluster.start({ proxies: 2 });
  const client = await cluster.client();
  const other = await cluster.client('proxy-2');
  await createPoints(client, NAME);
  await indexAndLoad(client, NAME);
  succeeded(await client.createPartition({ collection_name: NAME, partition_name: 'more' }));
  for (const [first, partition_name] of [
    [0, '_default'],
    [100, 'more'],
  ] as const) {
    succeeded(await client.insert({ collection_name: NAME, partition_name, data: randomPoints(50, first) }));
    succeeded(await client.flushSync({ collection_names: [NAME] }));
    succeeded(
      await client.insert({ collection_name: NAME, partition_name, data: randomPoints(50, first + 50) }),
    );
  }
  assert.equal(await countRows(client, NAME), 200);
  const { status } = await client.truncateCollection({ collection_name: NAME });
  assert.equal(status.code, 0);

  assert.equal(await countRows(client, NAME), 0);
  assert.deepEqual(await searchIds(client, NAME, randomPoints(1)[0]!.vector, 5), []);
  const statistics = succeeded(await client.getCollectionStatistics({ collection_name: NAME }));
  assert.equal(statistics.data['row_count'], '0');
  const partitions = succeeded(await client.showPartitions({ collection_name: NAME }));
  assert.deepEqual(partitions.partition_names, ['_default', 'more']);

  const data = randomPoints(20, 40);
  succeeded(await client.insert({ collection_name: NAME, partition_name: 'more', data }));
  succeeded(await client.flushSync({ collection_names: [NAME] }));
  for (const one of [client, other]) assert.equal(await countRows(one, NAME), 20);
  assert.deepEqual(await searchIds(client, NAME, data[3]!.vector, 1, { partition_names: ['more'] }), ['43']);
});

test('rows that have outlived their time are not seen, fresh or flushed', async () => {
  await using cluster = await TestCluster.start();
  const client = await cluster.client();
  await createPoints(client, NAME);
  await indexAndLoad(client, NAME);
  const alter = async (seconds: number): Promise<unknown> =>
    succeeded(
      await client.alterCollectionProperties({ collection_name: NAME, properties: { [TTL]: seconds } }),
    );
  succeeded(await client.insert({ collection_name: NAME, data: randomPoints(30) }));
  succeeded(await client.flushSync({ collection_names: [NAME] }));
  succeeded(await client.insert({ collection_name: NAME, data: randomPoints(30, 30) }));
  await alter(3_600);
  assert.equal(await countRows(client, NAME), 60);
  await alter(1);
  while ((await countRows(client, NAME)) > 0) await setImmediate();
  assert.deepEqual(await searchIds(client, NAME, randomPoints(1)[0]!.vector, 5), []);
  await alter(3_600);
  succeeded(await client.insert({ collection_name: NAME, data: randomPoints(1, 60) }));
  assert.equal(await countRows(client, NAME), 61);
});
