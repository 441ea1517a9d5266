// Memory a row of a loaded HNSW index: how much a reader process grows by loading and searching a collection, beyond its
// links, against the bytes of the vectors themselves.
import { parseArgs } from 'node:util';
import { say, startApart } from './bench-cluster.ts';
import { searchRate } from './search-rate.ts';
import { loadEmbeddings } from '../../scripts/embeddings.ts';
import { insertWords } from '../../scripts/quickstart/insert-words.ts';
import { COLLECTION, createWords, indexAndLoad } from '../../scripts/quickstart/words-collection.ts';
import { succeeded } from '../../test/support/milvus.ts';
import { residentBytes } from '../support/process-use.ts';
import { createReport } from '../support/report.ts';
import { round } from '../support/statistics.ts';

const SEED = 7;
const BUDGET = 1.25;
/** HNSW's lists of the lowest level: 2 M neighbours of 4 bytes, M 16. */
const LINK_BYTES = 2 * 16 * 4;
const SEARCH = { collection: COLLECTION, k: 10, ef: 96, filter: '', concurrency: 4 };

export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({ args: [...args], options: { rows: { type: 'string', default: '300000' } } });
  const embeddings = await loadEmbeddings({ rows: Number(values.rows), queries: 1_000, seed: SEED });
  const { words, dim } = embeddings;
  await using cluster = await startApart();
  const { client } = cluster;
  await createWords(client, dim);
  await insertWords(client, embeddings, say);
  await indexAndLoad(client, say, 1);
  await searchRate(client, embeddings, 20_000, SEARCH);
  const reader = cluster.pidOf('reader-1');
  const loaded = residentBytes(reader);
  succeeded(await client.releaseCollection({ collection_name: COLLECTION }));
  const released = await settled(() => residentBytes(reader));
  const rowBytes = (loaded - released) / words.length;
  const vectorBytes = dim * Float32Array.BYTES_PER_ELEMENT;
  createReport(
    'memory',
    SEED,
  )({
    measure: 'resident bytes a row of a loaded HNSW collection (key, word, vector, codes, links)',
    rows: words.length,
    loaded_bytes: loaded,
    released_bytes: released,
    row_bytes: round(rowBytes),
    link_bytes: LINK_BYTES,
    peer: 'the vectors alone',
    peer_row_bytes: vectorBytes,
    ratio: round((rowBytes - LINK_BYTES) / vectorBytes),
    budget: BUDGET,
  });
}

const LOOK_MS = 1_000;
const LOOKS = 20;

/** The smallest of what is seen while memory is given back: files stay mapped for a grace. */
async function settled(look: () => number): Promise<number> {
  let least = look();
  for (let round = 0; round < LOOKS; round++) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    least = Math.min(least, look());
  }
  return least;
}
