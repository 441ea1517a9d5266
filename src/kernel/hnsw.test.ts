import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { newBitmap } from '../columns/bitmap.ts';
import { SeededRandom } from '../host/index.ts';
import { DENSE_METRICS } from '../schema/index.ts';
import {
  checkInstructionSets,
  checkKept,
  checkOddQueries,
  checkOddRows,
  checkPages,
  checkRange,
  checkRecall,
  checkScores,
} from '../../test/support/index-checks.ts';
import { IndexStage } from '../../test/support/index-stage.ts';
import { testSeed } from '../../test/support/seed.ts';
import { clusteredVectors, wholeSource } from '../../test/support/vectors.ts';

const DIM = 48;
const ROWS = 12_000;
const QUERIES = 40;
const PARAMS = { M: 12, efConstruction: 80 };

console.log(`seed ${testSeed}`);

describe('HNSW', () => {
  const shape = { dim: DIM, rowCount: ROWS, queryCount: QUERIES };
  const stage = new IndexStage({ ...shape, type: 'HNSW', params: PARAMS });
  before(() => stage.open());
  after(() => stage[Symbol.asyncDispose]());

  for (const metric of DENSE_METRICS) {
    test(`${metric}: recall, and scores that are the exact ones`, async () => {
      const { found, truth } = await stage.both({ metric, params: { ef: 200 } });
      checkRecall(found, truth, 0.97);
      checkScores(found, truth);
    });
  }

  for (const share of [0.95, 0.5, 0.3, 0.1, 0.01, 0.001]) {
    test(`a filter that keeps ${share * 100} % keeps recall, and returns nothing else`, async () => {
      const allowed = stage.randomFilter(share);
      for (const metric of ['L2', 'COSINE'] as const) {
        const { found, truth } = await stage.both({ metric, params: { ef: 150 } }, allowed);
        checkRecall(found, truth, 0.95, metric);
        checkKept(found, truth, allowed);
      }
    });
  }

  test('a filter that keeps only rows far from the query keeps recall', async () => {
    const one = stage.firstQueries(1);
    const order = (await stage.both({ ...one, k: 8_000 })).truth;
    const allowed = newBitmap(ROWS, 1);
    for (const row of order.rows) allowed[row >>> 3]! &= ~(1 << (row & 7));
    const { found, truth } = await stage.both({ ...one, params: { ef: 200 } }, allowed);
    checkRecall(found, truth, 0.8);
  });

  test('no allowed row, no hits; all allowed, the hits of no filter', async () => {
    const none = await stage.both({}, newBitmap(ROWS, 0));
    assert.deepEqual([...none.found.counts], new Array(QUERIES).fill(0));
    const all = await stage.both({ params: { ef: 100 } }, newBitmap(ROWS, 1));
    checkRecall(all.found, (await stage.both({ params: { ef: 100 } })).found, 0.97);
  });

  for (const metric of DENSE_METRICS) {
    test(`${metric}: pages that go on from the last score reach every row`, () =>
      checkPages(stage, metric, { ef: 200 }));
  }

  for (const metric of DENSE_METRICS) {
    test(`${metric}: bounds keep their range of scores`, async () => {
      const scoreAbove = await checkRange(stage, metric, 0.97, { params: { ef: 400 } });
      const { found, truth } = await stage.both({ metric, ...stage.firstQueries(1), k: 1_000, scoreAbove });
      assert.equal(truth.counts[0], 120);
      checkRecall(found, truth, 0.97);
    });
  }

  test('k up to its limit', async () => {
    const { found, truth } = await stage.both({ k: 12_000, ...stage.firstQueries(2) });
    checkRecall(found, truth, 0.999);
    const large = await stage.both({ k: 2_000 });
    checkRecall(large.found, large.truth, 0.97);
  });

  test('several indexes, a file and a block reduce to one top-k', async () => {
    const { kernel, vectors } = stage;
    using block = kernel.createBlock({ format: 'float32', dim: DIM, capacity: 600 });
    block.append(clusteredVectors(new SeededRandom(testSeed), 500, DIM));
    const index = stage.index('L2');
    const half = stage.randomFilter(0.5);
    const sources = [wholeSource(index), wholeSource(block), wholeSource(index, half)];
    const exact = [wholeSource(vectors), wholeSource(block), wholeSource(vectors, half)];
    const search = stage.search({ sources, params: { ef: 200 } });
    const truth = await kernel.search({ ...search, sources: exact, params: {} });
    checkRecall(await kernel.search(search), truth, 0.97);
  });

  test('a query with values that are not finite finds what an exact search finds', async () => {
    await checkOddQueries(stage);
  });

  test('one thread, same vectors, parameters and seed: the same bytes', async () => {
    using few = await stage.indexOver(clusteredVectors(new SeededRandom(3), 1_500, DIM));
    const bytesOf = async (seed: number): Promise<Buffer> => {
      const build = stage.build({ vectors: few.vectors, seed, threads: 1 });
      await stage.kernel.buildIndex(build);
      return readFile(build.path);
    };
    const first = await bytesOf(11);
    assert.ok(first.equals(await bytesOf(11)));
    assert.ok(!first.equals(await bytesOf(12)));
  });

  test('every instruction set finds the same rows', async () => {
    await checkInstructionSets(stage, { ef: 50 }, 1);
  });

  test('rows that are equal, zero or not finite can be indexed', async () => {
    await checkOddRows(stage, PARAMS, {});
  });

  for (const rowCount of [0, 1, 2, 5]) {
    test(`an index over ${rowCount} rows`, async () => {
      const few = stage.firstQueries(rowCount);
      using other = await stage.indexOver(few.queries);
      const { found } = await stage.both(few, null, other);
      assert.deepEqual([...found.counts], new Array(rowCount).fill(rowCount));
      for (let query = 0; query < rowCount; query++) assert.equal(found.rows[query * 10], query);
    });
  }

  for (const dim of [1, 2, 57, 130]) {
    test(`an index of dimension ${dim}`, async () => {
      const all = clusteredVectors(new SeededRandom(testSeed), 2_020, dim, 20);
      const shape = { format: 'float32', dim } as const;
      using other = await stage.indexOver(all.subarray(20 * dim), {}, shape);
      const asked = { ...shape, queries: all.subarray(0, 20 * dim), queryCount: 20, params: { ef: 200 } };
      const { found, truth } = await stage.both(asked, null, other);
      // Rows of few dimensions have equal scores; what counts is to be as close.
      truth.scores.forEach((score, at) =>
        assert.ok(found.scores[at]! >= score - 0.05 * Math.abs(score) - 1e-4, `hit ${at}`),
      );
    });
  }
});
