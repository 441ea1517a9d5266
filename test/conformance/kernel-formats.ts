import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bitAt, newBitmap, setBit } from '../../src/columns/index.ts';
import { SeededRandom, type Random } from '../../src/host/index.ts';
import {
  INDEX_TYPES,
  indexTakes,
  isSparse,
  metricsOf,
  newDenseValues,
  sliceVectors,
  takeVectors,
  VECTOR_FORMATS,
  type GrowingBlock,
  type IndexType,
  type Kernel,
  type KernelHits,
  type KernelSearch,
  type SparseValues,
  type VectorFile,
  type VectorFormat,
  type VectorValues,
} from '../../src/kernel/index.ts';
import { randomValues, rowsOf, scoreOf, shapeOf } from '../support/formats.ts';
import { testSeed } from '../support/seed.ts';
import { temporaryDirectory, type TemporaryDirectory } from '../support/temporary-directory.ts';
import { hitKeys, searchOf, wholeSource, writeAndOpen } from '../support/vectors.ts';

interface Bench {
  readonly kernel: Kernel;
  readonly directory: TemporaryDirectory;
  readonly random: Random;
}

const ROWS = 150;
const BM25 = { k1: 1.2, b: 0.75, averageLength: 20 };
/** Chosen for the tails they leave of every width that instructions have. */
const DIMS = [1, 2, 3, 7, 8, 15, 17, 31, 33, 63, 65, 100, 130, 257];

/** What every kernel must do with vectors of each format; a format it does not do must be refused with `NOT_SUPPORTED`. */
export function testKernelFormats(
  name: string,
  createKernel: () => Kernel,
  formats: readonly VectorFormat[] = VECTOR_FORMATS,
): void {
  const check = (what: string, body: (bench: Bench) => Promise<void>): void => {
    test(`${name} kernel: ${what} (seed ${testSeed})`, async () => {
      await using directory = await temporaryDirectory();
      await using kernel = createKernel();
      await body({ kernel, directory, random: new SeededRandom(testSeed).fork(what) });
    });
  };
  for (const format of formats) {
    check(`${format} files and blocks are searched as the definition says`, (bench) =>
      checkDefinition(bench, format),
    );
    check(`${format} scores are right at every dimension`, (bench) => checkDimensions(bench, format));
    check(`${format} vectors are read back`, (bench) => checkReading(bench, format));
    for (const type of INDEX_TYPES.filter((candidate) => indexTakes(candidate, format))) {
      check(`an index of type ${type} over ${format} vectors is built, opened and searched`, (bench) =>
        checkIndex(bench, format, type),
      );
    }
    check(`${format} vectors of another shape are refused`, (bench) => checkShapes(bench, format));
  }
  for (const format of VECTOR_FORMATS.filter((candidate) => !formats.includes(candidate))) {
    check(`${format} vectors are refused`, (bench) => checkUnsupported(bench, format));
  }
  if (formats.includes('sparse'))
    check('sparse vectors that break their rules are refused', checkSparseRules);
}

async function checkDefinition({ kernel, directory, random }: Bench, format: VectorFormat): Promise<void> {
  const shape = shapeOf(format, 24);
  const data = [randomValues(random, shape, ROWS), randomValues(random, shape, 70)];
  using file = await writeAndOpen(kernel, directory.path, data[0]!, shape.dim, 'vectors', format);
  using block = kernel.createBlock({ ...shape, capacity: 100 });
  block.append(sliceVectors(shape, data[1]!, 0, 33));
  block.append(sliceVectors(shape, data[1]!, 33, 70));
  const allowed = newBitmap(ROWS, 0);
  for (let row = 0; row < ROWS; row++) if (random.below(3) > 0) setBit(allowed, row);
  const sources = [wholeSource(file, allowed), { data: block, rowCount: 60, allowed: null }];
  for (const metric of metricsOf(format)) {
    const queries = randomValues(random, shape, 4);
    const bm25 = metric === 'BM25' ? { bm25: BM25 } : {};
    const search = searchOf({ sources, queries, ...shape, metric, k: 12, ...bm25 });
    checkHits(search, data, await kernel.search(search));
    const bounded = { ...search, ...boundsWithin(search, data), k: 200 };
    checkHits(bounded, data, await kernel.search(bounded));
  }
}

/** Every allowed row that is a hit of some query, scored by the definition. */
function scoresByRow(
  search: KernelSearch,
  data: readonly VectorValues[],
  query: number,
): Map<string, number> {
  const scores = new Map<string, number>();
  const own = rowsOf(search, search.queries)[query]!;
  search.sources.forEach(({ rowCount, allowed }, source) => {
    const rows = rowsOf(search, data[source]!).slice(0, rowCount);
    rows.forEach((row, index) => {
      const score = scoreOf(search.metric, own, row, search.format === 'sparse', search.bm25);
      if (score !== null && (allowed === null || bitAt(allowed, index)))
        scores.set(`${source}:${index}`, score);
    });
  });
  return scores;
}

