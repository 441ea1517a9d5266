import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { newBitmap, setBit } from '../columns/bitmap.ts';
import { SeededRandom } from '../host/index.ts';
import { DENSE_METRICS } from '../schema/index.ts';
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
import type { IndexType } from './index-types.ts';
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

const DIM = 50;
const ROWS = 6_000;
const QUERIES = 30;
const LISTS = 60;
const NPROBE = 30;

interface Case {
  readonly name: string;
  readonly type: IndexType;
  readonly params: Readonly<Record<string, number | boolean>>;
  /** Search parameters that let the exact scores correct the codes. */
  readonly refined: Readonly<Record<string, number>>;
  /** Recall at 10 with half of the lists: without and with those. */
  readonly recall: number;
  readonly refinedRecall: number;
  /** Of the index, at most; ids and centres included. */
  readonly rowBytes: number;
}

const CASES: readonly Case[] = [
  {
    name: 'IVF_SQ8',
    type: 'IVF_SQ8',
    params: {},
    refined: {},
    recall: 0.97,
    refinedRecall: 0.97,
    rowBytes: 72,
  },
  {
    name: 'IVF_PQ',
    type: 'IVF_PQ',
    params: { m: 25 },
    refined: {},
    recall: 0.9,
    refinedRecall: 0.9,
    rowBytes: 45,
  },
  {
    name: 'IVF_PQ of 4 bits',
    type: 'IVF_PQ',
    params: { m: 25, nbits: 4 },
    refined: {},
    recall: 0.75,
    refinedRecall: 0.75,
    rowBytes: 35,
  },
  {
    name: 'IVF_RABITQ',
    type: 'IVF_RABITQ',
    params: { refine: true },
    refined: { refine_k: 15 },
    recall: 0.6,
    refinedRecall: 0.95,
    rowBytes: 32,
  },
  {
    name: 'SCANN',
    type: 'SCANN',
    params: {},
    refined: { reorder_k: 100 },
    recall: 0.75,
    refinedRecall: 0.97,
    rowBytes: 35,
  },
];

console.log(`seed ${testSeed}`);

