import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MilvusClient } from '@zilliz/milvus2-sdk-node';
import { succeeded } from '../support/milvus.ts';
import {
  countRows,
  createPoints,
  indexAndLoad,
  nearest,
  randomPoints,
  searchIds,
  type Point,
} from '../support/points.ts';
import { TestCluster } from '../support/test-cluster.ts';

const NAME = 'points';

/** Everything that can be compacted is, at once. */
const EAGER = [
  'writer.compaction_segments_min=2',
  'writer.compaction_dead_percent=1',
  'writer.compaction_warm_up=300ms',
  'writer.maintenance_interval=20ms',
  'writer.index_rows_min=100',
];

async function write(client: MilvusClient, data: Point[]): Promise<void> {
  succeeded(await client.insert({ collection_name: NAME, data }));
  succeeded(await client.flushSync({ collection_names: [NAME] }));
}

async function segmentIds(client: MilvusClient): Promise<readonly string[]> {
  const { infos } = succeeded(await client.getPersistentSegmentInfo({ collectionName: NAME }));
  return infos.map(({ segmentID }) => String(segmentID));
}

/** Resolves when the segments are others than at the start; rejects when `work` does. */
async function throughCompactions(
  client: MilvusClient,
  times: number,
  work: (step: number) => Promise<void>,
): Promise<void> {
  let merged = 0;
  let known = new Set(await segmentIds(client));
  for (let step = 0; merged < times; step++) {
    await work(step);
    const present = await segmentIds(client);
    if ([...known].some((id) => !present.includes(id))) merged++;
    known = new Set(present);
  }
}

test('iterators give every row once while rows are inserted and compacted', async () => {
  await using cluster = await TestCluster.start({ settings: EAGER });
  const client = await cluster.client();
  await createPoints(client, NAME, 1);
  await indexAndLoad(client, NAME);
  const points = randomPoints(1_200);
  for (let first = 0; first < points.length; first += 300)
    await write(client, points.slice(first, first + 300));
  const pages = await client.queryIterator({
    collection_name: NAME,
    batchSize: 40,
    expr: `id < ${points.length}`,
    output_fields: ['id', 'tag'],
  });
  const seen: string[] = [];
  let next = points.length;
  const iterator = pages[Symbol.asyncIterator]();
  let isDone = false;
  await throughCompactions(client, 3, async () => {
    await write(client, randomPoints(20, next));
    next += 20;
    for (let page = 0; page < 2 && !isDone; page++) {
      const { done, value } = await iterator.next();
      isDone = done === true;
      if (!isDone) seen.push(...(value as { id: string }[]).map(({ id }) => String(id)));
    }
  });
  while (!isDone) {
    const { done, value } = await iterator.next();
    isDone = done === true;
    if (!isDone) seen.push(...(value as { id: string }[]).map(({ id }) => String(id)));
  }
  assert.deepEqual(
    seen,
    points.map(({ id }) => String(id)),
  );
  assert.equal(await countRows(client, NAME), next);
});

test('searches find the same before, while and after segments are compacted, and the collection stays loaded', async () => {
  await using cluster = await TestCluster.start({ readers: 3, proxies: 2, settings: EAGER });
  const [client, other] = [await cluster.client(), await cluster.client('proxy-2')];
  await createPoints(client, NAME);
  await indexAndLoad(client, NAME, 2);
  let points = randomPoints(600);
  await write(client, points);
  const queries = randomPoints(3, 1_000_000).map((point) => point.vector);
  let version = 2;
  await throughCompactions(client, 4, async (step) => {
    const moved = randomPoints(30, (step * 37) % 500, version++);
    succeeded(await client.upsert({ collection_name: NAME, data: moved }));
    const first = (step * 53) % 600;
    succeeded(await client.delete({ collection_name: NAME, filter: `id >= ${first} and id < ${first + 5}` }));
    points = [...points.filter(({ id }) => !moved.some((one) => one.id === id)), ...moved].filter(
      ({ id }) => id < first || id >= first + 5,
    );
    const flushing = client.flushSync({ collection_names: [NAME] });
    for (const one of [client, other]) {
      assert.equal(await countRows(one, NAME), points.length);
      for (const query of queries) {
        assert.deepEqual(await searchIds(one, NAME, query, 5), nearest(points, query, 5), `step ${step}`);
      }
      const { state } = succeeded(await one.getLoadState({ collection_name: NAME }));
      assert.equal(state, 'LoadStateLoaded', `step ${step}`);
    }
    succeeded(await flushing);
  });
});

test('a client asks for compaction, waits for its end, and finds one segment a channel', async () => {
  await using cluster = await TestCluster.start({
    settings: [
      'writer.compaction_segments_min=64',
      'writer.compaction_dead_percent=100',
      'writer.compaction_warm_up=100ms',
    ],
  });
  const client = await cluster.client();
  await createPoints(client, NAME, 1);
  await indexAndLoad(client, NAME);
  const points = randomPoints(90);
  for (let first = 0; first < 90; first += 30) await write(client, points.slice(first, first + 30));
  succeeded(await client.delete({ collection_name: NAME, filter: 'id < 10' }));
  succeeded(await client.flushSync({ collection_names: [NAME] }));
  const before = await segmentIds(client);
  assert.equal(before.length, 3);
  const { compactionID, compactionPlanCount } = succeeded(await client.compact({ collection_name: NAME }));
  assert.equal(compactionPlanCount, 1);
  const state = async () => succeeded(await client.getCompactionState({ compactionID }));
  while (String((await state()).state) === 'Executing');
  assert.equal((await state()).completedPlanNo, '1');
  const [merged, ...rest] = await segmentIds(client);
  assert.deepEqual(rest, []);
  const plans = succeeded(await client.getCompactionStateWithPlans({ compactionID }));
  const [info] = plans.mergeInfos;
  assert.deepEqual([info!.sources.toSorted(), info!.target], [before.toSorted(), merged]);
  assert.equal(await countRows(client, NAME), 80);
  const query = randomPoints(1, 1_000_000)[0]!.vector;
  assert.deepEqual(await searchIds(client, NAME, query, 5), nearest(points.slice(10), query, 5));
});