function boundsWithin(search: KernelSearch, data: readonly VectorValues[]): Partial<KernelSearch> {
  const scores = [...scoresByRow(search, data, 0).values()].sort((a, b) => a - b);
  // Between two scores, so that rounding cannot move a row across.
  const between = (share: number): number | null => {
    const at = Math.floor(scores.length * share);
    return at + 1 < scores.length ? (scores[at]! + scores[at + 1]!) / 2 : null;
  };
  return { scoreAbove: between(0.3), scoreUpTo: between(0.7) };
}

function checkHits(search: KernelSearch, data: readonly VectorValues[], hits: KernelHits): void {
  const { k, metric, scoreAbove, scoreUpTo } = search;
  for (let query = 0; query < search.queryCount; query++) {
    const truth = scoresByRow(search, data, query);
    const within = [...truth.values()].filter(
      (score) =>
        (scoreAbove === null || Math.fround(score) > scoreAbove) &&
        (scoreUpTo === null || Math.fround(score) <= scoreUpTo),
    );
    const best = within.sort((a, b) => b - a).slice(0, k);
    const keys = hitKeys(hits, query);
    const nearBound = (score: number, bound: number | null): boolean =>
      bound !== null && Math.abs(score - bound) <= 1e-4 * (1 + Math.abs(score));
    const doubtful = [...truth.values()].some(
      (score) => nearBound(score, scoreAbove) || nearBound(score, scoreUpTo),
    );
    if (!doubtful) assert.equal(keys.length, best.length, `${metric} query ${query}`);
    assert.equal(new Set(keys).size, keys.length);
    keys.forEach((key, index) => {
      const found = hits.scores[query * k + index]!;
      const tolerance = 2e-5 * (1 + Math.abs(found));
      assert.ok(Math.abs(found - truth.get(key)!) <= tolerance, `${metric} ${key}: ${found}`);
      if (!doubtful) assert.ok(Math.abs(found - best[index]!) <= tolerance, `${metric} place ${index}`);
      if (index > 0) assert.ok(found <= hits.scores[query * k + index - 1]!);
    });
  }
}

async function checkDimensions({ kernel, random }: Bench, format: VectorFormat): Promise<void> {
  for (const dim of DIMS) {
    const shape = shapeOf(format, dim);
    const rows = randomValues(random, shape, 9);
    using block = kernel.createBlock({ ...shape, capacity: 9 });
    block.append(rows);
    for (const metric of metricsOf(format)) {
      const queries = sliceVectors(shape, randomValues(random, shape, 3), 1, 3);
      const bm25 = metric === 'BM25' ? { bm25: BM25 } : {};
      const search = searchOf({ sources: [wholeSource(block)], queries, ...shape, metric, ...bm25 });
      checkHits(search, [rows], await kernel.search(search));
    }
  }
}

/** So few rows that every index finds all of them. */
async function checkIndex(
  { kernel, directory, random }: Bench,
  format: VectorFormat,
  type: IndexType,
): Promise<void> {
  const shape = shapeOf(format, 9);
  const values = randomValues(random, shape, 20);
  using vectors = await writeAndOpen(kernel, directory.path, values, shape.dim, 'vectors', format);
  for (const metric of metricsOf(format)) {
    const path = directory.file('index');
    await kernel.buildIndex({ type, metric, vectors, path, params: {}, seed: 1, threads: 1 });
    using index = await kernel.openIndex(path, vectors);
    const { rowCount, dim } = index;
    assert.deepEqual(
      [index.type, index.metric, index.format, dim, rowCount],
      [type, metric, format, shape.dim, 20],
    );
    const bm25 = metric === 'BM25' ? { bm25: BM25 } : {};
    const queries = randomValues(random, shape, 3);
    const search = searchOf({ sources: [wholeSource(index)], queries, ...shape, metric, k: 20, ...bm25 });
    checkHits(search, [values], await kernel.search(search));
  }
}

async function checkReading({ kernel, directory, random }: Bench, format: VectorFormat): Promise<void> {
  const shape = shapeOf(format, 5);
  const values = randomValues(random, shape, 40);
  using file = await writeAndOpen(kernel, directory.path, values, shape.dim, 'vectors', format);
  using block = kernel.createBlock({ ...shape, capacity: 50 });
  block.append(values);
  const rows = Uint32Array.of(7, 0, 39, 7);
  for (const source of [file, block]) {
    assert.deepEqual([source.format, source.dim, source.rowCount], [format, shape.dim, 40]);
    assert.deepEqual(readRows(source, rows), takeVectors(shape, values, rows));
    assert.throws(() => readRows(source, Uint32Array.of(40)), /row 40/);
    if (format === 'sparse') assert.throws(() => source.read(rows, new Float32Array(4)), /readSparse/);
    else assert.throws(() => source.readSparse(rows), /with read/);
  }
}

