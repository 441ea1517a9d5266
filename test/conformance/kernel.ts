import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { bitAt, newBitmap, setBit } from '../../src/columns/index.ts';
import { SeededRandom, type Random } from '../../src/host/index.ts';
import {
  INDEX_TYPES,
  indexTakes,
  type IndexType,
  type Kernel,
  type KernelHits,
  type KernelSearch,
  type SearchSource,
} from '../../src/kernel/index.ts';
import { DENSE_METRICS } from '../../src/schema/index.ts';
import { testSeed } from '../support/seed.ts';
import { temporaryDirectory, type TemporaryDirectory } from '../support/temporary-directory.ts';
import {
  exactScore,
  hitKeys,
  randomVectors,
  searchOf,
  wholeSource,
  writeAndOpen,
} from '../support/vectors.ts';

type Body = (kernel: Kernel, directory: TemporaryDirectory, random: Random) => Promise<void>;

/** What every kernel must do. How near an index comes to the exact answer is tested where it is made. */
export function testKernel(name: string, createKernel: () => Kernel): void {
  const check = (what: string, body: Body): void => {
    test(`${name} kernel: ${what} (seed ${testSeed})`, async () => {
      await using directory = await temporaryDirectory();
      await using kernel = createKernel();
      await body(kernel, directory, new SeededRandom(testSeed).fork(what));
    });
  };
  check('files, indexes and blocks are searched together, ties by source, then row', checkTogether);
  for (const type of INDEX_TYPES.filter((candidate) => indexTakes(candidate, 'float32')))
    check(`an index of type ${type} is built, opened and searched`, (kernel, directory) =>
      checkType(kernel, directory, type),
    );
  check('exact searches give what the definition of the scores gives', checkDefinition);
  check('scores stay within the bounds that are asked for', checkBounds);
  check('a block is searched as far as asked while it grows', checkGrowing);
  check('vectors are read back in the order of the rows asked for', checkReading);
  check('requests out of their domain are refused', checkRefusals);
  check('what was disposed is not searched', checkDisposal);
  check('damaged files and indexes over other vectors are refused', checkDamage);
}

const VECTORS = Float32Array.of(3, 0, 1, 0, 0, 1, 2, 0, 0, 0);

async function checkTogether(kernel: Kernel, directory: TemporaryDirectory): Promise<void> {
  using vectors = await writeAndOpen(kernel, directory.path, VECTORS, 2);
  const path = directory.file('index');
  const params = { M: 16, efConstruction: '100' };
  const build = { type: 'HNSW', metric: 'L2', vectors, path, params, seed: 1, threads: 1 } as const;
  const report = await kernel.buildIndex(build);
  assert.equal(report.sizeBytes, (await readFile(path)).byteLength);
  using index = await kernel.openIndex(path, vectors);
  assert.deepEqual([index.type, index.metric, index.rowCount, index.dim], ['HNSW', 'L2', 5, 2]);
  using block = kernel.createBlock({ format: 'float32', dim: 2, capacity: 4 });
  block.append(VECTORS.subarray(2, 6));
  const sources = [wholeSource(index, Uint8Array.of(0b01111)), wholeSource(vectors), wholeSource(block)];
  const hits = await kernel.search(searchOf({ sources, queries: Float32Array.of(0, 0), dim: 2, k: 5 }));
  assert.deepEqual(hitKeys(hits, 0), ['1:4', '0:1', '0:2', '1:1', '1:2']);
  assert.deepEqual([...hits.scores.subarray(0, 5)], [0, -1, -1, -1, -1]);
}

async function checkType(kernel: Kernel, directory: TemporaryDirectory, type: IndexType): Promise<void> {
  using vectors = await writeAndOpen(kernel, directory.path, VECTORS, 2);
  for (const metric of DENSE_METRICS) {
    const path = directory.file(metric);
    const report = await kernel.buildIndex({
      type,
      metric,
      vectors,
      path,
      params: {},
      seed: 1,
      threads: 1,
    });
    assert.equal(report.sizeBytes, (await readFile(path)).byteLength);
    using index = await kernel.openIndex(path, vectors);
    assert.deepEqual([index.type, index.metric, index.rowCount, index.dim], [type, metric, 5, 2]);
    const search = { queries: Float32Array.of(1, 2), dim: 2, metric, k: 5 };
    const hits = await kernel.search(searchOf({ ...search, sources: [wholeSource(index)] }));
    const truth = await kernel.search(searchOf({ ...search, sources: [wholeSource(vectors)] }));
    assert.deepEqual(hitKeys(hits, 0), hitKeys(truth, 0));
    assert.deepEqual(hits.scores, truth.scores);
  }
}