for (const one of CASES) {
  describe(one.name, () => {
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
      const params = { nlist: LISTS, ...one.params };
      return { type: one.type, metric: 'L2', vectors, path, params, seed: 7, threads: 2, ...fields };
    }

    async function both(
      fields: Partial<KernelSearch>,
      allowed: Uint8Array | null = null,
    ): Promise<{ found: KernelHits; truth: KernelHits }> {
      const index = indexes.get(fields.metric ?? 'L2')!;
      const params = { nprobe: NPROBE, ...one.refined };
      const search = searchOf({
        sources: [wholeSource(index, allowed)],
        queries,
        dim: DIM,
        params,
        ...fields,
      });
      const exact = { ...search, sources: [wholeSource(vectors, allowed)], params: {} };
      return { found: await kernel.search(search), truth: await kernel.search(exact) };
    }

    for (const metric of DENSE_METRICS) {
      test(`${metric}: recall, and scores that are the exact ones`, async () => {
        const plain = await both({ metric, params: { nprobe: NPROBE } });
        const recall = recallOf(plain.found, plain.truth);
        assert.ok(recall >= one.recall, `recall ${recall}`);
        const { found, truth } = await both({ metric });
        const refined = recallOf(found, truth);
        assert.ok(refined >= one.refinedRecall && refined >= recall, `refined recall ${refined}`);
        for (let query = 0; query < QUERIES; query++) {
          const exact = new Map(hitKeys(truth, query).map((key, j) => [key, truth.scores[query * 10 + j]]));
          hitKeys(found, query).forEach((key, j) => {
            if (exact.has(key)) assert.equal(found.scores[query * 10 + j], exact.get(key));
          });
        }
      });
    }

    for (const share of [0.9, 0.3, 0.02, 0.001]) {
      test(`a filter that keeps ${share * 100} % keeps recall, and returns nothing else`, async () => {
        const random = new SeededRandom(testSeed + 1);
        const allowed = newBitmap(ROWS, 0);
        for (let row = 0; row < ROWS; row++) if (random.next() < share) setBit(allowed, row);
        for (const metric of DENSE_METRICS) {
          const { found, truth } = await both({ metric }, allowed);
          const recall = recallOf(found, truth);
          assert.ok(recall >= one.refinedRecall - 0.03, `${metric}: recall ${recall}`);
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

    test('bounds keep their range of scores', async () => {
      for (const metric of DENSE_METRICS) {
        const asked = { metric, queries: queries.subarray(0, DIM), queryCount: 1 };
        const { truth } = await both({ ...asked, k: 200 });
        const [scoreAbove, scoreUpTo] = [truth.scores[120]!, truth.scores[40]!];
        const ring = await both({ ...asked, k: 100, scoreAbove, scoreUpTo });
        assert.deepEqual(hitKeys(ring.truth, 0), hitKeys(truth, 0).slice(40, 120));
        const recall = recallOf(ring.found, ring.truth);
        assert.ok(recall >= one.refinedRecall - 0.15, `${metric}: recall ${recall}`);
        for (let j = 0; j < ring.found.counts[0]!; j++)
          assert.ok(ring.found.scores[j]! > scoreAbove && ring.found.scores[j]! <= scoreUpTo);
      }
    });

    test('a row takes few bytes, and the file is the same with any number of threads', async () => {
      const bytesOf = async (threads: number): Promise<Buffer> => {
        await kernel.buildIndex(build({ threads, seed: 11 }));
        return readFile(directory.file('other-index'));
      };
      const first = await bytesOf(1);
      assert.ok(first.equals(await bytesOf(2)));
      const centres = LISTS * DIM * 4 + (one.type === 'IVF_PQ' ? 256 : 16) * DIM * 4;
      const rowBytes = (first.length - centres) / ROWS;
      assert.ok(rowBytes <= one.rowBytes, `${rowBytes} bytes a row`);
    });

    test('every instruction set finds the same rows', async () => {
      const search = searchOf({ sources: [], queries, dim: DIM, params: { nprobe: 10, ...one.refined } });
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
        // Sums that differ in the last bit may round a table or a query to the other side.
        assert.ok(same >= QUERIES - 4, `${same} of ${QUERIES} queries agree`);
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
        const params = { ...one.params, nlist: 10 };
        await kernel.buildIndex(build({ metric, vectors: file, path, params }));
        using index = await kernel.openIndex(path, file);
        const asked = { queries: queries.subarray(0, DIM), dim: DIM, metric, k: 50, params: { nprobe: 3 } };
        const hits = await kernel.search(searchOf({ ...asked, sources: [wholeSource(index)] }));
        assert.equal(hits.counts[0], 50);
      }
    });

    for (const rowCount of [0, 1, 33]) {
      test(`an index over ${rowCount} rows`, async () => {
        const few = clusteredVectors(new SeededRandom(2), rowCount, DIM);
        using file = await writeAndOpen(kernel, directory.path, few, DIM, `few-${rowCount}`);
        const path = directory.file(`few-index-${rowCount}`);
        await kernel.buildIndex(build({ vectors: file, path }));
        using index = await kernel.openIndex(path, file);
        const search = searchOf({ sources: [wholeSource(index)], queries, dim: DIM, k: 5 });
        const truth = await kernel.search({ ...search, sources: [wholeSource(file)] });
        const recall = recallOf(await kernel.search(search), truth);
        assert.ok(recall >= 0.9, `recall ${recall}`);
      });
    }
  });
}

test('IVF_RABITQ: fewer bits of the query lose recall, all of them none', async () => {
  await using directory = await temporaryDirectory();
  await using kernel = createKernel({ threads: 2, queueMax: 10 });
  const all = clusteredVectors(new SeededRandom(testSeed), ROWS + QUERIES, DIM);
  using vectors = await writeAndOpen(kernel, directory.path, all.subarray(0, ROWS * DIM), DIM);
  const path = directory.file('index');
  await kernel.buildIndex({
    type: 'IVF_RABITQ',
    metric: 'L2',
    vectors,
    path,
    params: { nlist: 16 },
    seed: 1,
    threads: 2,
  });
  using index = await kernel.openIndex(path, vectors);
  const queries = all.subarray(ROWS * DIM);
  const recall = async (rbq_query_bits: number): Promise<number> => {
    const search = searchOf({
      sources: [wholeSource(index)],
      queries,
      dim: DIM,
      params: { nprobe: 8, rbq_query_bits },
    });
    const truth = await kernel.search({ ...search, sources: [wholeSource(vectors)], params: {} });
    return recallOf(await kernel.search(search), truth);
  };
  const [whole, eight, one] = [await recall(0), await recall(8), await recall(1)];
  assert.ok(Math.abs(whole - eight) < 0.05, `${whole} with all bits, ${eight} with 8`);
  assert.ok(one < whole, `${one} with 1 bit, ${whole} with all`);
});
