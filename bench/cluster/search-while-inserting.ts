// What constant inserts cost searches: blocks of searches with and without 500 rows a second coming in, alternating, on one
// cluster of a writer, a reader and a proxy. The official client does both.
import { parseArgs } from 'node:util';
import type { MilvusClient } from '@zilliz/milvus2-sdk-node';
import { say, startApart } from './bench-cluster.ts';
import { searchRate } from './search-rate.ts';
import { loadEmbeddings, type Embeddings } from '../../scripts/embeddings.ts';
import { insertWords } from '../../scripts/quickstart/insert-words.ts';
import { COLLECTION, createWords, indexAndLoad } from '../../scripts/quickstart/words-collection.ts';
import { succeeded } from '../../test/support/milvus.ts';
import { createReport } from '../support/report.ts';
import { median, round } from '../support/statistics.ts';

const SEED = 7;
const ROWS_PER_SECOND = 500;
const BATCHES_PER_SECOND = 10;
const CONCURRENCY = 4;
const BUDGET = 0.8;
const SEARCH = { collection: COLLECTION, k: 10, ef: 96, filter: '', concurrency: CONCURRENCY };

export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rows: { type: 'string', default: '100000' },
      pairs: { type: 'string', default: '7' },
      searches: { type: 'string', default: '4000' },
    },
  });
  const searches = Number(values.searches);
  const all = await loadEmbeddings({ queries: 1_000, seed: SEED });
  const loaded = firstRows(all, 0, Number(values.rows));
  await using cluster = await startApart();
  const { client } = cluster;
  await createWords(client, all.dim);
  await insertWords(client, loaded, say);
  await indexAndLoad(client, say, 1);
  await searchRate(client, all, searches, SEARCH);

  const feed = new Feed(client, all, loaded.words.length);
  const [idle, busy, ratios]: [number[], number[], number[]] = [[], [], []];
  for (let pair = 0; pair < Number(values.pairs); pair++) {
    const without = await searchRate(client, all, searches, SEARCH);
    const stop = feed.start();
    const during = await searchRate(client, all, searches, SEARCH);
    await stop();
    idle.push(without);
    busy.push(during);
    ratios.push(during / without);
  }
  createReport(
    'search-while-inserting',
    SEED,
  )({
    measure: `searches a second while ${ROWS_PER_SECOND} rows/s are inserted, ${CONCURRENCY} at a time`,
    rows: loaded.words.length,
    inserted: feed.inserted,
    inserted_per_s: Math.round(feed.perSecond),
    pairs: ratios.length,
    qps: Math.round(median(busy)),
    peer: 'the same without inserts',
    peer_qps: Math.round(median(idle)),
    ratio: round(median(ratios)),
    budget: BUDGET,
  });
}

/** Inserts further words at a steady rate while it is started. */
class Feed {
  inserted = 0;
  #activeMs = 0;
  readonly #client: MilvusClient;
  readonly #source: Embeddings;
  #next: number;

  constructor(client: MilvusClient, source: Embeddings, from: number) {
    this.#client = client;
    this.#source = source;
    this.#next = from;
  }

  get perSecond(): number {
    return (this.inserted * 1_000) / this.#activeMs;
  }

  /** Gives what stops it and waits for the last batch. */
  start(): () => Promise<void> {
    const started = performance.now();
    const under: Promise<unknown>[] = [];
    const timer = setInterval(() => under.push(this.#insert()), 1_000 / BATCHES_PER_SECOND);
    return async () => {
      clearInterval(timer);
      this.#activeMs += performance.now() - started;
      await Promise.all(under);
    };
  }

  async #insert(): Promise<void> {
    const { words, vectors, dim } = this.#source;
    const rows = ROWS_PER_SECOND / BATCHES_PER_SECOND;
    const first = this.#next;
    this.#next += rows;
    this.inserted += rows;
    const data = words.slice(first, first + rows).map((word, index) => {
      const row = first + index;
      return { id: row, word, vector: Array.from(vectors.subarray(row * dim, (row + 1) * dim)) };
    });
    succeeded(await this.#client.insert({ collection_name: COLLECTION, data }));
  }
}

function firstRows(all: Embeddings, from: number, to: number): Embeddings {
  return {
    ...all,
    words: all.words.slice(from, to),
    vectors: all.vectors.subarray(from * all.dim, to * all.dim),
  };
}
