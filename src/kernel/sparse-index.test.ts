import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { newBitmap, setBit } from '../columns/bitmap.ts';
import { isErrorWithCode } from '../errors/index.ts';
import { SeededRandom, type Random } from '../host/index.ts';
import { sparseOf, type Row } from '../../test/support/formats.ts';
import { testSeed } from '../../test/support/seed.ts';
import { temporaryDirectory, type TemporaryDirectory } from '../../test/support/temporary-directory.ts';
import { hitKeys, recallOf, searchOf, wholeSource, writeAndOpen } from '../../test/support/vectors.ts';
import type {
  BuildIndexOptions,
  Kernel,
  KernelSearch,
  SparseValues,
  VectorFile,
  VectorIndex,
} from './kernel.ts';
import { createKernel } from './native-kernel.ts';

const ROWS = 5_000;
const QUERIES = 8;
const DIMENSIONS = 3_000;
const BM25 = { k1: 1.2, b: 0.75, averageLength: 60 };
const SHAPE = { format: 'sparse', dim: 0 } as const;

console.log(`seed ${testSeed}`);

/** Dimensions as words are: few in nearly every row, most in few. */
function wordsRow(random: Random, count: number, weight: (random: Random) => number): Row {
  const row = new Map<number, number>();
  for (let i = 0; i < count; i++) {
    const dimension = Math.floor(DIMENSIONS * random.next() ** 4);
    row.set(dimension === DIMENSIONS - 1 ? 0xffff_fffe : dimension, weight(random));
  }
  return new Map([...row].sort(([a], [b]) => a - b));
}

const WEIGHTS = {
  frequencies: (random: Random) => 1 + Math.floor(8 * random.next() ** 3),
  reals: (random: Random) => random.next(),
  signed: (random: Random) => random.next() - 0.3,
} as const;

type Kind = keyof typeof WEIGHTS;
const KINDS = ['frequencies', 'reals', 'signed'] as const;

const VARIANTS = [
  ['SPARSE_INVERTED_INDEX', { inverted_index_algo: 'DAAT_MAXSCORE' }],
  ['SPARSE_INVERTED_INDEX', { inverted_index_algo: 'daat_wand' }],
  ['SPARSE_INVERTED_INDEX', { inverted_index_algo: 'TAAT_NAIVE' }],
  ['SPARSE_WAND', {}],
] as const;

