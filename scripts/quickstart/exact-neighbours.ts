import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createKernel } from '../../src/kernel/index.ts';
import type { Embeddings } from '../embeddings.ts';

/** Queries whose exact neighbours are computed a second time, in plain JavaScript. */
const CHECKED = 10;

/** For each query the numbers of its k nearest rows by cosine, exact: every row is compared, by the kernel's flat search. */
export async function exactNeighbours(
  embeddings: Embeddings,
  k: number,
): Promise<readonly ReadonlySet<number>[]> {
  const { vectors, queries, dim } = embeddings;
  const queryCount = queries.length / dim;
  const directory = await mkdtemp(join(tmpdir(), 'mishards-exact-'));
  try {
    await using kernel = createKernel({ threads: 2, queueMax: 1_024 });
    const path = join(directory, 'vectors');
    await kernel.writeVectors({ path, format: 'float32', dim, vectors });
    using file = await kernel.openVectors(path);
    const hits = await kernel.search({
      sources: [{ data: file, rowCount: file.rowCount, allowed: null }],
      metric: 'COSINE',
      format: 'float32',
      dim,
      queries,
      queryCount,
      k,
      params: {},
      scoreAbove: null,
      scoreUpTo: null,
    });
    const exact = Array.from(
      { length: queryCount },
      (_, query) => new Set(hits.rows.subarray(query * k, query * k + k)),
    );
    for (let query = 0; query < Math.min(CHECKED, queryCount); query++)
      check(embeddings, query, exact[query]!);
    return exact;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** No row outside may be closer than the farthest inside, but for rounding. */
function check({ vectors, queries, dim }: Embeddings, query: number, neighbours: ReadonlySet<number>): void {
  const target = queries.subarray(query * dim, (query + 1) * dim);
  const cosines = Float64Array.from({ length: vectors.length / dim }, (_, row) =>
    cosine(target, vectors.subarray(row * dim, (row + 1) * dim)),
  );
  const farthest = Math.min(...Array.from(neighbours, (row) => cosines[row]!));
  const missed = cosines.findIndex((value, row) => value > farthest + 1e-5 && !neighbours.has(row));
  if (missed !== -1) throw new Error(`the exact search missed row ${missed} for query ${query}`);
}

function cosine(a: Float32Array, b: Float32Array): number {
  let dot = 0;
  let squaredA = 0;
  let squaredB = 0;
  for (let index = 0; index < a.length; index++) {
    dot += a[index]! * b[index]!;
    squaredA += a[index]! ** 2;
    squaredB += b[index]! ** 2;
  }
  return dot / Math.sqrt(squaredA * squaredB);
}
