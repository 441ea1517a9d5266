import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { MilvusClient } from '@zilliz/milvus2-sdk-node';
import { createVersioned } from '../../scripts/cluster/strong-reads.ts';
import { WriteStorm } from '../../scripts/cluster/write-storm.ts';
import { Cluster } from '../../src/cli/cluster/cluster.ts';
import { nodeTimers } from '../../src/host/node/index.ts';
import { succeeded } from '../support/milvus.ts';
import { indexAndLoad } from '../support/points.ts';
import { testSeed } from '../support/seed.ts';

const NAME = 'storm';
const COMPACTIONS_BETWEEN_KILLS = 2;

/** Everything that can be compacted is, at once, and garbage goes as soon as it may. */
const EAGER = [
  'writer.lease_ttl=1s',
  'writer.compaction_segments_min=2',
  'writer.compaction_dead_percent=1',
  'writer.compaction_warm_up=100ms',
  'writer.maintenance_interval=20ms',
  'writer.index_rows_min=100',
  'writer.orphan_grace=1s',
  'writer.garbage_interval=1s',
  'reader.superseded_grace=1s',
  'telemetry.log_level=error',
  'kernel.threads=1',
];

test(`W12, W13: nothing is lost or twice while all is compacted and processes are killed (seed ${testSeed})`, async () => {
  const dataDirectory = await mkdtemp(join(tmpdir(), 'mishards-compaction-'));
  try {
    const size = { writers: 2, readers: 2, proxies: 1, dataDirectory, port: 0, managementPort: 0 };
    await using cluster = await Cluster.start(
      { ...size, arguments: EAGER.flatMap((setting) => ['--set', setting]) },
      { timers: nodeTimers, onLine: () => {}, onExit: () => {} },
    );
    const address = cluster.report().find((member) => member.role === 'proxy')!.addresses!.milvus!;
    const client = new MilvusClient({ address, logLevel: 'none', maxRetries: 0 });
    await client.connectPromise;
    await createVersioned(client, NAME);
    await indexAndLoad(client, NAME);
    await using storm = new WriteStorm([client], NAME, testSeed);
    for (const victims of [['writer-1', 'writer-2'], ['reader-1'], []]) {
      await compactions(client, COMPACTIONS_BETWEEN_KILLS);
      for (const victim of victims) cluster.signal(victim, 'SIGKILL');
      const killedAtMs = performance.now();
      while (!storm.isAcknowledgedSince(killedAtMs)) await nodeTimers.sleep(20);
      await storm.verify();
    }
    assert.deepEqual(storm.problems, []);
    assert.ok(storm.figures.acknowledgedRows > 0);
    await client.closeConnection();
  } finally {
    await rm(dataDirectory, { recursive: true, force: true });
  }
});

/** Resolves when segments have gone so many times; flushes all the while. */
async function compactions(client: MilvusClient, times: number): Promise<void> {
  let known = new Set<string>();
  for (let count = 0; count < times;) {
    await client.flush({ collection_names: [NAME] }).catch(() => undefined);
    const answer = await client.getPersistentSegmentInfo({ collectionName: NAME });
    const { infos } = succeeded(answer);
    const present = new Set(infos.map(({ segmentID }) => String(segmentID)));
    if ([...known].some((id) => !present.has(id))) count++;
    known = present;
  }
}