async function checkDefinition(kernel: Kernel, directory: TemporaryDirectory, random: Random): Promise<void> {
  const [rowCount, dim, queryCount, k] = [200, 7, 3, 12];
  const data = randomVectors(random, rowCount, dim);
  data.fill(0, 3 * dim, 4 * dim);
  const queries = randomVectors(random, queryCount, dim);
  using vectors = await writeAndOpen(kernel, directory.path, data, dim);
  const allowed = newBitmap(rowCount, 0);
  for (let row = 0; row < rowCount; row++) if (random.below(3) > 0) setBit(allowed, row);
  for (const metric of DENSE_METRICS) {
    const sources = [wholeSource(vectors, allowed)];
    const hits = await kernel.search(searchOf({ sources, queries, dim, metric, k }));
    for (let query = 0; query < queryCount; query++) {
      const wanted = queries.subarray(query * dim, (query + 1) * dim);
      const scoreOf = (row: number): number =>
        exactScore(metric, wanted, data.subarray(row * dim, (row + 1) * dim));
      const rows = [...Array(rowCount).keys()].filter((row) => bitAt(allowed, row));
      const best = rows.sort((a, b) => scoreOf(b) - scoreOf(a)).slice(0, k);
      assert.equal(hits.counts[query], k);
      best.forEach((row, index) => {
        const found = hits.scores[query * k + index]!;
        assert.ok(Math.abs(found - scoreOf(row)) < 1e-4, `${metric} ${found} for ${scoreOf(row)}`);
      });
    }
  }
}

async function checkBounds(kernel: Kernel): Promise<void> {
  using block = kernel.createBlock({ format: 'float32', dim: 2, capacity: 5 });
  block.append(VECTORS);
  const scores = async (more: Partial<KernelSearch>): Promise<number[]> => {
    const search = searchOf({ sources: [wholeSource(block)], queries: Float32Array.of(2, 0), dim: 2, k: 5 });
    const hits = await kernel.search({ ...search, ...more });
    return [...hits.scores.subarray(0, hits.counts[0])];
  };
  assert.deepEqual(await scores({ metric: 'IP' }), [6, 4, 2, 0, 0]);
  assert.deepEqual(await scores({ metric: 'L2' }), [0, -1, -1, -4, -5]);
  assert.deepEqual(await scores({ metric: 'IP', scoreAbove: 0 }), [6, 4, 2]);
  assert.deepEqual(await scores({ metric: 'IP', scoreUpTo: 4, scoreAbove: 0 }), [4, 2]);
  assert.deepEqual(await scores({ metric: 'L2', scoreUpTo: -4 }), [-4, -5]);
  assert.deepEqual(await scores({ metric: 'IP', scoreAbove: 6 }), []);
}

async function checkGrowing(kernel: Kernel): Promise<void> {
  using block = kernel.createBlock({ format: 'float32', dim: 1, capacity: 4 });
  const search = async (rowCount: number): Promise<KernelHits> => {
    const sources: SearchSource[] = [{ data: block, rowCount, allowed: null }];
    return kernel.search(searchOf({ sources, queries: Float32Array.of(1), dim: 1, metric: 'IP', k: 9 }));
  };
  assert.deepEqual(hitKeys(await search(0), 0), []);
  block.append(Float32Array.of(1, 2));
  const early = search(2);
  block.append(Float32Array.of(3, 4));
  assert.deepEqual(hitKeys(await early, 0), ['0:1', '0:0']);
  assert.deepEqual(hitKeys(await search(3), 0), ['0:2', '0:1', '0:0']);
  assert.deepEqual([block.rowCount, block.capacity], [4, 4]);
  assert.throws(() => block.append(Float32Array.of(5)), /exceed/);
}

async function checkReading(kernel: Kernel, directory: TemporaryDirectory): Promise<void> {
  using vectors = await writeAndOpen(kernel, directory.path, VECTORS, 2);
  using block = kernel.createBlock({ format: 'float32', dim: 2, capacity: 8 });
  block.append(VECTORS);
  assert.deepEqual([vectors.rowCount, vectors.dim], [5, 2]);
  for (const source of [vectors, block]) {
    const out = new Float32Array(6);
    source.read(Uint32Array.of(3, 0, 3), out);
    assert.deepEqual([...out], [2, 0, 3, 0, 2, 0]);
    assert.throws(() => source.read(Uint32Array.of(5), new Float32Array(2)), /row 5/);
    assert.throws(() => source.read(Uint32Array.of(0), new Float32Array(3)), /3 values/);
  }
}

