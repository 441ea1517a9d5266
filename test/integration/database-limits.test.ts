import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MilvusClient, RowData } from '@zilliz/milvus2-sdk-node';
import { refused, succeeded } from '../support/milvus.ts';
import { countRows, createPoints, indexAndLoad, randomPoints, searchIds } from '../support/points.ts';
import { TestCluster } from '../support/test-cluster.ts';

const NAME = 'points';

async function alter(client: MilvusClient, properties: object): Promise<void> {
  succeeded(await client.alterDatabase({ db_name: 'default', properties: properties as never }));
}

test('a database bounds its collections, what they weigh, and who may read and write', async () => {
  await using cluster = await TestCluster.start();
  const client = await cluster.client();
  await alter(client, { 'database.max.collections': 1 });
  await createPoints(client, NAME);
  const reason = 'exceeded the limit number of collections[dbName=default][limit=1]';
  await assert.rejects(createPoints(client, 'second'), { reason });
  await indexAndLoad(client, NAME);
  const insert = (first: number) => client.insert({ collection_name: NAME, data: randomPoints(2, first) });

  await alter(client, { 'database.force.deny.writing': true });
  await refused(insert(0), 9, /^force to deny writing/);
  const deletion = { collection_name: NAME, filter: 'id in [16]' };
  await refused(client.delete(deletion), 9, /^force to deny writing/);
  await alter(client, { 'database.force.deny.writing': false, 'database.force.deny.reading': true });
  succeeded(await insert(0));
  const search = { collection_name: NAME, data: randomPoints(1)[0]!.vector, limit: 1 };
  await refused(client.search(search), 9, /^force to deny reading/);
  await refused(client.query({ collection_name: NAME, filter: 'id >= 0' }), 9, /^force to deny reading/);
  await alter(client, { 'database.force.deny.reading': false });
  assert.equal(await countRows(client, NAME), 2);

  // Rows of 64 KiB of text: seventeen of them weigh more than the quota.
  succeeded(await client.createDatabase({ db_name: 'small', properties: { 'database.diskQuota.mb': 1 } }));
  const there = await cluster.client();
  succeeded(await there.use({ db_name: 'small' }));
  const field = { name: 'text', data_type: 'VarChar', max_length: 65_535, nullable: true } as const;
  await createPoints(there, NAME);
  succeeded(await there.addCollectionField({ collection_name: NAME, field }));
  const data: RowData[] = randomPoints(17).map((point) => ({ ...point, text: 'x'.repeat(65_000) }));
  succeeded(await there.insert({ collection_name: NAME, data }));
  succeeded(await there.flushSync({ collection_names: [NAME] }));
  await refused(
    there.insert({ collection_name: NAME, data }),
    9,
    /no less than its database\.diskQuota\.mb of 1/,
  );
  succeeded(await there.delete(deletion));
});

test('segments are not moved by hand: what is where it is wanted is fine, anything else is refused', async () => {
  await using cluster = await TestCluster.start({ readers: 2 });
  const client = await cluster.client();
  await createPoints(client, NAME);
  await refused(client.loadBalance({ src_nodeID: 1, collectionName: NAME } as never), 101, /not loaded/);
  await indexAndLoad(client, NAME);
  succeeded(await client.insert({ collection_name: NAME, data: randomPoints(20) }));
  succeeded(await client.flushSync({ collection_names: [NAME] }));
  assert.equal((await searchIds(client, NAME, randomPoints(1)[0]!.vector, 5)).length, 5);
  const { infos } = await client.getQuerySegmentInfo({ collectionName: NAME });
  const [info] = infos;
  const holder = Number(info!.nodeIds[0]);
  const metric = await client.getMetric({ request: { metric_type: 'system_info' } });
  const { nodes_info } = metric.response as unknown as {
    nodes_info: { identifier: number; infos: { type: string } }[];
  };
  const readers = nodes_info.filter(({ infos: { type } }) => type === 'reader').map((one) => one.identifier);
  const other = readers.find((id) => id !== holder)!;
  const balance = (
    src_nodeID: number,
    dst_nodeIDs: number[],
    sealed_segmentIDs = [String(info!.segmentID)],
  ) => client.loadBalance({ collectionName: NAME, src_nodeID, dst_nodeIDs, sealed_segmentIDs } as never);
  succeeded(await balance(other, [holder]));
  await refused(balance(holder, [other]), 10, /by hand is not supported/);
  await refused(balance(7, [holder]), 1100, /node not found\[node=7\]/);
  await refused(balance(other, [other]), 1100, /among the destinations/);
  await refused(balance(other, [holder], ['999']), 600, /segment not found\[segment=999\]/);
  await refused(client.loadBalance({ src_nodeID: 1 }), 100, /collection not found/);
});
