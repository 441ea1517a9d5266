import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { MilvusClient } from '@zilliz/milvus2-sdk-node';
import { Cluster } from '../../src/cli/cluster/cluster.ts';
import { nodeTimers } from '../../src/host/node/index.ts';
import { succeeded } from '../support/milvus.ts';
import {
  countRows,
  createPoints,
  indexAndLoad,
  nearest,
  randomPoints,
  searchIds,
} from '../support/points.ts';

const NAME = 'points';

async function withCluster(body: (cluster: Cluster, client: MilvusClient) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'mishards-kill-'));
  try {
    const lines: string[] = [];
    const size = { writers: 2, readers: 2, proxies: 1, dataDirectory: directory, port: 0, managementPort: 0 };
    const settings = [
      '--set',
      'telemetry.log_level=error',
      '--set',
      'kernel.threads=1',
      '--set',
      'writer.lease_ttl=1s',
    ];
    await using cluster = await Cluster.start(
      { ...size, arguments: settings },
      { timers: nodeTimers, onLine: (id, line) => lines.push(`${id} ${line}`), onExit: () => {} },
    );
    const proxy = cluster.report().find((member) => member.role === 'proxy');
    const client = new MilvusClient({ address: proxy!.addresses!.milvus!, logLevel: 'error' });
    await client.connectPromise;
    await body(cluster, client);
    await client.closeConnection();
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

test('kill -9 of a reader fails no search', async () => {
  await withCluster(async (cluster, client) => {
    const points = randomPoints(2_000);
    await createPoints(client, NAME);
    await indexAndLoad(client, NAME, 2);
    succeeded(await client.insert({ collection_name: NAME, data: points.slice(0, 1_900) }));
    succeeded(await client.flushSync({ collection_names: [NAME] }));
    succeeded(await client.insert({ collection_name: NAME, data: points.slice(1_900) }));
    const queries = randomPoints(20, 1_000_000).map((point) => point.vector);
    for (let round = 0; round < 15; round++) {
      if (round === 5) cluster.signal('reader-1', 'SIGKILL');
      const found = await Promise.all(queries.map((query) => searchIds(client, NAME, query, 5)));
      assert.deepEqual(
        found,
        queries.map((query) => nearest(points, query, 5)),
        `round ${round}`,
      );
    }
  });
});

test('kill -9 of the active writer loses no acknowledged row; the standby goes on', async () => {
  await withCluster(async (cluster, client) => {
    await createPoints(client, NAME);
    await indexAndLoad(client, NAME);
    const acknowledged = new Set<number>();
    const insert = async (first: number): Promise<void> => {
      const answer = await client.insert({ collection_name: NAME, data: randomPoints(10, first) });
      if (answer.status.error_code === 'Success')
        for (let id = first; id < first + 10; id++) acknowledged.add(id);
    };
    for (let first = 0; first < 300; first += 10) {
      if (first === 150) for (const writer of ['writer-1', 'writer-2']) cluster.signal(writer, 'SIGKILL');
      await insert(first);
    }
    const answer = succeeded(
      await client.query({ collection_name: NAME, filter: 'id >= 0', output_fields: ['id'], limit: 1_000 }),
    );
    const found = new Set(answer.data.map((row) => Number(row['id'])));
    assert.deepEqual(
      [...acknowledged].filter((id) => !found.has(id)),
      [],
    );
    // Those under way at a kill fail, and on a slow machine one that waits for the standby longer than clients do.
    assert.ok(acknowledged.size >= 250, `${acknowledged.size} of 300 rows were acknowledged`);
    assert.equal(await countRows(client, NAME), found.size, 'no row is there twice');
  });
});

test('a cluster whose processes all die is started anew', async () => {
  await withCluster(async (cluster, client) => {
    await createPoints(client, NAME);
    await indexAndLoad(client, NAME);
    const points = randomPoints(50);
    succeeded(await client.insert({ collection_name: NAME, data: points }));
    const before = cluster.report();
    for (const { id } of before) cluster.signal(id, 'SIGKILL');
    await until(() =>
      cluster.report().every(({ addresses, pid }, index) => addresses !== null && pid !== before[index]!.pid),
    );
    const proxy = cluster.report().find((member) => member.role === 'proxy');
    const again = new MilvusClient({ address: proxy!.addresses!.milvus!, logLevel: 'error' });
    await again.connectPromise;
    const query = randomPoints(1, 1_000_000)[0]!.vector;
    assert.deepEqual(await searchIds(again, NAME, query, 5), nearest(points, query, 5));
    await again.closeConnection();
  });
});

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await nodeTimers.sleep(50);
}
