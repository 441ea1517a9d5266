import assert from 'node:assert/strict';
import { test } from 'node:test';
import { succeeded } from '../support/milvus.ts';
import { createPoints, DIM, indexAndLoad, randomPoints } from '../support/points.ts';
import { TestCluster } from '../support/test-cluster.ts';

const NAME = 'points';
const ROW_BYTES = 8 + DIM * 4;
const ROWS_MAX = Math.floor((64 * 1024) / ROW_BYTES);
const LIMIT = /limit is proxy\.answer_bytes_max = 65536/;

test('an answer above proxy.answer_bytes_max is refused with the cure, one at the limit is not', async () => {
  const points = randomPoints(ROWS_MAX + 1);
  await using cluster = await TestCluster.start({ readers: 1, settings: ['proxy.answer_bytes_max=64KiB'] });
  const client = await cluster.client();
  await createPoints(client, NAME);
  await indexAndLoad(client, NAME);
  succeeded(await client.insert({ collection_name: NAME, data: points }));

  const query = { collection_name: NAME, output_fields: ['id', 'vector'] };
  assert.match((await client.query({ ...query, filter: 'id >= 0' })).status.reason, LIMIT);
  const fitting = succeeded(await client.query({ ...query, filter: 'id > 0' }));
  assert.equal(fitting.data.length, ROWS_MAX);

  const search = { ...query, data: [1, 2, 3, 4].map((id) => points[id]!.vector) };
  const quarter = Math.floor(ROWS_MAX / 4);
  assert.match((await client.search({ ...search, limit: quarter + 1 })).status.reason, LIMIT);
  assert.equal(succeeded(await client.search({ ...search, limit: quarter })).results.length, 4);
});
