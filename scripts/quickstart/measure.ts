import type { MilvusClient } from '@zilliz/milvus2-sdk-node';
import { COLLECTION, EF } from './words-collection.ts';
import type { Embeddings } from '../embeddings.ts';

/** Searches under way at the same time, spread over the proxies. */
const CONCURRENCY = 8;
const STORM_MS = 6_000;
const KILL_AFTER_MS = 1_000;

export interface Measured {
  /** Row numbers of the hits, by query. */
  readonly answers: ReadonlyMap<number, readonly number[]>;
  readonly count: number;
  readonly failed: number;
  readonly errors: readonly string[];
  readonly qps: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly slowestMs: number;
}

export async function searchAll(
  clients: readonly MilvusClient[],
  embeddings: Embeddings,
  k: number,
): Promise<Measured> {
  const total = embeddings.queryWords.length;
  // A first round warms connections, caches and compilers.
  await run(clients, embeddings, k, (count) => count < Math.min(200, total));
  return await run(clients, embeddings, k, (count) => count < total);
}

/** Searches all the time while `kill` happens. */
export async function searchThroughKill(
  clients: readonly MilvusClient[],
  embeddings: Embeddings,
  k: number,
  kill: () => void,
): Promise<Measured> {
  const start = performance.now();
  const timer = setTimeout(kill, KILL_AFTER_MS);
  try {
    return await run(clients, embeddings, k, () => performance.now() - start < STORM_MS);
  } finally {
    clearTimeout(timer);
  }
}

async function run(
  clients: readonly MilvusClient[],
  { queries, dim, queryWords }: Embeddings,
  k: number,
  goesOn: (count: number) => boolean,
): Promise<Measured> {
  const vectors = queryWords.map((_, query) => Array.from(queries.subarray(query * dim, (query + 1) * dim)));
  const answers = new Map<number, readonly number[]>();
  const times: number[] = [];
  const errors = new Set<string>();
  let count = 0;
  let failed = 0;
  const start = performance.now();
  const worker = async (_: unknown, index: number): Promise<void> => {
    const client = clients[index % clients.length]!;
    while (goesOn(count)) {
      const query = count++ % vectors.length;
      const asked = performance.now();
      try {
        const answer = await client.search({
          collection_name: COLLECTION,
          data: vectors[query]!,
          limit: k,
          params: { ef: EF },
        });
        if (answer.status.error_code !== 'Success') throw new Error(answer.status.reason);
        answers.set(
          query,
          answer.results.map((hit) => Number(hit.id)),
        );
      } catch (error) {
        failed++;
        errors.add((error as Error).message);
      }
      times.push(performance.now() - asked);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
  const seconds = (performance.now() - start) / 1000;
  times.sort((a, b) => a - b);
  const quantile = (fraction: number): number =>
    times[Math.min(times.length - 1, Math.floor(times.length * fraction))]!;
  return {
    answers,
    count,
    failed,
    errors: [...errors],
    qps: count / seconds,
    p50Ms: quantile(0.5),
    p99Ms: quantile(0.99),
    slowestMs: times.at(-1)!,
  };
}

/** Mean share of the k exact neighbours that was found, over the queries answered. */
export function recallOf(
  answers: ReadonlyMap<number, readonly number[]>,
  exact: readonly ReadonlySet<number>[],
  k: number,
): number {
  let found = 0;
  for (const [query, rows] of answers) found += rows.filter((row) => exact[query]!.has(row)).length;
  return found / (answers.size * k);
}
