// Sparse indexes against comparing every row, one thread: learned sparse vectors by inner product, and texts by BM25.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { learnedSparse, termFrequencies, type SparseData } from './sparse-data.ts';
import {
  createKernel,
  type IndexType,
  type Kernel,
  type KernelHits,
  type VectorFile,
  type VectorIndex,
} from '../../src/kernel/index.ts';
import { createReport } from '../support/report.ts';
import { median, round } from '../support/statistics.ts';

const K = 10;
const INDEXES: readonly { readonly type: IndexType; readonly params: Record<string, string> }[] = [
  { type: 'SPARSE_WAND', params: {} },
  { type: 'SPARSE_INVERTED_INDEX', params: { inverted_index_algo: 'DAAT_MAXSCORE' } },
  { type: 'SPARSE_INVERTED_INDEX', params: { inverted_index_algo: 'TAAT_NAIVE' } },
];
const SETS = {
  learned: { metric: 'IP', make: learnedSparse },
  text: { metric: 'BM25', make: termFrequencies },
} as const;
type SetName = keyof typeof SETS;

export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rows: { type: 'string', default: '100000' },
      queries: { type: 'string', default: '200' },
      pairs: { type: 'string', default: '3' },
      seed: { type: 'string', default: '1' },
    },
  });
  const shape = {
    rowCount: Number(values.rows),
    queryCount: Number(values.queries),
    seed: Number(values.seed),
  };
  const report = createReport('kernel-sparse', shape.seed);
  await using kernel = createKernel({ threads: 1, queueMax: 16 });
  for (const name of Object.keys(SETS) as SetName[]) {
    const directory = await mkdtemp(join(tmpdir(), 'mishards-bench-'));
    try {
      const data = SETS[name].make(shape);
      const path = join(directory, 'vectors');
      await kernel.writeVectors({ path, format: 'sparse', dim: 0, vectors: data.rows });
      using file = await kernel.openVectors(path);
      for (const { type, params } of INDEXES) {
        const compared = await compare(
          { kernel, name, data, file, directory },
          type,
          params,
          Number(values.pairs),
        );
        report({
          data: name,
          metric: SETS[name].metric,
          rows: shape.rowCount,
          index: type,
          ...params,
          ...compared,
        });
      }
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  }
}

interface Ground {
  readonly kernel: Kernel;
  readonly name: SetName;
  readonly data: SparseData;
  readonly file: VectorFile;
  readonly directory: string;
}

async function compare(
  ground: Ground,
  type: IndexType,
  params: Record<string, string>,
  pairs: number,
): Promise<Record<string, unknown>> {
  const { kernel, name, file, directory } = ground;
  const path = join(directory, `${type}-${Object.values(params).join('-')}`);
  const start = performance.now();
  const { sizeBytes } = await kernel.buildIndex({
    type,
    metric: SETS[name].metric,
    vectors: file,
    path,
    params,
    seed: 1,
    threads: 1,
  });
  const buildSeconds = (performance.now() - start) / 1_000;
  using index = await kernel.openIndex(path, file);
  const exact = await search(ground, file);
  const found = await search(ground, index);
  const [mine, other, ratios]: [number[], number[], number[]] = [[], [], []];
  for (let pair = 0; pair < pairs; pair++) {
    mine.push((await search(ground, index)).qps);
    other.push((await search(ground, file)).qps);
    ratios.push(mine.at(-1)! / other.at(-1)!);
  }
  return {
    recall: round(recallOf(found.hits, exact.hits)),
    qps: Math.round(median(mine)),
    peer: 'comparing every row',
    peer_qps: round(median(other)),
    ratio: round(median(ratios)),
    build_seconds: round(buildSeconds),
    row_bytes: round(sizeBytes / file.rowCount),
    peer_row_bytes: round(file.sizeBytes / file.rowCount),
  };
}

async function search(
  { kernel, name, data }: Ground,
  source: VectorFile | VectorIndex,
): Promise<{ readonly hits: KernelHits; readonly qps: number }> {
  const queryCount = data.queries.offsets.length - 1;
  const { metric } = SETS[name];
  const start = performance.now();
  const hits = await kernel.search({
    sources: [{ data: source, rowCount: source.rowCount, allowed: null }],
    metric,
    ...(metric === 'BM25' && { bm25: { k1: 1.2, b: 0.75, averageLength: data.averageLength } }),
    format: 'sparse',
    dim: 0,
    queries: data.queries,
    queryCount,
    k: K,
    params: {},
    scoreAbove: null,
    scoreUpTo: null,
  });
  return { hits, qps: (queryCount * 1_000) / (performance.now() - start) };
}

/** Of scores, for rows of one score may stand for each other: found ones that are not below the exact last. */
function recallOf(found: KernelHits, exact: KernelHits): number {
  let wanted = 0;
  let got = 0;
  exact.counts.forEach((count, query) => {
    if (count === 0) return;
    const start = query * exact.k;
    const last = exact.scores[start + count - 1]!;
    const own = found.scores.subarray(start, start + found.counts[query]!);
    wanted += count;
    got += own.filter((score) => score >= last - 1e-4 * Math.abs(last)).length;
  });
  return got / wanted;
}
