import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createNodeHost } from '../../src/host/node/index.ts';
import { FaultableMetastore } from '../../src/metastore/faultable-metastore.ts';
import { createMemoryMetastore } from '../../src/metastore/memory/memory-metastore.ts';
import { succeeded } from '../support/milvus.ts';
import { createPoints, indexAndLoad, nearest, randomPoints, searchIds } from '../support/points.ts';
import { TestCluster } from '../support/test-cluster.ts';

const NAME = 'points';

test('searches need no metadata service: they go on while it is stopped', async () => {
  const metastore = new FaultableMetastore(createMemoryMetastore({ host: createNodeHost(1) }));
  await using cluster = await TestCluster.start({
    overrides: { metastore },
    settings: ['proxy.writer_wait=1s', 'writer.command_wait=500ms'],
  });
  const client = await cluster.client();
  const points = randomPoints(500);
  await createPoints(client, NAME);
  await indexAndLoad(client, NAME);
  succeeded(await client.insert({ collection_name: NAME, data: points }));
  succeeded(await client.flushSync({ collection_names: [NAME] }));
  const query = randomPoints(1, 1_000_000)[0]!.vector;
  const expected = nearest(points, query, 5);
  assert.deepEqual(await searchIds(client, NAME, query, 5), expected);

  metastore.stop();
  for (let round = 0; round < 20; round++) {
    assert.deepEqual(await searchIds(client, NAME, query, 5, { consistency_level: 'Bounded' }), expected);
  }
  const refused = await client.createAlias({ collection_name: NAME, alias: 'other' });
  assert.match(refused.reason, /metadata service/, 'what needs the metadata service says so');

  metastore.resume();
});