function readRows(source: VectorFile | GrowingBlock, rows: Uint32Array): VectorValues {
  if (source.format === 'sparse') return source.readSparse(rows);
  const out = newDenseValues(source, rows.length);
  source.read(rows, out);
  return out;
}

async function checkShapes({ kernel, directory, random }: Bench, format: VectorFormat): Promise<void> {
  const shape = shapeOf(format, 4);
  const values = randomValues(random, shape, 5);
  using file = await writeAndOpen(kernel, directory.path, values, shape.dim, 'vectors', format);
  using block = kernel.createBlock({ ...shape, capacity: 50 });
  const [metric] = metricsOf(format);
  const refuse = async (more: Partial<KernelSearch>): Promise<void> => {
    const search = {
      ...searchOf({ sources: [wholeSource(file)], queries: values, ...shape, metric: metric! }),
      ...more,
    };
    await assert.rejects(kernel.search(search), { code: 'PARAMETER_INVALID' });
  };
  for (const other of VECTOR_FORMATS.filter((candidate) => candidate !== format)) {
    const otherShape = shapeOf(other, 4);
    const otherValues = randomValues(random, otherShape, 5);
    await refuse({ ...otherShape, queries: otherValues, metric: metricsOf(other)[0]! });
    if (isSparse(otherValues) !== isSparse(values) || otherValues.constructor !== values.constructor) {
      await refuse({ queries: otherValues });
      assert.throws(() => block.append(otherValues));
    }
  }
  const foreign = format === 'sparse' ? 'L2' : format === 'binary' ? 'IP' : 'HAMMING';
  await refuse({ metric: foreign });
  await refuse({ queryCount: 4 });
  if (format !== 'sparse') {
    await refuse({ dim: shape.dim * 5, queryCount: 1 });
    assert.throws(() => kernel.createBlock({ format, dim: 0, capacity: 1 }));
    assert.throws(() =>
      kernel.createBlock({ format, dim: 32_769 * (format === 'binary' ? 8 : 1), capacity: 1 }),
    );
  }
  if (format === 'binary') assert.throws(() => kernel.createBlock({ format, dim: 12, capacity: 1 }));
  if (format === 'sparse') {
    await refuse({ metric: 'BM25' });
    for (const wrong of [{ k1: -1 }, { k1: 3.1 }, { b: 1.5 }, { averageLength: 0 }, { averageLength: NaN }]) {
      await refuse({ metric: 'BM25', bm25: { ...BM25, ...wrong } });
    }
  } else await refuse({ bm25: BM25 });
}

async function checkUnsupported({ kernel, directory, random }: Bench, format: VectorFormat): Promise<void> {
  const shape = shapeOf(format, 4);
  const refused = { code: 'NOT_SUPPORTED' };
  const vectors = randomValues(random, shape, 3);
  await assert.rejects(kernel.writeVectors({ ...shape, path: directory.file('vectors'), vectors }), refused);
  assert.throws(() => kernel.createBlock({ ...shape, capacity: 1 }), refused);
}

async function checkSparseRules({ kernel, directory }: Bench): Promise<void> {
  const shape = shapeOf('sparse', 0);
  using block = kernel.createBlock({ ...shape, capacity: 9 });
  const good = (): { offsets: number[]; indices: number[]; values: number[] } => ({
    offsets: [0, 2, 3],
    indices: [4, 9, 4],
    values: [1, 2, 3],
  });
  const broken: ((rows: ReturnType<typeof good>) => void)[] = [
    (rows) => (rows.offsets = []),
    (rows) => (rows.offsets[0] = 1),
    (rows) => (rows.offsets[1] = 4),
    (rows) => (rows.offsets[2] = 2),
    (rows) => (rows.indices[1] = 4),
    (rows) => (rows.indices[1] = 3),
    (rows) => (rows.indices[1] = 0xffff_ffff),
    (rows) => (rows.values[0] = NaN),
    (rows) => (rows.values[2] = Infinity),
    (rows) => rows.values.pop(),
  ];
  const typed = (rows: ReturnType<typeof good>): SparseValues => ({
    offsets: Uint32Array.from(rows.offsets),
    indices: Uint32Array.from(rows.indices),
    values: Float32Array.from(rows.values),
  });
  block.append(typed(good()));
  for (const change of broken) {
    const rows = good();
    change(rows);
    const vectors = typed(rows);
    assert.throws(() => block.append(vectors), String(change));
    await assert.rejects(
      kernel.writeVectors({ ...shape, path: directory.file('v'), vectors }),
      String(change),
    );
    const search = {
      ...searchOf({ sources: [wholeSource(block)], queries: vectors, ...shape, metric: 'IP' }),
      queryCount: 2,
    };
    await assert.rejects(kernel.search(search), { code: 'PARAMETER_INVALID' }, String(change));
  }
  assert.equal(block.rowCount, 2);
}
