import assert from 'node:assert/strict';
import { test } from 'node:test';
import { succeeded } from '../support/milvus.ts';
import { createPoints, indexAndLoad, randomPoints } from '../support/points.ts';
import { TestCluster } from '../support/test-cluster.ts';

const NAME = 'points';
const points = randomPoints(60);

test('fresh rows are passed over where a search asks for it, what they replaced or deleted is not', async () => {
  await using cluster = await TestCluster.start({ readers: 2 });
  const client = await cluster.client();
  await createPoints(client, NAME);
  await indexAndLoad(client, NAME);
  succeeded(await client.insert({ collection_name: NAME, data: points.slice(0, 40) }));
  succeeded(await client.flushSync({ collection_names: [NAME] }));
  succeeded(await client.insert({ collection_name: NAME, data: points.slice(40) }));
  succeeded(await client.upsert({ collection_name: NAME, data: points.slice(0, 5) }));
  succeeded(await client.delete({ collection_name: NAME, filter: 'id in [5, 6]' }));

  const found = async (more: object): Promise<readonly number[]> => {
    const { results } = succeeded(
      await client.search({
        collection_name: NAME,
        consistency_level: 'Strong' as never,
        data: points[0]!.vector,
        limit: points.length,
        ...more,
      }),
    );
    return results.map(({ id }) => Number(id)).sort((a, b) => a - b);
  };
  const idsFrom = (low: number, high: number): number[] =>
    Array.from({ length: high - low }, (_, index) => low + index);
  assert.deepEqual(await found({}), [...idsFrom(0, 5), ...idsFrom(7, 60)]);
  assert.deepEqual(await found({ ignore_growing: true }), idsFrom(7, 40));
});
