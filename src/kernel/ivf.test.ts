import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { newBitmap } from '../columns/bitmap.ts';
import { isErrorWithCode } from '../errors/index.ts';
import { SeededRandom } from '../host/index.ts';
import { DENSE_METRICS } from '../schema/index.ts';
import { randomValues } from '../../test/support/formats.ts';
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
import { clusteredVectors, hitKeys, recallOf, wholeSource } from '../../test/support/vectors.ts';
import type { BuildIndexOptions } from './kernel.ts';

const DIM = 30;
const ROWS = 8_000;
const QUERIES = 30;
const LISTS = 100;

console.log(`seed ${testSeed}`);

describe('IVF_FLAT', () => {
  const shape = { dim: DIM, rowCount: ROWS, queryCount: QUERIES };
  const stage = new IndexStage({ ...shape, type: 'IVF_FLAT', params: { nlist: LISTS } });
  before(() => stage.open());
  after(() => stage[Symbol.asyncDispose]());

  for (const metric of DENSE_METRICS) {
    test(`${metric}: pages that go on from the last score reach every row`, () =>
      checkPages(stage, metric, { nprobe: 4 }));

    test(`${metric}: recall grows with nprobe, and all lists give the exact answer`, async () => {
      const recalls: number[] = [];
      for (const nprobe of [1, 4, 16, 40]) {
        const { found, truth } = await stage.both({ metric, params: { nprobe } });
        recalls.push(recallOf(found, truth));
      }
      assert.ok(recalls[0]! < 0.95, `recalls ${recalls.join(' ')}: one list of a hundred cannot be enough`);
      assert.ok(recalls[3]! >= 0.97, `recalls ${recalls.join(' ')}`);
      recalls.forEach((recall, at) => assert.ok(at === 0 || recall >= recalls[at - 1]!, recalls.join(' ')));
      for (const nprobe of [LISTS - 1, LISTS, 65_536]) {
        const { found, truth } = await stage.both({ metric, params: { nprobe }, k: 100 });
        if (nprobe >= LISTS) assert.deepEqual(hitKeys(found, 3), hitKeys(truth, 3));
        else assert.ok(recallOf(found, truth) > 0.99);
      }
    });

    test(`${metric}: scores are the exact ones`, async () => {
      const { found, truth } = await stage.both({ metric, params: { nprobe: 20 } });
      checkScores(found, truth);
    });
  }

  for (const share of [0.95, 0.5, 0.1, 0.01, 0.002]) {
    test(`a filter that keeps ${share * 100} % keeps recall, and returns nothing else`, async () => {
      const allowed = stage.randomFilter(share);
      for (const metric of DENSE_METRICS) {
        const { found, truth } = await stage.both({ metric, params: { nprobe: 40 } }, allowed);
        checkRecall(found, truth, 0.95, metric);
        checkKept(found, truth, allowed);
      }
    });
  }

  test('a filter against the query still fills k, from lists beyond nprobe', async () => {
    const one = stage.firstQueries(1);
    const { truth } = await stage.both({ ...one, k: 5_000 });
    const allowed = newBitmap(ROWS, 1);
    for (const row of truth.rows) allowed[row >>> 3]! &= ~(1 << (row & 7));
    const { found } = await stage.both({ ...one, params: { nprobe: 1 }, k: 20 }, allowed);
    assert.equal(found.counts[0], 20);
  });

  for (const metric of DENSE_METRICS) {
    test(`${metric}: bounds keep their range of scores`, async () => {
      const scoreAbove = await checkRange(stage, metric, 0.97, { params: { nprobe: 50 } });
      const one = { metric, ...stage.firstQueries(1), params: { nprobe: 8 } };
      const { found, truth } = await stage.both({ ...one, k: 1_000, scoreAbove });
      assert.equal(truth.counts[0], 120);
      checkRecall(found, truth, 0.9);
    });
  }

  test('several indexes, a graph, a file and a block reduce to one top-k', async () => {
    const { kernel, vectors } = stage;
    using block = kernel.createBlock({ format: 'float32', dim: DIM, capacity: 500 });
    block.append(clusteredVectors(new SeededRandom(testSeed), 500, DIM));
    const build = stage.build({ type: 'HNSW', params: { M: 8 } });
    await kernel.buildIndex(build);
    using graph = await kernel.openIndex(build.path, vectors);
    const index = stage.index('L2');
    const filters = [null, stage.randomFilter(0.5), null, stage.randomFilter(0.1)];
    const sources = [index, index, block, graph].map((data, at) => wholeSource(data, filters[at]!));
    const exact = [vectors, vectors, block, vectors].map((data, at) => wholeSource(data, filters[at]!));
    const search = stage.search({ sources, params: { nprobe: 30, ef: 200 } });
    const truth = await kernel.search({ ...search, sources: exact, params: {} });
    checkRecall(await kernel.search(search), truth, 0.95);
  });

  test('k up to its limit, and no allowed row', async () => {
    const { found, truth } = await stage.both({ ...stage.firstQueries(2), k: ROWS, params: { nprobe: 60 } });
    assert.deepEqual([...found.counts], [...truth.counts]);
    const none = await stage.both({}, newBitmap(ROWS, 0));
    assert.deepEqual([...none.found.counts], new Array(QUERIES).fill(0));
  });

  test('a query with values that are not finite finds what an exact search finds', async () => {
    await checkOddQueries(stage);
  });

  test('same vectors, parameters and seed: the same bytes, with any number of threads', async () => {
    const bytesOf = async (fields: Partial<BuildIndexOptions>): Promise<Buffer> => {
      const build = stage.build(fields);
      await stage.kernel.buildIndex(build);
      return readFile(build.path);
    };
    const first = await bytesOf({ threads: 1, seed: 11 });
    assert.ok(first.equals(await bytesOf({ threads: 1, seed: 11 })));
    assert.ok(first.equals(await bytesOf({ threads: 2, seed: 11 })));
    assert.ok(!first.equals(await bytesOf({ threads: 1, seed: 12 })));
  });

  test('every instruction set finds the same rows', async () => {
    await checkInstructionSets(stage, { nprobe: 10 }, 1);
  });

  test('rows that are equal, zero or not finite can be indexed', async () => {
    await checkOddRows(stage, { nlist: 10 }, { nprobe: 3 });
  });

  test('nothing but rows that are not finite can be indexed', async () => {
    using nothing = await stage.indexOver(new Float32Array(200 * DIM).fill(NaN));
    const { found } = await stage.both({}, null, nothing);
    assert.deepEqual([...found.counts], new Array(QUERIES).fill(0));
  });

  for (const rowCount of [0, 1, 2, 100]) {
    test(`an index over ${rowCount} rows with more lists than rows`, async () => {
      const rows = clusteredVectors(new SeededRandom(2), rowCount, DIM);
      using few = await stage.indexOver(rows, { params: { nlist: 1_024 } });
      const { found, truth } = await stage.both({ params: { nprobe: 1_024 } }, null, few);
      assert.equal(recallOf(found, truth), 1);
    });
  }

  for (const format of ['float16', 'bfloat16', 'int8'] as const) {
    test(`${format} vectors can be indexed`, async () => {
      const shape = { format, dim: DIM };
      const random = new SeededRandom(testSeed);
      const rows = randomValues(random, shape, 2_000);
      const queries = randomValues(random, shape, 10);
      for (const type of ['IVF_FLAT', 'IVF_SQ8', 'IVF_RABITQ'] as const) {
        const refine = type === 'IVF_RABITQ' ? { refine: true } : {};
        for (const metric of DENSE_METRICS) {
          const params = { nlist: 30, ...refine };
          using other = await stage.indexOver(rows, { type, metric, params }, shape);
          const asked = { ...shape, metric, queries, queryCount: 10, params: { nprobe: 27, refine_k: 20 } };
          const { found, truth } = await stage.both(asked, null, other);
          checkRecall(found, truth, 0.9, `${type} ${metric}:`);
        }
      }
    });
  }

  test('an offset common to all rows costs no recall', async () => {
    const far = clusteredVectors(new SeededRandom(testSeed), 3_000 + 10, 8).map((value) => value + 2_000);
    const shape = { format: 'float32', dim: 8 } as const;
    using other = await stage.indexOver(far.subarray(0, 3_000 * 8), { params: { nlist: 40 } }, shape);
    const asked = { ...shape, queries: far.subarray(3_000 * 8), params: { nprobe: 8 } };
    const { found, truth } = await stage.both(asked, null, other);
    checkRecall(found, truth, 0.9);
  });

  test('a build tells how far it is and ends when cancelled, without a file', async () => {
    const { kernel, directory } = stage;
    const names = await readdir(directory.path);
    const stop = new AbortController();
    const cancelled = kernel.buildIndex(
      stage.build({ path: directory.file('cancelled'), signal: stop.signal, onProgress: () => stop.abort() }),
    );
    await assert.rejects(cancelled, (error) => isErrorWithCode(error, 'CANCELLED'));
    assert.deepEqual(await readdir(directory.path), names);
    const fractions: number[] = [];
    const report = await kernel.buildIndex(
      stage.build({ threads: 1, onProgress: (fraction) => fractions.push(fraction) }),
    );
    assert.ok(fractions.length > 10 && fractions.at(-1) === 1);
    fractions.forEach((fraction, at) => assert.ok(at === 0 || fraction >= fractions[at - 1]!));
    // The vectors are copied from file to file, not held.
    assert.ok(report.sizeBytes > ROWS * DIM * 4 && report.peakBytes < report.sizeBytes * 2);
  });
});
