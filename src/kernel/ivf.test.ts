import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { newBitmap, setBit } from '../columns/bitmap.ts';
import { isErrorWithCode } from '../errors/index.ts';
import { SeededRandom } from '../host/index.ts';
import { DENSE_METRICS } from '../schema/index.ts';
import { randomValues } from '../../test/support/formats.ts';
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
  KernelMetric,
  KernelSearch,
  VectorFile,
  VectorIndex,
} from './kernel.ts';
import { nativeBinding } from './native-binding.ts';
import { createKernel } from './native-kernel.ts';

const DIM = 30;
const ROWS = 8_000;
const QUERIES = 30;
const LISTS = 100;

console.log(`seed ${testSeed}`);

describe('IVF_FLAT', () => {
  let directory: TemporaryDirectory;
  let kernel: Kernel;
  let vectors: VectorFile;
  let queries: Float32Array<ArrayBuffer>;
  const indexes = new Map<KernelMetric, VectorIndex>();

  before(async () => {
    directory = await temporaryDirectory();
    kernel = createKernel({ threads: 2, queueMax: 100 });
    const all = clusteredVectors(new SeededRandom(testSeed), ROWS + QUERIES, DIM);
    queries = all.slice(ROWS * DIM);
    vectors = await writeAndOpen(kernel, directory.path, all.subarray(0, ROWS * DIM), DIM);
    for (const metric of DENSE_METRICS) {
      await kernel.buildIndex(build({ metric, path: directory.file(metric) }));
      indexes.set(metric, await kernel.openIndex(directory.file(metric), vectors));
    }
  });

  after(async () => {
    for (const index of indexes.values()) index[Symbol.dispose]();
    vectors[Symbol.dispose]();
    await kernel[Symbol.asyncDispose]();
    await directory[Symbol.asyncDispose]();
  });

  function build(fields: Partial<BuildIndexOptions>): BuildIndexOptions {
    const path = directory.file('other-index');
    const params = { nlist: LISTS };
    return { type: 'IVF_FLAT', metric: 'L2', vectors, path, params, seed: 7, threads: 2, ...fields };
  }

  /** The same search on the index and exactly. */
  async function both(
    fields: Partial<KernelSearch>,
    allowed: Uint8Array | null = null,
  ): Promise<{ found: KernelHits; truth: KernelHits }> {
    const index = indexes.get(fields.metric ?? 'L2')!;
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
    test(`${metric}: recall grows with nprobe, and all lists give the exact answer`, async () => {
      const recalls: number[] = [];
      for (const nprobe of [1, 4, 16, 40]) {
        const { found, truth } = await both({ metric, params: { nprobe } });
        recalls.push(recallOf(found, truth));
      }
      assert.ok(recalls[0]! < 0.95, `recalls ${recalls.join(' ')}: one list of a hundred cannot be enough`);
      assert.ok(recalls[3]! >= 0.97, `recalls ${recalls.join(' ')}`);
      recalls.forEach((recall, at) => assert.ok(at === 0 || recall >= recalls[at - 1]!, recalls.join(' ')));
      for (const nprobe of [LISTS - 1, LISTS, 65_536]) {
        const { found, truth } = await both({ metric, params: { nprobe }, k: 100 });
        if (nprobe >= LISTS) assert.deepEqual(hitKeys(found, 3), hitKeys(truth, 3));
        else assert.ok(recallOf(found, truth) > 0.99);
      }
    });

    test(`${metric}: scores are the exact ones`, async () => {
      const { found, truth } = await both({ metric, params: { nprobe: 20 } });
      for (let query = 0; query < QUERIES; query++) {
        const exact = new Map(hitKeys(truth, query).map((key, j) => [key, truth.scores[query * 10 + j]]));
        hitKeys(found, query).forEach((key, j) => {
          if (exact.has(key)) assert.equal(found.scores[query * 10 + j], exact.get(key));
        });
      }
    });
  }

  for (const share of [0.95, 0.5, 0.1, 0.01, 0.002]) {
    test(`a filter that keeps ${share * 100} % keeps recall, and returns nothing else`, async () => {
      const allowed = randomFilter(share);
      for (const metric of DENSE_METRICS) {
        const { found, truth } = await both({ metric, params: { nprobe: 40 } }, allowed);
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

  test('a filter against the query still fills k, from lists beyond nprobe', async () => {
    const one = { queries: queries.subarray(0, DIM), queryCount: 1 };
    const { truth } = await both({ ...one, k: 5_000 });
    const allowed = newBitmap(ROWS, 1);
    for (const row of truth.rows) allowed[row >>> 3]! &= ~(1 << (row & 7));
    const { found } = await both({ ...one, params: { nprobe: 1 }, k: 20 }, allowed);
    assert.equal(found.counts[0], 20);
  });

  for (const metric of DENSE_METRICS) {
    test(`${metric}: bounds keep their range of scores`, async () => {
      const one = { metric, queries: queries.subarray(0, DIM), queryCount: 1, params: { nprobe: 50 } };
      const { truth } = await both({ ...one, k: 200 });
      const scoreAbove = truth.scores[120]!;
      const scoreUpTo = truth.scores[40]!;
      const ring = await both({ ...one, k: 100, scoreAbove, scoreUpTo });
      assert.deepEqual(hitKeys(ring.truth, 0), hitKeys(truth, 0).slice(40, 120));
      assert.ok(recallOf(ring.found, ring.truth) >= 0.97, `recall ${recallOf(ring.found, ring.truth)}`);
      for (let j = 0; j < ring.found.counts[0]!; j++)
        assert.ok(ring.found.scores[j]! > scoreAbove && ring.found.scores[j]! <= scoreUpTo);
      const disc = await both({ ...one, k: 1_000, params: { nprobe: 8 }, scoreAbove });
      assert.equal(disc.truth.counts[0], 120);
      assert.ok(recallOf(disc.found, disc.truth) >= 0.9, `recall ${recallOf(disc.found, disc.truth)}`);
    });
  }

  test('several indexes, a graph, a file and a block reduce to one top-k', async () => {
    const more = clusteredVectors(new SeededRandom(testSeed), 500, DIM);
    using block = kernel.createBlock({ format: 'float32', dim: DIM, capacity: 500 });
    block.append(more);
    await kernel.buildIndex(build({ type: 'HNSW', path: directory.file('graph'), params: { M: 8 } }));
    using graph = await kernel.openIndex(directory.file('graph'), vectors);
    const index = indexes.get('L2')!;
    const filters = [null, randomFilter(0.5), null, randomFilter(0.1)];
    const sources = [index, index, block, graph].map((data, at) => wholeSource(data, filters[at]!));
    const exact = [vectors, vectors, block, vectors].map((data, at) => wholeSource(data, filters[at]!));
    const search = searchOf({ sources, queries, dim: DIM, params: { nprobe: 30, ef: 200 } });
    const truth = await kernel.search({ ...search, sources: exact, params: {} });
    assert.ok(recallOf(await kernel.search(search), truth) >= 0.95);
  });

  test('k up to its limit, and no allowed row', async () => {
    const two = { queries: queries.subarray(0, 2 * DIM), queryCount: 2 };
    const { found, truth } = await both({ ...two, k: ROWS, params: { nprobe: 60 } });
    assert.deepEqual([...found.counts], [...truth.counts]);
    const none = await both({}, newBitmap(ROWS, 0));
    assert.deepEqual([...none.found.counts], new Array(QUERIES).fill(0));
  });

  test('a query with values that are not finite finds what an exact search finds', async () => {
    for (const value of [NaN, Infinity]) {
      const odd = queries.slice(0, DIM);
      odd[3] = value;
      const { found, truth } = await both({ metric: 'IP', queries: odd, queryCount: 1 });
      assert.deepEqual(hitKeys(found, 0), hitKeys(truth, 0));
    }
  });

  test('same vectors, parameters and seed: the same bytes, with any number of threads', async () => {
    const bytesOf = async (fields: Partial<BuildIndexOptions>): Promise<Buffer> => {
      const path = directory.file('same');
      await kernel.buildIndex(build({ path, ...fields }));
      return readFile(path);
    };
    const first = await bytesOf({ threads: 1, seed: 11 });
    assert.ok(first.equals(await bytesOf({ threads: 1, seed: 11 })));
    assert.ok(first.equals(await bytesOf({ threads: 2, seed: 11 })));
    assert.ok(!first.equals(await bytesOf({ threads: 1, seed: 12 })));
  });

  test('every instruction set finds the same rows', async () => {
    const search = searchOf({ sources: [], queries, dim: DIM, params: { nprobe: 10 } });
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
      await kernel.buildIndex(build({ metric, vectors: file, path, params: { nlist: 10 } }));
      using index = await kernel.openIndex(path, file);
      const search = { queries: queries.subarray(0, DIM), dim: DIM, metric, k: 50, params: { nprobe: 3 } };
      const hits = await kernel.search(searchOf({ ...search, sources: [wholeSource(index)] }));
      assert.equal(hits.counts[0], 50);
    }
  });

  test('nothing but rows that are not finite can be indexed', async () => {
    const rows = new Float32Array(200 * DIM).fill(NaN);
    using file = await writeAndOpen(kernel, directory.path, rows, DIM, 'nan');
    const path = directory.file('nan-index');
    await kernel.buildIndex(build({ vectors: file, path }));
    using index = await kernel.openIndex(path, file);
    const hits = await kernel.search(searchOf({ sources: [wholeSource(index)], queries, dim: DIM }));
    assert.deepEqual([...hits.counts], new Array(QUERIES).fill(0));
  });

  for (const rowCount of [0, 1, 2, 100]) {
    test(`an index over ${rowCount} rows with more lists than rows`, async () => {
      const few = clusteredVectors(new SeededRandom(2), rowCount, DIM);
      using file = await writeAndOpen(kernel, directory.path, few, DIM, `few-${rowCount}`);
      const path = directory.file(`few-index-${rowCount}`);
      await kernel.buildIndex(build({ vectors: file, path, params: { nlist: 1_024 } }));
      using index = await kernel.openIndex(path, file);
      const search = searchOf({
        sources: [wholeSource(index)],
        queries,
        dim: DIM,
        params: { nprobe: 1_024 },
      });
      const truth = await kernel.search({ ...search, sources: [wholeSource(file)] });
      assert.equal(recallOf(await kernel.search(search), truth), 1);
    });
  }

  for (const format of ['float16', 'bfloat16', 'int8'] as const) {
    test(`${format} vectors can be indexed`, async () => {
      const shape = { format, dim: DIM };
      const random = new SeededRandom(testSeed);
      const path = directory.file(`${format}-vectors`);
      await kernel.writeVectors({ ...shape, path, vectors: randomValues(random, shape, 2_000) });
      using file = await kernel.openVectors(path);
      const asked = randomValues(random, shape, 10);
      for (const type of ['IVF_FLAT', 'IVF_SQ8', 'IVF_RABITQ'] as const) {
        for (const metric of DENSE_METRICS) {
          const indexPath = directory.file(`${format}-index`);
          const refine = type === 'IVF_RABITQ' ? { refine: true } : {};
          const params = { nlist: 30, ...refine };
          await kernel.buildIndex(build({ type, metric, vectors: file, path: indexPath, params }));
          using index = await kernel.openIndex(indexPath, file);
          const sources = [wholeSource(index)];
          const search = searchOf({
            ...shape,
            metric,
            sources,
            queries: asked,
            params: { nprobe: 27, refine_k: 20 },
          });
          const truth = await kernel.search({ ...search, sources: [wholeSource(file)], params: {} });
          const recall = recallOf(await kernel.search(search), truth);
          assert.ok(recall >= 0.9, `${type} ${metric}: recall ${recall}`);
        }
      }
    });
  }

  test('an offset common to all rows costs no recall', async () => {
    const far = clusteredVectors(new SeededRandom(testSeed), 3_000 + 10, 8).map((value) => value + 2_000);
    using file = await writeAndOpen(kernel, directory.path, far.subarray(0, 3_000 * 8), 8, 'far');
    const path = directory.file('far-index');
    await kernel.buildIndex(build({ vectors: file, path, params: { nlist: 40 } }));
    using index = await kernel.openIndex(path, file);
    const asked = far.subarray(3_000 * 8);
    const search = searchOf({ sources: [wholeSource(index)], queries: asked, dim: 8, params: { nprobe: 8 } });
    const truth = await kernel.search({ ...search, sources: [wholeSource(file)], params: {} });
    assert.ok(recallOf(await kernel.search(search), truth) >= 0.9);
  });

  test('a build tells how far it is and ends when cancelled, without a file', async () => {
    const names = await readdir(directory.path);
    const stop = new AbortController();
    const cancelled = kernel.buildIndex(
      build({ path: directory.file('cancelled'), signal: stop.signal, onProgress: () => stop.abort() }),
    );
    await assert.rejects(cancelled, (error) => isErrorWithCode(error, 'CANCELLED'));
    assert.deepEqual(await readdir(directory.path), names);
    const fractions: number[] = [];
    const report = await kernel.buildIndex(
      build({ threads: 1, onProgress: (fraction) => fractions.push(fraction) }),
    );
    assert.ok(fractions.length > 10 && fractions.at(-1) === 1);
    fractions.forEach((fraction, at) => assert.ok(at === 0 || fraction >= fractions[at - 1]!));
    // The vectors are copied from file to file, not held.
    assert.ok(report.sizeBytes > ROWS * DIM * 4 && report.peakBytes < report.sizeBytes * 2);
  });
});
