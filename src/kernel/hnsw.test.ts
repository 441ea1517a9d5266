import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { newBitmap, setBit } from '../columns/bitmap.ts';
import { SeededRandom } from '../host/index.ts';
import { DENSE_METRICS, type Metric } from '../schema/index.ts';
import { testSeed } from '../../test/support/seed.ts';
import { temporaryDirectory, type TemporaryDirectory } from '../../test/support/temporary-directory.ts';
import {
  clusteredVectors,
  hitKeys,
  recallOf,
  searchOf,
  wholeSource,
  writeAndOpen,
} from '../../test/support/vectors.ts';
import type { Kernel, KernelHits, KernelSearch, VectorFile, VectorIndex } from './kernel.ts';
import { nativeBinding } from './native-binding.ts';
import { createKernel } from './native-kernel.ts';

const DIM = 48;
const ROWS = 12_000;
const QUERIES = 40;
const PARAMS = { M: 12, efConstruction: 80 };

console.log(`seed ${testSeed}`);

describe('HNSW', () => {
  let directory: TemporaryDirectory;
  let kernel: Kernel;
  let vectors: VectorFile;
  let queries: Float32Array<ArrayBuffer>;
  const indexes = new Map<Metric, VectorIndex>();

  before(async () => {
    directory = await temporaryDirectory();
    kernel = createKernel({ threads: 2, queueMax: 100 });
    const all = clusteredVectors(new SeededRandom(testSeed), ROWS + QUERIES, DIM);
    queries = all.slice(ROWS * DIM);
    vectors = await writeAndOpen(kernel, directory.path, all.subarray(0, ROWS * DIM), DIM);
    for (const metric of DENSE_METRICS) {
      const path = directory.file(metric);
      await kernel.buildIndex({ type: 'HNSW', metric, vectors, path, params: PARAMS, seed: 7, threads: 2 });
      indexes.set(metric, await kernel.openIndex(path, vectors));
    }
  });

  after(async () => {
    for (const index of indexes.values()) index[Symbol.dispose]();
    vectors[Symbol.dispose]();
    await kernel[Symbol.asyncDispose]();
    await directory[Symbol.asyncDispose]();
  });

  /** The same search on the index and exactly. */
  async function both(
    fields: Partial<KernelSearch>,
    allowed: Uint8Array | null = null,
  ): Promise<{ found: KernelHits; truth: KernelHits }> {
    const index = indexes.get((fields.metric ?? 'L2') as Metric)!;
    const search = searchOf({ sources: [wholeSource(index, allowed)], queries, dim: DIM, ...fields });
    const exact = { ...search, sources: [wholeSource(vectors, allowed)], params: {} };
    return { found: await kernel.search(search), truth: await kernel.search(exact) };
  }

  function randomFilter(share: number): Uint8Array {
    const random = new SeededRandom(testSeed + 1);
    const bitmap = newBitmap(ROWS, 0);
    for (let row = 0; row < ROWS; row++) if (random.next() < share) setBit(bitmap, row);
    return bitmap;
  }

  for (const metric of DENSE_METRICS) {
    test(`${metric}: recall, and scores that are the exact ones`, async () => {
      const { found, truth } = await both({ metric, params: { ef: 200 } });
      const recall = recallOf(found, truth);
      assert.ok(recall >= 0.97, `recall ${recall}`);
      const exact = new Map<string, number>();
      for (let query = 0; query < QUERIES; query++) {
        hitKeys(truth, query).forEach((key, j) =>
          exact.set(`${query}/${key}`, truth.scores[query * 10 + j]!),
        );
        hitKeys(found, query).forEach((key, j) => {
          const score = exact.get(`${query}/${key}`);
          if (score !== undefined) assert.equal(found.scores[query * 10 + j], score);
        });
      }
    });
  }

  for (const share of [0.95, 0.5, 0.3, 0.1, 0.01, 0.001]) {
    test(`a filter that keeps ${share * 100} % keeps recall, and returns nothing else`, async () => {
      const allowed = randomFilter(share);
      for (const metric of ['L2', 'COSINE'] as const) {
        const { found, truth } = await both({ metric, params: { ef: 150 } }, allowed);
        const recall = recallOf(found, truth);
        assert.ok(recall >= 0.95, `${metric}: recall ${recall}`);
        for (let query = 0; query < QUERIES; query++) {
          assert.equal(found.counts[query], truth.counts[query]);
          for (let j = 0; j < found.counts[query]!; j++) {
            const row = found.rows[query * 10 + j]!;
            assert.equal((allowed[row >>> 3]! >>> (row & 7)) & 1, 1);
          }
        }
      }
    });
  }

  test('a filter that keeps only rows far from the query keeps recall', async () => {
    const order = await kernel.search(
      searchOf({ sources: [wholeSource(vectors)], queries: queries.subarray(0, DIM), dim: DIM, k: 8000 }),
    );
    const allowed = newBitmap(ROWS, 1);
    for (const row of order.rows) allowed[row >>> 3]! &= ~(1 << (row & 7));
    const { found, truth } = await both(
      { queries: queries.subarray(0, DIM), queryCount: 1, params: { ef: 200 } },
      allowed,
    );
    assert.ok(recallOf(found, truth) >= 0.8, `recall ${recallOf(found, truth)}`);
  });

  test('no allowed row, no hits; all allowed, the hits of no filter', async () => {
    const none = await both({}, newBitmap(ROWS, 0));
    assert.deepEqual([...none.found.counts], new Array(QUERIES).fill(0));
    const all = await both({ params: { ef: 100 } }, newBitmap(ROWS, 1));
    assert.ok(recallOf(all.found, (await both({ params: { ef: 100 } })).found) >= 0.97);
  });

  for (const metric of DENSE_METRICS) {
    test(`${metric}: bounds keep their range of scores`, async () => {
      const { truth } = await both({ metric, k: 200 });
      const scoreAbove = truth.scores[120]!;
      const scoreUpTo = truth.scores[40]!;
      const one = { metric, queries: queries.subarray(0, DIM), queryCount: 1, params: { ef: 400 } };
      const ring = await both({ ...one, k: 100, scoreAbove, scoreUpTo });
      assert.deepEqual(hitKeys(ring.truth, 0), hitKeys(truth, 0).slice(40, 120));
      assert.ok(recallOf(ring.found, ring.truth) >= 0.97, `recall ${recallOf(ring.found, ring.truth)}`);
      for (let j = 0; j < ring.found.counts[0]!; j++) {
        assert.ok(ring.found.scores[j]! > scoreAbove && ring.found.scores[j]! <= scoreUpTo);
      }
      const disc = await both({ ...one, k: 1000, params: {}, scoreAbove });
      assert.equal(disc.truth.counts[0], 120);
      assert.ok(recallOf(disc.found, disc.truth) >= 0.97);
    });
  }

  test('k up to its limit', async () => {
    const { found, truth } = await both({
      k: 12_000,
      queries: queries.subarray(0, 2 * DIM),
      queryCount: 2,
    });
    assert.ok(recallOf(found, truth) >= 0.999);
    const large = await both({ k: 2000 });
    assert.ok(recallOf(large.found, large.truth) >= 0.97);
  });

  test('several indexes, a file and a block reduce to one top-k', async () => {
    const more = clusteredVectors(new SeededRandom(testSeed), 500, DIM);
    using block = kernel.createBlock({ format: 'float32', dim: DIM, capacity: 600 });
    block.append(more);
    const index = indexes.get('L2')!;
    const sources = [wholeSource(index), wholeSource(block), wholeSource(index, randomFilter(0.5))];
    const exact = [wholeSource(vectors), wholeSource(block), wholeSource(vectors, randomFilter(0.5))];
    const search = searchOf({ sources, queries, dim: DIM, params: { ef: 200 } });
    const truth = await kernel.search({ ...search, sources: exact, params: {} });
    assert.ok(recallOf(await kernel.search(search), truth) >= 0.97);
  });

  test('a query with values that are not finite finds what an exact search finds', async () => {
    for (const value of [NaN, Infinity]) {
      const odd = queries.slice(0, DIM);
      odd[3] = value;
      const { found, truth } = await both({ metric: 'IP', queries: odd, queryCount: 1 });
      assert.deepEqual(hitKeys(found, 0), hitKeys(truth, 0));
    }
  });

  test('one thread, same vectors, parameters and seed: the same bytes', async () => {
    const build = async (name: string, seed: number) => {
      const path = directory.file(name);
      const few = clusteredVectors(new SeededRandom(3), 1500, DIM);
      using file = await writeAndOpen(kernel, directory.path, few, DIM, `${name}-vectors`);
      await kernel.buildIndex({
        type: 'HNSW',
        metric: 'L2',
        vectors: file,
        path,
        params: PARAMS,
        seed,
        threads: 1,
      });
      return readFile(path);
    };
    const first = await build('same-1', 11);
    assert.ok(first.equals(await build('same-2', 11)));
    assert.ok(!first.equals(await build('other', 12)));
  });

  test('every instruction set finds the same rows', async () => {
    const search = searchOf({ sources: [], queries, dim: DIM, params: { ef: 50 } });
    const answers: string[][] = [];
    for (const instructionSet of nativeBinding().instructionSets()) {
      await using other = createKernel({ threads: 1, queueMax: 10, instructionSet });
      using file = await other.openVectors(directory.file('vectors'));
      using index = await other.openIndex(directory.file('L2'), file);
      const hits = await other.search({ ...search, sources: [wholeSource(index)] });
      answers.push(Array.from({ length: QUERIES }, (_, query) => hitKeys(hits, query).join(' ')));
    }
    for (const answer of answers) {
      const same = answer.filter((keys, query) => keys === answers[0]![query]).length;
      // Float sums differ in the last bit between sets, which may swap neighbours of equal distance.
      assert.ok(same >= QUERIES - 1, `${same} of ${QUERIES} queries agree`);
    }
  });

  test('rows that are equal, zero or not finite can be indexed', async () => {
    const rowCount = 400;
    const odd = new Float32Array(rowCount * DIM).fill(0.25);
    odd.fill(0, 0, 10 * DIM);
    odd[20 * DIM] = NaN;
    odd[21 * DIM] = Infinity;
    odd[22 * DIM] = 3e38;
    for (const metric of DENSE_METRICS) {
      using file = await writeAndOpen(kernel, directory.path, odd, DIM, `odd-${metric}`);
      const path = directory.file(`odd-index-${metric}`);
      await kernel.buildIndex({
        type: 'HNSW',
        metric,
        vectors: file,
        path,
        params: PARAMS,
        seed: 1,
        threads: 2,
      });
      using index = await kernel.openIndex(path, file);
      const hits = await kernel.search(
        searchOf({
          sources: [wholeSource(index)],
          queries: queries.subarray(0, DIM),
          dim: DIM,
          metric,
          k: 50,
        }),
      );
      assert.equal(hits.counts[0], 50);
    }
  });

  for (const rowCount of [0, 1, 2, 5]) {
    test(`an index over ${rowCount} rows`, async () => {
      const few = queries.subarray(0, rowCount * DIM);
      using file = await writeAndOpen(kernel, directory.path, few, DIM, `few-${rowCount}`);
      const path = directory.file(`few-index-${rowCount}`);
      const build = {
        type: 'HNSW',
        metric: 'L2',
        vectors: file,
        path,
        params: PARAMS,
        seed: 1,
        threads: 2,
      } as const;
      await kernel.buildIndex(build);
      using index = await kernel.openIndex(path, file);
      const hits = await kernel.search(searchOf({ sources: [wholeSource(index)], queries: few, dim: DIM }));
      assert.deepEqual([...hits.counts], new Array(rowCount).fill(rowCount));
      for (let query = 0; query < rowCount; query++) assert.equal(hits.rows[query * 10], query);
    });
  }

  for (const dim of [1, 2, 57, 130]) {
    test(`an index of dimension ${dim}`, async () => {
      const all = clusteredVectors(new SeededRandom(testSeed), 2020, dim, 20);
      using file = await writeAndOpen(kernel, directory.path, all.subarray(20 * dim), dim, `dim-${dim}`);
      const path = directory.file(`dim-index-${dim}`);
      await kernel.buildIndex({
        type: 'HNSW',
        metric: 'L2',
        vectors: file,
        path,
        params: PARAMS,
        seed: 1,
        threads: 2,
      });
      using index = await kernel.openIndex(path, file);
      const search = searchOf({
        sources: [wholeSource(index)],
        queries: all.subarray(0, 20 * dim),
        dim,
        params: { ef: 200 },
      });
      const truth = await kernel.search({ ...search, sources: [wholeSource(file)], params: {} });
      const found = await kernel.search(search);
      // Rows of few dimensions have equal scores; what counts is to be as close.
      truth.scores.forEach((score, at) =>
        assert.ok(found.scores[at]! >= score - 0.05 * Math.abs(score) - 1e-4, `hit ${at}`),
      );
    });
  }
});
