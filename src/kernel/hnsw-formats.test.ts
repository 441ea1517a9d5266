import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newBitmap, setBit } from '../columns/bitmap.ts';
import { SeededRandom } from '../host/index.ts';
import { DENSE_METRICS } from '../schema/index.ts';
import { encodeFloat } from '../../test/support/formats.ts';
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
import { isErrorWithCode } from '../errors/index.ts';
import type { KernelHits } from './kernel.ts';
import { createKernel } from './native-kernel.ts';
import { newDenseValues, sliceVectors } from './vectors.ts';

const DIM = 40;
const ROWS = 3_000;
const QUERIES = 20;

console.log(`seed ${testSeed}`);

const FORMATS = ['float16', 'bfloat16', 'int8'] as const;

function clusteredValues(format: (typeof FORMATS)[number]): ReturnType<typeof newDenseValues> {
  const floats = clusteredVectors(new SeededRandom(testSeed), ROWS + QUERIES, DIM);
  const values = newDenseValues({ format, dim: DIM }, ROWS + QUERIES);
  floats.forEach((value, at) => {
    values[at] =
      format === 'int8' ? Math.round(Math.max(-128, Math.min(127, value * 30))) : encodeFloat(format, value);
  });
  return values;
}

/** Each score by its hit, for hits that both answers have. */
function checkScores(found: KernelHits, truth: KernelHits): void {
  for (let query = 0; query < QUERIES; query++) {
    const scores = new Map(hitKeys(truth, query).map((key, j) => [key, truth.scores[query * truth.k + j]]));
    hitKeys(found, query).forEach((key, j) => {
      if (scores.has(key)) assert.equal(found.scores[query * found.k + j], scores.get(key));
    });
  }
}

for (const format of FORMATS) {
  test(`HNSW over ${format} vectors finds what the exact search finds, with its scores`, async () => {
    await using directory = await temporaryDirectory();
    await using kernel = createKernel({ threads: 2, queueMax: 100 });
    const shape = { format, dim: DIM };
    const all = clusteredValues(format);
    const rows = sliceVectors(shape, all, 0, ROWS);
    const queries = sliceVectors(shape, all, ROWS, ROWS + QUERIES);
    using vectors = await writeAndOpen(kernel, directory.path, rows, DIM, 'vectors', format);
    const allowed = newBitmap(ROWS, 0);
    for (let row = 0; row < ROWS; row += 5) setBit(allowed, row);
    for (const metric of DENSE_METRICS) {
      const path = directory.file(metric);
      const params = { M: 16, efConstruction: 100 };
      await kernel.buildIndex({ type: 'HNSW', metric, vectors, path, params, seed: 1, threads: 2 });
      using index = await kernel.openIndex(path, vectors);
      assert.deepEqual([index.format, index.dim, index.type, index.metric], [format, DIM, 'HNSW', metric]);
      for (const filter of [null, allowed]) {
        const search = searchOf({ sources: [wholeSource(index, filter)], queries, ...shape, metric });
        const exact = await kernel.search({ ...search, sources: [wholeSource(vectors, filter)] });
        const found = await kernel.search({ ...search, params: { ef: 200 } });
        const recall = recallOf(found, exact);
        assert.ok(recall >= 0.97, `${metric} recall ${recall}`);
        checkScores(found, exact);
      }
    }
  });
}

test('an index type that is not made for a format or metric is refused', async () => {
  await using directory = await temporaryDirectory();
  await using kernel = createKernel({ threads: 1, queueMax: 10 });
  const build = { type: 'HNSW', path: directory.file('index'), params: {}, seed: 1, threads: 1 } as const;
  const refused = (error: unknown): boolean => isErrorWithCode(error, 'INDEX_INVALID');
  using bits = await writeAndOpen(kernel, directory.path, new Uint8Array(8), 16, 'bits', 'binary');
  await assert.rejects(kernel.buildIndex({ ...build, metric: 'HAMMING', vectors: bits }), refused);
  using bytes = await writeAndOpen(kernel, directory.path, new Int8Array(8), 4, 'bytes', 'int8');
  await assert.rejects(kernel.buildIndex({ ...build, metric: 'HAMMING', vectors: bytes }), refused);
});