async function checkRefusals(kernel: Kernel, directory: TemporaryDirectory): Promise<void> {
  using vectors = await writeAndOpen(kernel, directory.path, VECTORS, 2);
  const refuse = async (more: Partial<KernelSearch>, code: string): Promise<void> => {
    const search = searchOf({ sources: [wholeSource(vectors)], queries: Float32Array.of(0, 0), dim: 2 });
    await assert.rejects(kernel.search({ ...search, ...more }), { code });
  };
  await refuse({ k: 0 }, 'PARAMETER_INVALID');
  await refuse({ k: 16_385 }, 'PARAMETER_INVALID');
  await refuse({ params: { nprob: 3 } }, 'PARAMETER_INVALID');
  await refuse({ params: { ef: 2 } }, 'PARAMETER_INVALID');
  await refuse({ dim: 1, queryCount: 2 }, 'PARAMETER_INVALID');
  await refuse({ queryCount: 2 }, 'PARAMETER_INVALID');
  await refuse({ signal: AbortSignal.abort() }, 'CANCELLED');
  await refuse({ timeoutMs: 0 }, 'DEADLINE_EXCEEDED');
  const build = {
    type: 'HNSW',
    metric: 'IP',
    vectors,
    path: directory.file('i'),
    seed: 1,
    threads: 1,
  } as const;
  await assert.rejects(kernel.buildIndex({ ...build, params: { M: 1 } }), { code: 'INDEX_INVALID' });
  await assert.rejects(kernel.buildIndex({ ...build, params: { nlist: 1 } }), { code: 'INDEX_INVALID' });
  const cancelled = { ...build, params: {}, signal: AbortSignal.abort() };
  await assert.rejects(kernel.buildIndex(cancelled), { code: 'CANCELLED' });
}

async function checkDisposal(kernel: Kernel, directory: TemporaryDirectory): Promise<void> {
  const vectors = await writeAndOpen(kernel, directory.path, VECTORS, 2);
  const path = directory.file('index');
  await kernel.buildIndex({ type: 'HNSW', metric: 'L2', vectors, path, params: {}, seed: 1, threads: 1 });
  const index = await kernel.openIndex(path, vectors);
  const block = kernel.createBlock({ format: 'float32', dim: 2, capacity: 1 });
  const search = async (source: SearchSource['data']): Promise<KernelHits> =>
    kernel.search(searchOf({ sources: [wholeSource(source)], queries: Float32Array.of(0, 0), dim: 2, k: 1 }));
  const last = search(vectors);
  vectors[Symbol.dispose]();
  assert.deepEqual(hitKeys(await last, 0), ['0:4']);
  assert.deepEqual(hitKeys(await search(index), 0), ['0:4']);
  index[Symbol.dispose]();
  block[Symbol.dispose]();
  for (const source of [vectors, index, block]) await assert.rejects(search(source), /disposed/);
  await kernel[Symbol.asyncDispose]();
  await assert.rejects(kernel.openVectors(path), { code: 'SERVICE_NOT_READY' });
}

async function checkDamage(kernel: Kernel, directory: TemporaryDirectory): Promise<void> {
  using vectors = await writeAndOpen(kernel, directory.path, VECTORS, 2);
  using others = await writeAndOpen(
    kernel,
    directory.path,
    VECTORS.map((value) => value + 1),
    2,
    'others',
  );
  const path = directory.file('index');
  await kernel.buildIndex({ type: 'HNSW', metric: 'IP', vectors, path, params: {}, seed: 1, threads: 1 });
  await assert.rejects(kernel.openIndex(path, others), { code: 'CORRUPT_DATA' });
  await assert.rejects(kernel.openVectors(path), { code: 'CORRUPT_DATA' });
  const damaged = directory.file('damaged');
  for (const [file, open] of [
    [directory.file('vectors'), () => kernel.openVectors(damaged)],
    [path, () => kernel.openIndex(damaged, vectors)],
  ] as const) {
    const good = await readFile(file);
    for (let at = 0; at < good.byteLength; at += 7) {
      const flipped = Uint8Array.from(good);
      flipped[at]! ^= 1 << (at % 8);
      await writeFile(damaged, flipped);
      await assert.rejects(open(), { code: 'CORRUPT_DATA' }, `byte ${at}`);
      await writeFile(damaged, good.subarray(0, at));
      await assert.rejects(open(), { code: 'CORRUPT_DATA' }, `${at} bytes`);
    }
  }
}
