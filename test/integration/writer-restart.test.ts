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

test('a writer that comes back has lost nothing that was acknowledged', async () => {
  await using cluster = await TestCluster.start({ settings: ['writer.lease_ttl=1s'] });
  const client = await cluster.client();
  await createPoints(client, NAME);
  await indexAndLoad(client, NAME);
  const points = randomPoints(600);
  succeeded(await client.insert({ collection_name: NAME, data: points.slice(0, 300) }));
  succeeded(await client.flushSync({ collection_names: [NAME] }));
  succeeded(await client.insert({ collection_name: NAME, data: points.slice(300) }));
  succeeded(await client.delete({ collection_name: NAME, filter: 'id in [0, 599]' }));
  const rest = points.slice(1, -1);

  await cluster.stopNode('writer-1');
  await cluster.startNode('writer', 1);
  const query = randomPoints(1, 1_000_000)[0]!.vector;
  assert.deepEqual(await searchIds(client, NAME, query, 5), nearest(rest, query, 5));
  succeeded(await client.insert({ collection_name: NAME, data: randomPoints(10, 10_000) }));
  assert.equal(await countRows(client, NAME), rest.length + 10);
  succeeded(await client.flushSync({ collection_names: [NAME] }));
  assert.equal(await countRows(client, NAME), rest.length + 10);
});
