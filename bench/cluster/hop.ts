// What the hop costs: the same searches through a proxy and a reader process, and in one process that is both. Official
// client, one search at a time; blocks of searches alternate between the two, and the ratio is the median over pairs. With
// --awake no processor goes to sleep between two processes.
import { parseArgs } from 'node:util';
import type { MilvusClient } from '@zilliz/milvus2-sdk-node';
import { say, startApart, startTogether, type BenchCluster } from './bench-cluster.ts';
import { loadEmbeddings, type Embeddings } from '../../scripts/embeddings.ts';
import { insertWords } from '../../scripts/quickstart/insert-words.ts';
import { COLLECTION, createWords, indexAndLoad } from '../../scripts/quickstart/words-collection.ts';
import { succeeded } from '../../test/support/milvus.ts';
import { awakeProcessors } from '../support/awake-processors.ts';
import { processorMs } from '../support/process-use.ts';
import { createReport } from '../support/report.ts';
import { median, round } from '../support/statistics.ts';

const SEED = 7;
const BLOCK = 200;
/** Blocks before it counts: every process has compiled its hot path by then. */
const WARM_UP_PAIRS = 20;
const BUDGET = 1.1;

export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rows: { type: 'string', default: '50000' },
      pairs: { type: 'string', default: '15' },
      ef: { type: 'string', default: '96' },
      awake: { type: 'boolean', default: false },
    },
  });
  const embeddings = await loadEmbeddings({ rows: Number(values.rows), queries: 1_000, seed: SEED });
  const ef = Number(values.ef);
  await using apart = await filled(startApart(), embeddings);
  await using together = await filled(startTogether(), embeddings);
  using _awake = values.awake ? awakeProcessors() : null;
  const ratios: number[] = [];
  const [through, direct]: [number[], number[]] = [[], []];
  const processes = {
    proxy: apart.pidOf('proxy-1'),
    reader: apart.pidOf('reader-1'),
    one: together.pidOf('standalone'),
  };
  let before = useOf(processes);
  for (let pair = -WARM_UP_PAIRS; pair < Number(values.pairs); pair++) {
    if (pair === 0) before = useOf(processes);
    const a = await medianOf(apart.client, embeddings, ef);
    const b = await medianOf(together.client, embeddings, ef);
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
    ef,
    awake: values.awake,
    pairs: ratios.length,
    p50_ms: round(median(through)),
    peer: 'the same in one process',
    peer_p50_ms: round(median(direct)),
    ratio: round(median(ratios)),
    budget: BUDGET,
    processor_us: processorUsBetween(before, useOf(processes), ratios.length * BLOCK),
  });
}

type Use = Readonly<Record<string, number>>;

/** Milliseconds of processor time so far. */
function useOf(pids: Readonly<Record<string, number>>): Use {
  return Object.fromEntries(Object.entries(pids).map(([name, pid]) => [name, processorMs(pid)]));
}

/** Microseconds of processor time a search, by process. */
function processorUsBetween(before: Use, after: Use, searches: number): Use {
  const used = (name: string): number => Math.round(((after[name]! - before[name]!) * 1000) / searches);
  return Object.fromEntries(Object.keys(after).map((name) => [name, used(name)]));
}

async function filled(starting: Promise<BenchCluster>, embeddings: Embeddings): Promise<BenchCluster> {
  const cluster = await starting;
  try {
    await createWords(cluster.client, embeddings.dim);
    await insertWords(cluster.client, embeddings, say);
    await indexAndLoad(cluster.client, say, 1);
    return cluster;
  } catch (error) {
    await cluster[Symbol.asyncDispose]();
    throw error;
  }
}

/** Median milliseconds of a block of searches. */
async function medianOf(client: MilvusClient, { queries, dim }: Embeddings, ef: number): Promise<number> {
  const times: number[] = [];
  for (let query = 0; query < BLOCK; query++) {
    const data = Array.from(queries.subarray(query * dim, (query + 1) * dim));
    const start = performance.now();
    succeeded(await client.search({ collection_name: COLLECTION, data, limit: 10, params: { ef } }));
    times.push(performance.now() - start);
  }
  return median(times);
}
