import type { MilvusClient } from '@zilliz/milvus2-sdk-node';
import { COLLECTION } from './words-collection.ts';
import { succeeded } from '../../test/support/milvus.ts';
import type { Embeddings } from '../embeddings.ts';

const BATCH = 2_000;
/** Batches under way at the same time. */
const CONCURRENCY = 4;
const BAR_WIDTH = 30;

/** Inserts every word under its number, with a progress bar. */
export async function insertWords(
  client: MilvusClient,
  { words, vectors, dim }: Embeddings,
  say: (line: string) => void,
): Promise<void> {
  const start = performance.now();
  let next = 0;
  let done = 0;
  const worker = async (): Promise<void> => {
    while (next < words.length) {
      const from = next;
      next = Math.min(from + BATCH, words.length);
      const data = words.slice(from, next).map((word, index) => {
        const row = from + index;
        return { id: row, word, vector: Array.from(vectors.subarray(row * dim, (row + 1) * dim)) };
      });
      succeeded(await client.insert({ collection_name: COLLECTION, data }));
      done += data.length;
      progress(done, words.length);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
  const seconds = (performance.now() - start) / 1000;
  say(
    `\ninserted ${words.length} rows in ${seconds.toFixed(1)} s (${Math.round(words.length / seconds)} rows/s through the client)`,
  );
}

function progress(done: number, total: number): void {
  const filled = Math.round((BAR_WIDTH * done) / total);
  const bar = '█'.repeat(filled) + '░'.repeat(BAR_WIDTH - filled);
  process.stderr.write(`\r  inserting ${bar} ${done} / ${total}`);
}
