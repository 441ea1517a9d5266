import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConsistencyLevelEnum } from '@zilliz/milvus2-sdk-node';
import { succeeded } from '../support/milvus.ts';
import { createPoints, indexAndLoad, randomPoints } from '../support/points.ts';
import { TestCluster } from '../support/test-cluster.ts';

const NAME = 'points';
const ROWS = 240;
const SEGMENTS = 6;
const ROUNDS = 80;

test('a row that is upserted while it is searched is seen, in one version, whichever nodes have its versions', async () => {
  await using cluster = await TestCluster.start({ readers: 3 });
  const [client, other] = [await cluster.client(), await cluster.client()];
  await createPoints(client, NAME);
  await indexAndLoad(client, NAME);
  const points = randomPoints(ROWS);
  const share = ROWS / SEGMENTS;
  for (let from = 0; from < ROWS; from += share) {
    succeeded(await client.insert({ collection_name: NAME, data: points.slice(from, from + share) }));
    succeeded(await client.flushSync({ collection_names: [NAME] }));
  }

  let isOver = false;
  const upserting = (async () => {
    for (let round = 0; !isOver; round++) {
      const from = (round * 16) % ROWS;
      succeeded(await other.upsert({ collection_name: NAME, data: points.slice(from, from + 16) }));
    }
  })();
  try {
    for (let round = 0; round < ROUNDS; round++) {
      const { results } = succeeded(
        await client.search({
          collection_name: NAME,
          data: points[round % ROWS]!.vector,
          limit: ROWS,
          consistency_level: ConsistencyLevelEnum.Eventually,
        }),
      );
      const found = new Set(results.map(({ id }) => Number(id)));
      const missing = points.filter(({ id }) => !found.has(Number(id))).map(({ id }) => id);
      assert.deepEqual(missing, [], `round ${round}`);
      assert.equal(results.length, ROWS);
    }
  } finally {
    isOver = true;
    await upserting;
  }
});