describe('sparse indexes', () => {
  let directory: TemporaryDirectory;
  let kernel: Kernel;
  const random = new SeededRandom(testSeed);
  const corpora = new Map<Kind, { readonly vectors: VectorFile; readonly queries: SparseValues }>();

  before(async () => {
    directory = await temporaryDirectory();
    kernel = createKernel({ threads: 2, queueMax: 100 });
    for (const kind of KINDS) {
      const vectors = await written(kind, rowsOf(kind, ROWS, 60));
      const queries = sparseOf(rowsOf(kind === 'frequencies' ? 'reals' : kind, QUERIES, 25));
      corpora.set(kind, { vectors, queries });
    }
  });

  after(async () => {
    for (const { vectors } of corpora.values()) vectors[Symbol.dispose]();
    await kernel[Symbol.asyncDispose]();
    await directory[Symbol.asyncDispose]();
  });

  const rowsOf = (kind: Kind, count: number, terms: number): Row[] =>
    Array.from({ length: count }, (_, at) =>
      wordsRow(random, at % 50 === 0 ? 0 : random.below(terms), WEIGHTS[kind]),
    );

  const written = (name: string, rows: readonly Row[]): Promise<VectorFile> =>
    writeAndOpen(kernel, directory.path, sparseOf(rows), 0, name, 'sparse');

  function build(vectors: VectorFile, fields: Partial<BuildIndexOptions>): BuildIndexOptions {
    const path = directory.file('index');
    const common = { type: 'SPARSE_INVERTED_INDEX', metric: 'IP', params: {}, seed: 1, threads: 1 } as const;
    return { ...common, vectors, path, ...fields };
  }

  async function built(vectors: VectorFile, fields: Partial<BuildIndexOptions>): Promise<VectorIndex> {
    const options = build(vectors, fields);
    await kernel.buildIndex(options);
    return kernel.openIndex(options.path, vectors);
  }

  /** The index must give what the scan gives, place by place; equal scores may only trade places if rounding made them equal. */
  async function compare(
    index: VectorIndex,
    vectors: VectorFile,
    fields: Partial<KernelSearch>,
  ): Promise<void> {
    const queries = fields.queries ?? sparseOf([]);
    for (const allowed of filters) {
      const search = searchOf({ sources: [wholeSource(index, allowed)], ...SHAPE, ...fields, queries });
      const found = await kernel.search(search);
      const truth = await kernel.search({ ...search, sources: [wholeSource(vectors, allowed)] });
      assert.deepEqual(found.counts, truth.counts);
      for (let at = 0; at < truth.scores.length; at++) {
        const error = Math.abs(found.scores[at]! - truth.scores[at]!);
        assert.ok(error <= 1e-6 * Math.abs(truth.scores[at]!), `${found.scores[at]} for ${truth.scores[at]}`);
      }
      const same = recallOf(found, truth);
      assert.ok(same > 0.995, `${same} of the hits are the same`);
    }
  }

  const every = (step: number): Uint8Array => {
    const bits = newBitmap(ROWS, 0);
    for (let row = 1; row < ROWS; row += step) setBit(bits, row);
    return bits;
  };
  const filters = [null, every(2), every(40), every(3_000), newBitmap(ROWS, 0)];

  for (const [type, params] of VARIANTS) {
    for (const kind of KINDS) {
      test(`${type} ${JSON.stringify(params)} finds in ${kind} what the scan finds`, async () => {
        const { vectors, queries } = corpora.get(kind)!;
        for (const metric of kind === 'frequencies' ? (['IP', 'BM25'] as const) : (['IP'] as const)) {
          using index = await built(vectors, { type, metric, params });
          assert.deepEqual(
            [index.type, index.metric, index.format, index.rowCount],
            [type, metric, 'sparse', ROWS],
          );
          const bm25 = metric === 'BM25' ? { bm25: BM25 } : {};
          await compare(index, vectors, { queries, metric, k: 10, ...bm25 });
          await compare(index, vectors, { queries, metric, k: 300, ...bm25 });
          await compare(index, vectors, { queries, metric, k: 10, scoreAbove: 1.5, scoreUpTo: 2.5, ...bm25 });
          if (metric === 'BM25') {
            await compare(index, vectors, { queries, metric, bm25: { k1: 2, b: 0, averageLength: 1 } });
            await compare(index, vectors, { queries, metric, bm25: { k1: 0, b: 1, averageLength: 1000 } });
          }
        }
      });
    }
  }

  test('queries of nothing, of unknown dimensions and of zeros have no hits', async () => {
    using vectors = await written('some', rowsOf('reals', 500, 30));
    using index = await built(vectors, {});
    const queries = sparseOf([new Map(), new Map([[4_000_000, 1]]), new Map([[0, 0]])]);
    const hits = await kernel.search(
      searchOf({ sources: [wholeSource(index)], ...SHAPE, queries, metric: 'IP' }),
    );
    assert.deepEqual([...hits.counts], [0, 0, 0]);
  });

  test('dropping the smallest weights of a query loses little and scores what it finds exactly', async () => {
    const { vectors, queries } = corpora.get('reals')!;
    using index = await built(vectors, {});
    const search = searchOf({ sources: [wholeSource(index)], ...SHAPE, queries, metric: 'IP' });
    const truth = await kernel.search(search);
    for (const [ratio, recall] of [
      [0.2, 0.9],
      [0.6, 0.4],
      [0.999, 0.01],
    ] as const) {
      const found = await kernel.search({ ...search, params: { drop_ratio_search: ratio } });
      assert.ok(recallOf(found, truth) >= recall, `${ratio}: ${recallOf(found, truth)}`);
      for (let query = 0; query < QUERIES; query++) {
        const scores = new Map(hitKeys(truth, query).map((key, j) => [key, truth.scores[query * 10 + j]!]));
        hitKeys(found, query).forEach((key, j) => {
          const score = found.scores[query * 10 + j]!;
          assert.ok(!scores.has(key) || Math.abs(scores.get(key)! - score) <= 1e-6 * score);
        });
      }
    }
    const rest = { ...search, scoreUpTo: truth.scores[9]! };
    const page = await kernel.search({ ...rest, params: { drop_ratio_search: 0.6 } });
    assert.deepEqual(hitKeys(page, 0), hitKeys(await kernel.search(rest), 0), 'a page passes over nothing');
  });

  test('an index of no rows and of empty rows is searched', async () => {
    for (const rows of [[], [new Map(), new Map()]]) {
      using vectors = await written(`empty-${rows.length}`, rows);
      using index = await built(vectors, {});
      const queries = sparseOf([new Map([[1, 1]])]);
      const hits = await kernel.search(
        searchOf({ sources: [wholeSource(index)], ...SHAPE, queries, metric: 'IP' }),
      );
      assert.equal(hits.counts[0], 0);
    }
  });

  test('a build is the same every time, and frequencies below 0 are refused for BM25', async () => {
    using vectors = await written('twice', rowsOf('frequencies', 2_000, 60));
    await kernel.buildIndex(build(vectors, { path: directory.file('first'), metric: 'BM25' }));
    await kernel.buildIndex(
      build(vectors, { path: directory.file('second'), metric: 'BM25', seed: 2, threads: 2 }),
    );
    assert.ok((await readFile(directory.file('first'))).equals(await readFile(directory.file('second'))));
    using signed = await written('signed-rows', [new Map([[3, -1]])]);
    const refused = (error: unknown): boolean =>
      isErrorWithCode(error, 'INDEX_INVALID') && /row 0/.test(error.message);
    await assert.rejects(kernel.buildIndex(build(signed, { metric: 'BM25' })), refused);
    using other = await written('other', rowsOf('frequencies', 2_000, 60));
    await assert.rejects(kernel.openIndex(directory.file('first'), other), { code: 'CORRUPT_DATA' });
  });
});
