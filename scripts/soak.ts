// Runs a cluster of real processes for a long time under changes, reads, drops and restarts, and compares it with a model.
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Scene } from './cluster/scene.ts';
import { WriteStorm, type StormOptions } from './cluster/write-storm.ts';
import { BackgroundWork } from './soak/background-work.ts';
import { liveOnce } from './soak/collection-churn.ts';
import { filteredQuery, queryIterator, searchIterator } from './soak/query-checks.ts';
import { ResourceSamples } from './soak/resource-samples.ts';
import { approximateSearch, exactSearch, type RecallTally } from './soak/search-check.ts';
import { createSoaked, rowOf } from './soak/soak-collections.ts';
import { restartReader, restartWriter } from './soak/soak-faults.ts';
import { summaryOf } from './soak/soak-summary.ts';
import { SeededRandom } from '../src/host/index.ts';
import { succeeded } from '../test/support/milvus.ts';

const { values: flags } = parseArgs({
  options: {
    minutes: { type: 'string', default: '3' },
    seed: { type: 'string', default: String(process.pid) },
    rest: { type: 'string', default: '60' },
    verbose: { type: 'boolean', default: false },
  },
});

const durationMs = Number(flags.minutes) * 60_000;
const seed = Number(flags.seed);
/** Writers are restarted, and heaps and caches fill, up to here; from here on growth is judged. */
const WARM_UP_SHARE = 0.4;
const VERIFY_EVERY_MS = 20_000;
const FLUSH_REST_MS = 10_000;
const COMPACTION_REST_MS = 15_000;
const CHURN_REST_MS = 2_000;
const READER_REST_MS = 12_000;
const WRITER_REST_MS = 25_000;

const startMs = performance.now();
const warmMs = startMs + durationMs * WARM_UP_SHARE;
const random = new SeededRandom(seed);
const recall: RecallTally = { found: 0, expected: 0 };

await using scene = await Scene.open({
  writers: 2,
  readers: 3,
  proxies: 2,
  // What the writer keeps for readers that lag fills up to its bound; with the default of 256 MiB it would do so for the whole run.
  settings: ['writer.tail_bytes_max=32MiB'],
  say: (line) => (flags.verbose ? process.stderr.write(`${new Date().toISOString()} ${line}\n`) : undefined),
});
const [client] = scene.clients as [(typeof scene.clients)[0]];
await createSoaked(client, 'flat', 'FLAT', 2);
await createSoaked(client, 'graph', 'HNSW', 2);
// The other proxy learns of them a moment later.
await sleep(1_000);

const common: StormOptions = { keysPerWorker: 1_000, restMs: Number(flags.rest), rowOf };
const queries = [filteredQuery, queryIterator];
const storms = {
  flat: new WriteStorm(scene.clients, 'flat', seed, {
    ...common,
    checks: [...queries, searchIterator, exactSearch(false), exactSearch(true)],
  }),
  graph: new WriteStorm(scene.clients, 'graph', seed + 1, {
    ...common,
    checks: [...queries, approximateSearch(false, recall), approximateSearch(true, recall)],
  }),
};
const samples = new ResourceSamples(scene);
const readerFaults = random.fork('readers');
const writerFaults = random.fork('writers');
let churned = 0;
const work = {
  flushes: new BackgroundWork(FLUSH_REST_MS, () => client.flush({ collection_names: ['flat', 'graph'] })),
  compactions: new BackgroundWork(COMPACTION_REST_MS, async () => {
    for (const name of ['flat', 'graph']) succeeded(await client.compact({ collection_name: name }));
  }),
  collections: new BackgroundWork(CHURN_REST_MS, () => liveOnce(client, `life_${churned++}`)),
  readerRestarts: new BackgroundWork(READER_REST_MS, () => restartReader(scene, readerFaults)),
  writerRestarts: new BackgroundWork(WRITER_REST_MS, () => restartWriter(scene, writerFaults)),
};

void sleep(Math.max(0, warmMs - performance.now())).then(() => work.writerRestarts[Symbol.asyncDispose]());

while (performance.now() < startMs + durationMs) {
  await sleep(Math.min(VERIFY_EVERY_MS, Math.max(0, startMs + durationMs - performance.now())));
  for (const storm of Object.values(storms)) await storm.verify();
}
for (const each of Object.values(work)) await each[Symbol.asyncDispose]();
for (const storm of Object.values(storms)) await storm.verify();
for (const storm of Object.values(storms)) await storm[Symbol.asyncDispose]();
const growth = samples.growth(warmMs);
await samples[Symbol.asyncDispose]();

const summary = summaryOf({ minutes: Number(flags.minutes), seed, storms, work, recall, growth });
console.log(JSON.stringify(summary.figures));
console.log(summary.row);
if (!summary.isGood) process.exitCode = 1;
