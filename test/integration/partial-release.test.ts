import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MilvusClient } from '@zilliz/milvus2-sdk-node';
import { succeeded } from '../support/milvus.ts';
import { createPoints, indexAndLoad, randomPoints } from '../support/points.ts';
import { TestCluster } from '../support/test-cluster.ts';

const NAME = 'points';
const EAGER = [
  'writer.compaction_segments_min=2',
  'writer.compaction_dead_percent=1',
  'writer.compaction_warm_up=10ms',
  'writer.maintenance_interval=20ms',
];

async function idsIn(client: MilvusClient, ...partitions: readonly string[]): Promise<readonly number[]> {
  const { data } = succeeded(
    await client.query({
      collection_name: NAME,
      partition_names: [...partitions],
      filter: 'id >= 0',
      output_fields: ['id'],
    }),
  );
  return data.map(({ id }) => Number(id)).toSorted((a, b) => a - b);
}

test('upserts and deletes reach the rows of partitions that are not loaded, fresh, flushed and compacted ones', async () => {
  await using cluster = await TestCluster.start({ readers: 2, settings: EAGER });
  const client = await cluster.client();
  await createPoints(client, NAME);
  succeeded(await client.createPartition({ collection_name: NAME, partition_name: 'cold' }));
  await indexAndLoad(client, NAME);
  const points = randomPoints(40);
  const put = async (partition_name: string, from: number, to: number): Promise<void> =>
    void succeeded(
      await client.insert({ collection_name: NAME, partition_name, data: points.slice(from, to) }),
    );
  const flush = async (): Promise<void> =>
    void succeeded(await client.flushSync({ collection_names: [NAME] }));
  await put('cold', 0, 10);
  await flush();
  await put('cold', 10, 20);
  assert.equal((await idsIn(client, 'cold')).length, 20);
  succeeded(await client.releasePartitions({ collection_name: NAME, partition_names: ['cold'] }));

  // Of what is flushed and of what is not: one moves to the other partition, one goes.
  const moved = [0, 10].map((id) => points[id]!);
  succeeded(await client.upsert({ collection_name: NAME, partition_name: '_default', data: moved }));
  succeeded(await client.delete({ collection_name: NAME, filter: 'id in [1, 11]' }));
  assert.deepEqual(await idsIn(client, '_default'), [0, 10]);
  await flush();
  succeeded(await client.upsert({ collection_name: NAME, partition_name: '_default', data: [points[2]!] }));
  succeeded(await client.delete({ collection_name: NAME, filter: 'id in [12]' }));
  for (let from = 20; from < 40; from += 5) {
    await put('cold', from, from + 5);
    await flush();
  }
  succeeded(await client.loadPartitionsSync({ collection_name: NAME, partition_names: ['cold'] }));
  const rest = points.map(({ id }) => Number(id)).filter((id) => ![0, 1, 2, 10, 11, 12].includes(id));
  assert.deepEqual(await idsIn(client, 'cold'), rest);
  assert.deepEqual(await idsIn(client, '_default'), [0, 2, 10]);
  assert.deepEqual(
    await idsIn(client, 'cold', '_default'),
    [...rest, 0, 2, 10].toSorted((a, b) => a - b),
  );
});
