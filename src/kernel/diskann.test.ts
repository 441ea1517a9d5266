import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { newBitmap } from '../columns/bitmap.ts';
import { isErrorWithCode } from '../errors/index.ts';
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
import { clusteredVectors } from '../../test/support/vectors.ts';
import type { BuildIndexOptions } from './kernel.ts';

const DIM = 48;
const ROWS = 6_000;
const QUERIES = 30;
const PARAMS = { max_degree: 28, search_list_size: 80 };
/** 256 centres a part. */
const BOOK_BYTES = 256 * DIM * 4;

console.log(`seed ${testSeed}`);

describe('DISKANN', () => {
  const shape = { dim: DIM, rowCount: ROWS, queryCount: QUERIES };
  const stage = new IndexStage({ ...shape, type: 'DISKANN', params: PARAMS });
  before(() => stage.open());
  after(() => stage[Symbol.asyncDispose]());

  for (const metric of DENSE_METRICS) {
    test(`${metric}: recall, and scores that are the exact ones`, async () => {
      const { found, truth } = await stage.both({ metric, params: { search_list: 150 } });
      checkRecall(found, truth, 0.97);
      checkScores(found, truth);
    });
  }

  test('memory holds at most the share of the vectors that it was built with', async () => {
    const rows = 1_000;
    const { kernel } = stage;
    using few = await stage.indexOver(clusteredVectors(new SeededRandom(3), rows, DIM));
    const sizes: number[] = [];
    for (const share of [0.25, 0.125, 1 / 16]) {
      const params = { ...PARAMS, pq_code_budget_gb_ratio: share };
      const build = stage.build({ vectors: few.vectors, params });
      const onDisk = await kernel.buildIndex(build);
      using index = await kernel.openIndex(build.path, few.vectors);
      assert.ok(index.sizeBytes <= rows * DIM * 4 * share + BOOK_BYTES, `${index.sizeBytes} for ${share}`);
      assert.ok(onDisk.sizeBytes > rows * (DIM + PARAMS.max_degree) * 4);
      sizes.push(index.sizeBytes);
    }
    assert.ok(sizes[0]! > sizes[1]! && sizes[1]! > sizes[2]!, sizes.join(' '));
  });

  test('a longer list of candidates finds more, whatever the width of the beam', async () => {
    const narrow = await stage.both({ params: { search_list: 10 } });
    const least = checkRecall(narrow.found, narrow.truth, 0);
    for (const beam_width_ratio of [1, 4, 16.5]) {
      const { found, truth } = await stage.both({ params: { search_list: 400, beam_width_ratio } });
      assert.ok(checkRecall(found, truth, 0.98) > least);
    }
  });

  for (const share of [0.95, 0.5, 0.3, 0.1, 0.01, 0.001]) {
    test(`a filter that keeps ${share * 100} % keeps recall, and returns nothing else`, async () => {
      const allowed = stage.randomFilter(share);
      for (const metric of ['L2', 'COSINE'] as const) {
        const { found, truth } = await stage.both({ metric, params: { search_list: 150 } }, allowed);
        checkRecall(found, truth, 0.95, metric);
        checkKept(found, truth, allowed);
      }
    });
  }

  test('a filter that keeps only rows far from the query keeps recall', async () => {
    const one = stage.firstQueries(1);
    const order = (await stage.both({ ...one, k: 4_000 })).truth;
    const allowed = newBitmap(ROWS, 1);
    for (const row of order.rows) allowed[row >>> 3]! &= ~(1 << (row & 7));
    const { found, truth } = await stage.both({ ...one, params: { search_list: 600 } }, allowed);
    checkRecall(found, truth, 0.8);
  });

  test('no allowed row, no hits; all allowed, the hits of no filter', async () => {
    const none = await stage.both({}, newBitmap(ROWS, 0));
    assert.deepEqual([...none.found.counts], new Array(QUERIES).fill(0));
    const params = { search_list: 100 };
    const all = await stage.both({ params }, newBitmap(ROWS, 1));
    checkRecall(all.found, (await stage.both({ params })).found, 0.97);
  });

  for (const metric of DENSE_METRICS) {
    test(`${metric}: pages that go on from the last score reach every row`, () =>
      checkPages(stage, metric, { search_list: 200 }));
  }

  for (const metric of DENSE_METRICS) {
    test(`${metric}: bounds keep their range of scores`, async () => {
      const scoreAbove = await checkRange(stage, metric, 0.97, { params: { search_list: 400 } });
      const { found, truth } = await stage.both({ metric, ...stage.firstQueries(1), k: 1_000, scoreAbove });
      assert.equal(truth.counts[0], 120);
      checkRecall(found, truth, 0.97);
    });
  }

  test('k up to its limit', async () => {
    const { found, truth } = await stage.both({ k: ROWS, ...stage.firstQueries(2) });
    assert.deepEqual(found.rows, truth.rows);
    const large = await stage.both({ k: 2_000, ...stage.firstQueries(2) });
    checkRecall(large.found, large.truth, 0.97);
  });

  test('a query with values that are not finite finds what an exact search finds', async () => {
    await checkOddQueries(stage);
  });

  test('one thread, same vectors, parameters and seed: the same bytes', async () => {
    using few = await stage.indexOver(clusteredVectors(new SeededRandom(3), 1_000, DIM));
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
    await checkInstructionSets(stage, { search_list: 50 }, 1);
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

  // Nodes in pages, nodes that would leave too much of a page empty, and nodes of more than a page.
  for (const dim of [1, 2, 57, 130, 500, 1100]) {
    test(`an index of dimension ${dim}`, async () => {
      const all = clusteredVectors(new SeededRandom(testSeed), 420, dim, 20);
      const shape = { format: 'float32', dim } as const;
      const params = { ...PARAMS, pq_code_budget_gb_ratio: 1 / 20 };
      using other = await stage.indexOver(all.subarray(20 * dim), { params }, shape);
      const queries = all.subarray(0, 20 * dim);
      const asked = { ...shape, queries, queryCount: 20, params: { search_list: 100 } };
      const { found, truth } = await stage.both(asked, null, other);
      // Rows of few dimensions have equal scores; what counts is to be as close.
      truth.scores.forEach((score, at) =>
        assert.ok(found.scores[at]! >= score - 0.05 * Math.abs(score) - 1e-4, `hit ${at}`),
      );
    });
  }

  test('parameters out of their ranges are refused', async () => {
    const wrong: readonly BuildIndexOptions['params'][] = [
      { max_degree: 0 },
      { max_degree: 513 },
      { search_list_size: 0 },
      { pq_code_budget_gb_ratio: 0 },
      { pq_code_budget_gb_ratio: 0.26 },
      { search_cache_budget_gb_ratio: 0.3 },
      { M: 16 },
    ];
    for (const params of wrong) {
      const build = stage.kernel.buildIndex.bind(stage.kernel, stage.build({ params }));
      await assert.rejects(build, (error: unknown) => isErrorWithCode(error, 'INDEX_INVALID'));
    }
    for (const params of [{ search_list: 9 }, { beam_width_ratio: 0 }, { beam_width_ratio: 129 }]) {
      const search = stage.both({ params });
      await assert.rejects(search, (error: unknown) => isErrorWithCode(error, 'PARAMETER_INVALID'));
    }
  });
});

for (const format of ['float16', 'bfloat16', 'int8'] as const) {
  test(`DISKANN over ${format} vectors finds what the exact search finds, with its scores`, async () => {
    const shape = { format, dim: DIM, rowCount: 2_000, queryCount: QUERIES };
    await using stage = new IndexStage({ ...shape, type: 'DISKANN', params: PARAMS });
    await stage.open();
    assert.deepEqual([stage.index('L2').format, stage.index('L2').type], [format, 'DISKANN']);
    for (const metric of DENSE_METRICS) {
      const { found, truth } = await stage.both({ metric, params: { search_list: 150 } });
      checkRecall(found, truth, 0.97, metric);
      checkScores(found, truth);
    }
  });
}
