// Searches with filters that keep 50, 10, 1 and 0.1 % of the rows at random, through a cluster, against the same searches
// without a filter. Recall is against the exact neighbours among the rows kept.
import { parseArgs } from 'node:util';
import { DataType, type MilvusClient } from '@zilliz/milvus2-sdk-node';
import { say, startApart } from './bench-cluster.ts';
import { searchRate } from './search-rate.ts';
import { loadEmbeddings, type Embeddings } from '../../scripts/embeddings.ts';
import { exactNeighbours } from '../../scripts/quickstart/exact-neighbours.ts';
import { indexAndLoad } from '../../scripts/quickstart/words-collection.ts';
import { SeededRandom } from '../../src/host/index.ts';
import { succeeded } from '../../test/support/milvus.ts';
import { createReport } from '../support/report.ts';
import { median, round } from '../support/statistics.ts';

const SEED = 7;
const COLLECTION = 'filtered';
const K = 10;
const BUCKETS = 1_000;
const SHARES = [0.5, 0.1, 0.01, 0.001] as const;
const BATCH = 2_000;
const SEARCH = { collection: COLLECTION, k: K, ef: 96, concurrency: 4 };

export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rows: { type: 'string', default: '100000' },
      pairs: { type: 'string', default: '5' },
      searches: { type: 'string', default: '2000' },
    },
  });
  const embeddings = await loadEmbeddings({ rows: Number(values.rows), queries: 500, seed: SEED });
  const random = new SeededRandom(SEED);
  const buckets = embeddings.words.map(() => random.below(BUCKETS));
  const searches = Number(values.searches);
  await using cluster = await startApart();
  const { client } = cluster;
  await load(client, embeddings, buckets);
  await searchRate(client, embeddings, searches, { ...SEARCH, filter: '' });
  const report = createReport('filtered', SEED);
  for (const share of SHARES) {
    const bound = share * BUCKETS;
    const filter = `bucket < ${bound}`;
    const exact = await exactAmong(embeddings, (row) => buckets[row]! < bound);
    let found = 0;
    let wanted = 0;
    await searchRate(client, embeddings, 500, { ...SEARCH, filter }, (query, keys) => {
      wanted += exact[query]!.size;
      found += keys.filter((key) => exact[query]!.has(key)).length;
    });
    const [plain, filtered, ratios]: [number[], number[], number[]] = [[], [], []];
    for (let pair = 0; pair < Number(values.pairs); pair++) {
      plain.push(await searchRate(client, embeddings, searches, { ...SEARCH, filter: '' }));
      filtered.push(await searchRate(client, embeddings, searches, { ...SEARCH, filter }));
      ratios.push(filtered.at(-1)! / plain.at(-1)!);
    }
    report({
      measure: `search with a filter that keeps ${share * 100} %`,
      rows: embeddings.words.length,
      pairs: ratios.length,
      recall: round(found / wanted),
      qps: Math.round(median(filtered)),
      peer: 'without a filter',
      peer_qps: Math.round(median(plain)),
      ratio: round(median(ratios)),
    });
  }
}

async function load(client: MilvusClient, embeddings: Embeddings, buckets: readonly number[]): Promise<void> {
  const { dim, vectors } = embeddings;
  succeeded(
    await client.createCollection({
      collection_name: COLLECTION,
      consistency_level: 'Bounded',
      fields: [
        { name: 'id', data_type: DataType.Int64, is_primary_key: true, autoID: false },
        { name: 'bucket', data_type: DataType.Int32 },
        { name: 'vector', data_type: DataType.FloatVector, dim },
      ],
    }),
  );
  for (let from = 0; from < buckets.length; from += BATCH) {
    const data = buckets.slice(from, from + BATCH).map((bucket, index) => {
      const id = from + index;
      return { id, bucket, vector: Array.from(vectors.subarray(id * dim, (id + 1) * dim)) };
    });
    succeeded(await client.insert({ collection_name: COLLECTION, data }));
  }
  await indexAndLoad(client, say, 1, COLLECTION);
}

/** Exact neighbours among the rows that `keep` keeps, by their numbers in all rows. */
async function exactAmong(
  embeddings: Embeddings,
  keep: (row: number) => boolean,
): Promise<readonly ReadonlySet<number>[]> {
  const { dim, vectors } = embeddings;
  const kept = embeddings.words.keys().filter(keep).toArray();
  const own = new Float32Array(kept.length * dim);
  kept.forEach((row, index) => own.set(vectors.subarray(row * dim, (row + 1) * dim), index * dim));
  const found = await exactNeighbours({ ...embeddings, vectors: own }, K);
  return found.map((rows) => new Set(Array.from(rows, (row) => kept[row]!)));
}
