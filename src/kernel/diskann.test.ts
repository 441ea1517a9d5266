import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { newBitmap, setBit } from '../columns/bitmap.ts';
import { isErrorWithCode } from '../errors/index.ts';
import { SeededRandom } from '../host/index.ts';
import { DENSE_METRICS, type Metric } from '../schema/index.ts';
import { encodeFloat } from '../../test/support/formats.ts';
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
import type {
  BuildIndexOptions,
  Kernel,
  KernelHits,
  KernelSearch,
  VectorFile,
  VectorIndex,
} from './kernel.ts';
import { nativeBinding } from './native-binding.ts';
import { createKernel } from './native-kernel.ts';
import { newDenseValues, sliceVectors } from './vectors.ts';

const DIM = 48;
const ROWS = 6_000;
const QUERIES = 30;
const PARAMS = { max_degree: 28, search_list_size: 80 };
/** 256 centres a part. */
const BOOK_BYTES = 256 * DIM * 4;

console.log(`seed ${testSeed}`);

describe('DISKANN', () => {
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
    for (const metric of DENSE_METRICS) indexes.set(metric, await buildAndOpen(metric, vectors, { metric }));
  });

  after(async () => {
    for (const index of indexes.values()) index[Symbol.dispose]();
    vectors[Symbol.dispose]();
    await kernel[Symbol.asyncDispose]();
    await directory[Symbol.asyncDispose]();
  });

  async function buildAndOpen(
    name: string,
    over: VectorFile,
    fields: Partial<BuildIndexOptions> = {},
  ): Promise<VectorIndex> {
    const path = directory.file(`${name}-index`);
    const build = { type: 'DISKANN', metric: 'L2', params: PARAMS, seed: 7, threads: 2 } as const;
    await kernel.buildIndex({ ...build, vectors: over, path, ...fields });
    return kernel.openIndex(path, over);
  }

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
      const { found, truth } = await both({ metric, params: { search_list: 150 } });
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

  test('memory holds at most the share of the vectors that it was built with', async () => {
    const sizes: number[] = [];
    const rows = 1_000;
    const few = clusteredVectors(new SeededRandom(3), rows, DIM);
    using file = await writeAndOpen(kernel, directory.path, few, DIM, 'few-vectors');
    for (const share of [0.25, 0.125, 1 / 16]) {
      const params = { ...PARAMS, pq_code_budget_gb_ratio: share };
      using index = await buildAndOpen('share', file, { params });
      assert.ok(index.sizeBytes <= rows * DIM * 4 * share + BOOK_BYTES, `${index.sizeBytes} for ${share}`);
      sizes.push(index.sizeBytes);
      const onDisk = await readFile(directory.file('share-index'));
      assert.ok(onDisk.length > rows * (DIM + PARAMS.max_degree) * 4);
    }
    assert.ok(sizes[0]! > sizes[1]! && sizes[1]! > sizes[2]!, sizes.join(' '));
  });

  test('a longer list of candidates finds more, whatever the width of the beam', async () => {
    const recall = async (params: KernelSearch['params']): Promise<number> => {
      const { found, truth } = await both({ params });
      return recallOf(found, truth);
    };
    const narrow = await recall({ search_list: 10 });
    for (const beam_width_ratio of [1, 4, 16.5]) {
      const wide = await recall({ search_list: 400, beam_width_ratio });
      assert.ok(wide > narrow && wide >= 0.98, `${narrow}, ${wide} with ${beam_width_ratio}`);
    }
  });

  for (const share of [0.95, 0.5, 0.3, 0.1, 0.01, 0.001]) {
    test(`a filter that keeps ${share * 100} % keeps recall, and returns nothing else`, async () => {
      const allowed = randomFilter(share);
      for (const metric of ['L2', 'COSINE'] as const) {
        const { found, truth } = await both({ metric, params: { search_list: 150 } }, allowed);
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
    const one = { queries: queries.subarray(0, DIM), queryCount: 1 };
    const order = await kernel.search(
      searchOf({ sources: [wholeSource(vectors)], ...one, dim: DIM, k: 4000 }),
    );
    const allowed = newBitmap(ROWS, 1);
    for (const row of order.rows) allowed[row >>> 3]! &= ~(1 << (row & 7));
    const { found, truth } = await both({ ...one, params: { search_list: 600 } }, allowed);
    assert.ok(recallOf(found, truth) >= 0.8, `recall ${recallOf(found, truth)}`);
  });

  test('no allowed row, no hits; all allowed, the hits of no filter', async () => {
    const none = await both({}, newBitmap(ROWS, 0));
    assert.deepEqual([...none.found.counts], new Array(QUERIES).fill(0));
    const params = { search_list: 100 };
    const all = await both({ params }, newBitmap(ROWS, 1));
    assert.ok(recallOf(all.found, (await both({ params })).found) >= 0.97);
  });

  for (const metric of DENSE_METRICS) {
    test(`${metric}: bounds keep their range of scores`, async () => {
      const { truth } = await both({ metric, k: 200 });
      const scoreAbove = truth.scores[120]!;
      const scoreUpTo = truth.scores[40]!;
      const one = { metric, queries: queries.subarray(0, DIM), queryCount: 1, params: { search_list: 400 } };
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
    const two = { queries: queries.subarray(0, 2 * DIM), queryCount: 2 };
    const { found, truth } = await both({ k: ROWS, ...two });
    assert.deepEqual(found.rows, truth.rows);
    const large = await both({ k: 2000, ...two });
    assert.ok(recallOf(large.found, large.truth) >= 0.97);
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
    const few = clusteredVectors(new SeededRandom(3), 1_000, DIM);
    using file = await writeAndOpen(kernel, directory.path, few, DIM, 'same-vectors');
    const build = async (name: string, seed: number): Promise<Buffer> => {
      (await buildAndOpen(name, file, { seed, threads: 1 }))[Symbol.dispose]();
      return readFile(directory.file(`${name}-index`));
    };
    const first = await build('same-1', 11);
    assert.ok(first.equals(await build('same-2', 11)));
    assert.ok(!first.equals(await build('other', 12)));
  });

  test('every instruction set finds the same rows', async () => {
    const search = searchOf({ sources: [], queries, dim: DIM, params: { search_list: 50 } });
    const answers: string[][] = [];
    for (const instructionSet of nativeBinding().instructionSets()) {
      await using other = createKernel({ threads: 1, queueMax: 10, instructionSet });
      using file = await other.openVectors(directory.file('vectors'));
      using index = await other.openIndex(directory.file('L2-index'), file);
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
    const odd = new Float32Array(400 * DIM).fill(0.25);
    odd.fill(0, 0, 10 * DIM);
    odd[20 * DIM] = NaN;
    odd[21 * DIM] = Infinity;
    odd[22 * DIM] = 3e38;
    using file = await writeAndOpen(kernel, directory.path, odd, DIM, 'odd');
    for (const metric of DENSE_METRICS) {
      using index = await buildAndOpen('odd', file, { metric });
      const one = { queries: queries.subarray(0, DIM), dim: DIM, metric, k: 50 };
      const hits = await kernel.search(searchOf({ sources: [wholeSource(index)], ...one }));
      assert.equal(hits.counts[0], 50);
    }
  });

  for (const rowCount of [0, 1, 2, 5]) {
    test(`an index over ${rowCount} rows`, async () => {
      const few = queries.subarray(0, rowCount * DIM);
      using file = await writeAndOpen(kernel, directory.path, few, DIM, `few-${rowCount}`);
      using index = await buildAndOpen(`few-${rowCount}`, file);
      const hits = await kernel.search(searchOf({ sources: [wholeSource(index)], queries: few, dim: DIM }));
      assert.deepEqual([...hits.counts], new Array(rowCount).fill(rowCount));
      for (let query = 0; query < rowCount; query++) assert.equal(hits.rows[query * 10], query);
    });
  }

  // Nodes in pages, nodes that would leave too much of a page empty, and nodes of more than a page.
  for (const dim of [1, 2, 57, 130, 500, 1100]) {
    test(`an index of dimension ${dim}`, async () => {
      const all = clusteredVectors(new SeededRandom(testSeed), 420, dim, 20);
      using file = await writeAndOpen(kernel, directory.path, all.subarray(20 * dim), dim, `dim-${dim}`);
      const params = { ...PARAMS, pq_code_budget_gb_ratio: 1 / 20 };
      using index = await buildAndOpen(`dim-${dim}`, file, { params });
      const asked = { queries: all.subarray(0, 20 * dim), dim, params: { search_list: 100 } };
      const search = searchOf({ sources: [wholeSource(index)], ...asked });
      const truth = await kernel.search({ ...search, sources: [wholeSource(file)], params: {} });
      const found = await kernel.search(search);
      // Rows of few dimensions have equal scores; what counts is to be as close.
      truth.scores.forEach((score, at) =>
        assert.ok(found.scores[at]! >= score - 0.05 * Math.abs(score) - 1e-4, `hit ${at}`),
      );
    });
  }

  for (const format of ['float16', 'bfloat16', 'int8'] as const) {
    test(`${format} vectors stay what they are`, async () => {
      const shape = { format, dim: DIM };
      const floats = clusteredVectors(new SeededRandom(testSeed), 2_000 + QUERIES, DIM);
      const all = newDenseValues(shape, 2_000 + QUERIES);
      floats.forEach((value, at) => {
        const small = Math.round(Math.max(-128, Math.min(127, value * 30)));
        all[at] = format === 'int8' ? small : encodeFloat(format, value);
      });
      const rows = sliceVectors(shape, all, 0, 2_000);
      using file = await writeAndOpen(kernel, directory.path, rows, DIM, format, format);
      using index = await buildAndOpen(format, file);
      assert.deepEqual([index.format, index.type], [format, 'DISKANN']);
      const asked = { queries: sliceVectors(shape, all, 2_000, 2_000 + QUERIES), ...shape };
      const search = searchOf({ sources: [wholeSource(index)], ...asked, params: { search_list: 150 } });
      const truth = await kernel.search({ ...search, sources: [wholeSource(file)], params: {} });
      const recall = recallOf(await kernel.search(search), truth);
      assert.ok(recall >= 0.97, `recall ${recall}`);
    });
  }

  test('parameters out of their ranges are refused', async () => {
    const wrong = [
      { max_degree: 0 },
      { max_degree: 513 },
      { search_list_size: 0 },
      { pq_code_budget_gb_ratio: 0 },
      { pq_code_budget_gb_ratio: 0.26 },
      { search_cache_budget_gb_ratio: 0.3 },
      { M: 16 },
    ];
    for (const params of wrong) {
      await assert.rejects(buildAndOpen('wrong', vectors, { params }), (error: unknown) =>
        isErrorWithCode(error, 'INDEX_INVALID'),
      );
    }
    for (const params of [{ search_list: 9 }, { beam_width_ratio: 0 }, { beam_width_ratio: 129 }]) {
      await assert.rejects(both({ params }), (error: unknown) => isErrorWithCode(error, 'PARAMETER_INVALID'));
    }
  });
});
