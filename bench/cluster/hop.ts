// What the hop costs: the same searches through a proxy and a reader process, and in one process that is both. Official
// client, one search at a time; blocks of searches alternate between the two, and the ratio is the median over pairs.
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { MilvusClient } from '@zilliz/milvus2-sdk-node';
import { loadEmbeddings, type Embeddings } from '../../scripts/embeddings.ts';
import { insertWords } from '../../scripts/quickstart/insert-words.ts';
import { COLLECTION, EF, createWords, indexAndLoad } from '../../scripts/quickstart/words-collection.ts';
import { ClusterMember } from '../../src/cli/cluster/cluster-member.ts';
import { planCluster, type PlannedMember } from '../../src/cli/cluster/cluster-plan.ts';
import { nodeTimers } from '../../src/host/node/index.ts';
import { succeeded } from '../../test/support/milvus.ts';
import { createReport } from '../support/report.ts';

const SEED = 7;
const BLOCK = 200;
const BUDGET = 1.1;
const STOP_GRACE_MS = 10_000;

export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: { rows: { type: 'string', default: '50000' }, pairs: { type: 'string', default: '15' } },
  });
  const embeddings = await loadEmbeddings({ rows: Number(values.rows), queries: 1_000, seed: SEED });
  const directory = await mkdtemp(join(tmpdir(), 'mishards-bench-'));
  try {
    await mkdir(join(directory, 'apart', 'run'), { recursive: true });
    await using apart = await serve(embeddings, separate(join(directory, 'apart')));
    await using together = await serve(embeddings, inOne(join(directory, 'together')));
    const ratios: number[] = [];
    const [through, direct]: [number[], number[]] = [[], []];
    for (let pair = -2; pair < Number(values.pairs); pair++) {
      const a = await medianOf(apart.client, embeddings);
      const b = await medianOf(together.client, embeddings);
      if (pair < 0) continue;
      through.push(a);
      direct.push(b);
      ratios.push(a / b);
    }
    createReport(
      'hop',
      SEED,
    )({
      measure: 'search through proxy and reader processes',
      rows: embeddings.words.length,
      pairs: ratios.length,
      p50_ms: round(median(through)),
      peer: 'the same in one process',
      peer_p50_ms: round(median(direct)),
      ratio: round(median(ratios)),
      budget: BUDGET,
    });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

interface Served extends AsyncDisposable {
  readonly client: MilvusClient;
}

const SETTINGS = ['--set', 'telemetry.log_level=error', '--set', 'kernel.threads=1'];

function separate(dataDirectory: string): readonly PlannedMember[] {
  return planCluster({
    writers: 1,
    readers: 1,
    proxies: 1,
    dataDirectory,
    port: 0,
    managementPort: 0,
    arguments: SETTINGS,
  });
}

function inOne(dataDirectory: string): readonly PlannedMember[] {
  const own = { 'data.directory': dataDirectory, 'proxy.port': 0, 'management.port': 0 };
  const settings = Object.entries(own).flatMap(([key, value]) => ['--set', `${key}=${value}`]);
  return [{ id: 'standalone', role: 'proxy', arguments: ['standalone', ...settings, ...SETTINGS] }];
}

/** Starts the processes, fills and loads the collection. */
async function serve(embeddings: Embeddings, planned: readonly PlannedMember[]): Promise<Served> {
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  const members = planned.map(
    (plan) => new ClusterMember(plan, { timers: nodeTimers, onLine: say, onExit: say }),
  );
  await Promise.all(members.map((member) => member.start()));
  const proxy = members.find((member) => member.addresses?.milvus !== undefined);
  const client = new MilvusClient({ address: proxy!.addresses!.milvus!, logLevel: 'error' });
  await client.connectPromise;
  await createWords(client, embeddings.dim);
  await insertWords(client, embeddings, say);
  await indexAndLoad(client, say, 1);
  return {
    client,
    async [Symbol.asyncDispose]() {
      await client.closeConnection();
      await Promise.all(members.map((member) => member.stop(STOP_GRACE_MS)));
    },
  };
}

/** Median milliseconds of a block of searches. */
async function medianOf(client: MilvusClient, { queries, dim }: Embeddings): Promise<number> {
  const times: number[] = [];
  for (let query = 0; query < BLOCK; query++) {
    const data = Array.from(queries.subarray(query * dim, (query + 1) * dim));
    const start = performance.now();
    succeeded(await client.search({ collection_name: COLLECTION, data, limit: 10, params: { ef: EF } }));
    times.push(performance.now() - start);
  }
  return median(times);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}

const round = (value: number): number => Number(value.toFixed(3));
