import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newBitmap, setBit } from '../columns/bitmap.ts';
import { SeededRandom } from '../host/index.ts';
import { DENSE_METRICS } from '../schema/index.ts';
import { testSeed } from '../../test/support/seed.ts';
import { temporaryDirectory } from '../../test/support/temporary-directory.ts';
import {
  clusteredVectors,
  hitKeys,
  recallOf,
  searchOf,
  wholeSource,
  writeAndOpen,
} from '../../test/support/vectors.ts';
import type { IndexType } from './index-types.ts';
import { createKernel } from './native-kernel.ts';

// No multiple of any register's width.
const DIM = 45;
const ROWS = 3_000;
const QUERIES = 20;
const GRAPH = { M: 16, efConstruction: 100 };

interface Case {
  readonly type: IndexType;
  readonly params: Readonly<Record<string, number | string | boolean>>;
  readonly search: Readonly<Record<string, number>>;
}

const CASES: readonly Case[] = [
  { type: 'HNSW_SQ', params: {}, search: {} },
  { type: 'HNSW_SQ', params: { sq_type: 'SQ4U', refine: true }, search: { refine_k: 4 } },
  { type: 'HNSW_PQ', params: { m: 9 }, search: {} },
  { type: 'HNSW_PQ', params: { m: 9, refine: true }, search: { refine_k: 4 } },
  { type: 'HNSW_PRQ', params: { m: 9, nrq: 2 }, search: {} },
  { type: 'HNSW_PRQ', params: { m: 9, nrq: 2, refine: true }, search: { refine_k: 4 } },
];

console.log(`seed ${testSeed}`);

for (const { type, params, search } of CASES) {
  test(`${type} ${JSON.stringify(params)}: recall with and without a filter, and exact scores`, async () => {
    await using directory = await temporaryDirectory();
    await using kernel = createKernel({ threads: 2, queueMax: 100 });
    const all = clusteredVectors(new SeededRandom(testSeed), ROWS + QUERIES, DIM);
    const queries = all.slice(ROWS * DIM);
    using vectors = await writeAndOpen(kernel, directory.path, all.subarray(0, ROWS * DIM), DIM);
    const allowed = newBitmap(ROWS, 0);
    for (let row = 0; row < ROWS; row += 5) setBit(allowed, row);
    for (const metric of DENSE_METRICS) {
      const path = directory.file(metric);
      await kernel.buildIndex({
        type,
        metric,
        vectors,
        path,
        params: { ...GRAPH, ...params },
        seed: 1,
        threads: 2,
      });
      using index = await kernel.openIndex(path, vectors);
      assert.deepEqual([index.type, index.metric, index.rowCount], [type, metric, ROWS]);
      for (const filter of [null, allowed]) {
        const asked = searchOf({ sources: [wholeSource(vectors, filter)], queries, dim: DIM, metric });
        const exact = await kernel.search(asked);
        const sources = [wholeSource(index, filter)];
        const found = await kernel.search({ ...asked, sources, params: { ef: 200, ...search } });
        const recall = recallOf(found, exact);
        assert.ok(recall >= 0.95, `${metric} recall ${recall}`);
        for (let query = 0; query < QUERIES; query++) {
          const scores = new Map(
            hitKeys(exact, query).map((key, j) => [key, exact.scores[query * exact.k + j]]),
          );
          hitKeys(found, query).forEach((key, j) => {
            if (scores.has(key)) assert.equal(found.scores[query * found.k + j], scores.get(key));
          });
        }
      }
    }
  });
}
