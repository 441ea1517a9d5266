import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newBitmap, setBit, bitAt } from '../columns/bitmap.ts';
import { SeededRandom, type Random } from '../host/index.ts';
import { DENSE_METRICS } from '../schema/index.ts';
import { testSeed } from '../../test/support/seed.ts';
import { temporaryDirectory } from '../../test/support/temporary-directory.ts';
import {
  exactScore,
  hitKeys,
  randomVectors,
  searchOf,
  wholeSource,
  writeAndOpen,
} from '../../test/support/vectors.ts';
import type { KernelSearch } from './kernel.ts';
import { createKernel } from './native-kernel.ts';

console.log(`seed ${testSeed}`);

interface Rows {
  readonly vectors: Float32Array;
  readonly allowed: Uint8Array | null;
}

/** Whole numbers, so that floats and doubles agree to the bit and ties are many. */
function integerVectors(random: Random, rowCount: number, dim: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: rowCount * dim }, () => random.below(5) - 2);
}

function bruteForce(sources: readonly Rows[], search: KernelSearch, query: number): string[] {
  const { dim, metric, k, scoreAbove, scoreUpTo } = search;
  const own = (search.queries as Float32Array).subarray(query * dim, (query + 1) * dim);
  const all = sources.flatMap(({ vectors, allowed }, source) =>
    Array.from({ length: vectors.length / dim }, (_, row) => ({ source, row }))
      .filter(({ row }) => allowed === null || bitAt(allowed, row))
      .map(({ row }) => ({
        source,
        row,
        score: Math.fround(exactScore(metric, own, vectors.subarray(row * dim, (row + 1) * dim))),
      })),
  );
  return all
    .filter(({ score }) => scoreAbove === null || score > scoreAbove)
    .filter(({ score }) => scoreUpTo === null || score <= scoreUpTo)
    .sort((a, b) => b.score - a.score || a.source - b.source || a.row - b.row)
    .slice(0, k)
    .map(({ source, row }) => `${source}:${row}`);
}

test('exact search over files and blocks equals brute force: filters, bounds, ties, any k', async () => {
  const random = new SeededRandom(testSeed);
  await using directory = await temporaryDirectory();
  await using kernel = createKernel({ threads: 2, queueMax: 100 });
  for (let round = 0; round < 40; round++) {
    const dim = 1 + random.below(20);
    const rows: Rows[] = [];
    const sources = [];
    await using opened = new AsyncDisposableStack();
    for (let index = 0; index < 1 + random.below(4); index++) {
      const vectors = integerVectors(random, random.below(300), dim);
      const rowCount = vectors.length / dim;
      let allowed: Uint8Array | null = null;
      if (random.below(2) === 0) {
        allowed = newBitmap(rowCount, 0);
        for (let row = 0; row < rowCount; row++) if (random.below(3) === 0) setBit(allowed, row);
      }
      rows.push({ vectors, allowed });
      const data =
        random.below(2) === 0
          ? await writeAndOpen(kernel, directory.path, vectors, dim, `${round}-${index}`)
          : kernel.createBlock({ format: 'float32', dim, capacity: rowCount });
      if (data.kind === 'block') data.append(vectors);
      opened.use(data);
      sources.push(wholeSource(data, allowed));
    }
    const search = searchOf({
      sources,
      queries: integerVectors(random, 1 + random.below(5), dim),
      dim,
      metric: DENSE_METRICS[random.below(2)]!,
      k: [1, 3, 17, 2000, 16_384][random.below(5)]!,
      scoreAbove: random.below(3) === 0 ? -random.below(12) : null,
      scoreUpTo: random.below(3) === 0 ? -random.below(6) : null,
    });
    const hits = await kernel.search(search);
    for (let query = 0; query < search.queryCount; query++) {
      assert.deepEqual(hitKeys(hits, query), bruteForce(rows, search, query), `round ${round}`);
    }
  }
});

test('a file cut into many slices gives the hits of one scan', async () => {
  const random = new SeededRandom(testSeed);
  await using kernel = createKernel({ threads: 2, queueMax: 100 });
  const dim = 64;
  const rowCount = 40_000;
  const vectors = integerVectors(random, rowCount, dim);
  using block = kernel.createBlock({ format: 'float32', dim, capacity: rowCount });
  block.append(vectors);
  const search = searchOf({ sources: [wholeSource(block)], queries: integerVectors(random, 3, dim), dim });
  const hits = await kernel.search(search);
  for (let query = 0; query < 3; query++) {
    assert.deepEqual(hitKeys(hits, query), bruteForce([{ vectors, allowed: null }], search, query));
  }
});

test('searches see the rows they were asked for while a block grows', async () => {
  const random = new SeededRandom(testSeed);
  await using kernel = createKernel({ threads: 2, queueMax: 1000 });
  const dim = 8;
  const vectors = integerVectors(random, 2000, dim);
  using block = kernel.createBlock({ format: 'float32', dim, capacity: 2000 });
  const queries = integerVectors(random, 1, dim);
  const searches = [];
  for (let row = 0; row < 2000; row += 50) {
    block.append(vectors.subarray(row * dim, (row + 50) * dim));
    const search = searchOf({
      sources: [{ data: block, rowCount: block.rowCount, allowed: null }],
      queries,
      dim,
    });
    searches.push({
      rowCount: block.rowCount,
      search,
      hits: kernel.search(search),
    });
  }
  for (const { rowCount, search, hits } of searches) {
    const rows = { vectors: vectors.subarray(0, rowCount * dim), allowed: null };
    assert.deepEqual(hitKeys(await hits, 0), bruteForce([rows], search, 0));
  }
  const out = new Float32Array(2 * dim);
  block.read(Uint32Array.of(1999, 3), out);
  assert.deepEqual(out.subarray(0, dim), vectors.subarray(1999 * dim));
  assert.deepEqual(out.subarray(dim), vectors.subarray(3 * dim, 4 * dim));
});

test('a file gives back what was written', async () => {
  const random = new SeededRandom(testSeed);
  await using directory = await temporaryDirectory();
  await using kernel = createKernel({ threads: 1, queueMax: 10 });
  const vectors = randomVectors(random, 100, 7);
  const path = directory.file('vectors');
  const report = await kernel.writeVectors({ path, format: 'float32', vectors, dim: 7 });
  using file = await kernel.openVectors(path);
  assert.deepEqual(
    [file.rowCount, file.dim, file.sizeBytes, report.sizeBytes % 64],
    [100, 7, report.sizeBytes, 0],
  );
  const out = new Float32Array(3 * 7);
  file.read(Uint32Array.of(99, 0, 99), out);
  assert.deepEqual(out.subarray(0, 7), vectors.subarray(99 * 7));
  assert.deepEqual(out.subarray(7, 14), vectors.subarray(0, 7));
  assert.deepEqual(out.subarray(14), vectors.subarray(99 * 7));
});

test('no sources, no queries and no rows give no hits', async () => {
  await using directory = await temporaryDirectory();
  await using kernel = createKernel({ threads: 1, queueMax: 10 });
  const queries = new Float32Array(4);
  assert.deepEqual([...(await kernel.search(searchOf({ sources: [], queries, dim: 2 }))).counts], [0, 0]);
  using empty = await writeAndOpen(kernel, directory.path, new Float32Array(0), 2);
  const hits = await kernel.search(searchOf({ sources: [wholeSource(empty)], queries, dim: 2 }));
  assert.deepEqual([...hits.counts], [0, 0]);
  const none = await kernel.search(
    searchOf({ sources: [wholeSource(empty)], queries: new Float32Array(0), dim: 2 }),
  );
  assert.equal(none.counts.length, 0);
});
