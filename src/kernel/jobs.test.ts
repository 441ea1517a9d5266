import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { test } from 'node:test';
import { isErrorWithCode, type ErrorCode } from '../errors/index.ts';
import { SeededRandom } from '../host/index.ts';
import { nodeTimers } from '../host/node/index.ts';
import { temporaryDirectory } from '../../test/support/temporary-directory.ts';
import {
  clusteredVectors,
  hitKeys,
  searchOf,
  wholeSource,
  writeAndOpen,
} from '../../test/support/vectors.ts';
import type { GrowingBlock, Kernel, KernelSearch } from './kernel.ts';
import { createKernel } from './native-kernel.ts';

const DIM = 64;
const ROWS = 20_000;
const vectors = clusteredVectors(new SeededRandom(1), ROWS, DIM);
const hasCode = (code: ErrorCode) => (error: unknown) => isErrorWithCode(error, code);

function filledBlock(kernel: Kernel): GrowingBlock {
  const block = kernel.createBlock({ format: 'float32', dim: DIM, capacity: ROWS });
  block.append(vectors);
  return block;
}

/** Seconds of work, unless it is stopped. */
function longSearch(block: GrowingBlock, fields: Partial<KernelSearch> = {}): KernelSearch {
  const queries = new Float32Array(20_000 * DIM).fill(0.1);
  return searchOf({ sources: [wholeSource(block)], queries, dim: DIM, k: 1, ...fields });
}

function shortSearch(block: GrowingBlock, fields: Partial<KernelSearch> = {}): KernelSearch {
  return searchOf({ sources: [wholeSource(block)], queries: vectors.subarray(0, DIM), dim: DIM, ...fields });
}

test('a cancelled search ends with CANCELLED, running or waiting', async () => {
  await using kernel = createKernel({ threads: 1, queueMax: 10 });
  using block = filledBlock(kernel);
  const running = new AbortController();
  const waiting = new AbortController();
  const first = kernel.search(longSearch(block, { signal: running.signal }));
  const second = kernel.search(longSearch(block, { signal: waiting.signal }));
  waiting.abort();
  await assert.rejects(second, hasCode('CANCELLED'));
  running.abort();
  await assert.rejects(first, hasCode('CANCELLED'));
  await assert.rejects(kernel.search(shortSearch(block, { signal: running.signal })), hasCode('CANCELLED'));
  assert.deepEqual(hitKeys(await kernel.search(shortSearch(block)), 0)[0], '0:0');
});

test('a deadline ends a search with DEADLINE_EXCEEDED, also one that never got a thread', async () => {
  await using kernel = createKernel({ threads: 1, queueMax: 10 });
  using block = filledBlock(kernel);
  const outcomes = await Promise.allSettled([
    kernel.search(longSearch(block, { timeoutMs: 40 })),
    kernel.search(longSearch(block, { timeoutMs: 10, priority: -1 })),
  ]);
  for (const outcome of outcomes) {
    assert.ok(outcome.status === 'rejected' && isErrorWithCode(outcome.reason, 'DEADLINE_EXCEEDED'));
  }
  await assert.rejects(kernel.search(longSearch(block, { timeoutMs: 0 })), hasCode('DEADLINE_EXCEEDED'));
  const ample = await kernel.search(shortSearch(block, { timeoutMs: 60_000 }));
  assert.equal(ample.counts[0], 10);
});

test('more waiting searches than queueMax are refused with OVERLOADED, and only those', async () => {
  await using kernel = createKernel({ threads: 1, queueMax: 2 });
  using block = filledBlock(kernel);
  const stop = new AbortController();
  const started = kernel.search(longSearch(block, { signal: stop.signal, priority: 1 }));
  const others = Array.from({ length: 6 }, () => kernel.search(shortSearch(block)));
  const settled = Promise.allSettled(others);
  stop.abort();
  await assert.rejects(started, hasCode('CANCELLED'));
  const outcomes = (await settled).map((outcome) =>
    outcome.status === 'fulfilled' ? 'ok' : (outcome.reason as { code: string }).code,
  );
  // One more may have got in if the thread had not yet taken the first.
  const refused = outcomes.filter((outcome) => outcome === 'OVERLOADED').length;
  assert.ok(refused >= 3 && refused <= 5, `${outcomes}`);
  assert.equal(refused + outcomes.filter((outcome) => outcome === 'ok').length, 6);
  assert.equal((await kernel.search(shortSearch(block))).counts[0], 10);
});

test('a higher priority overtakes', async () => {
  await using kernel = createKernel({ threads: 1, queueMax: 10 });
  using block = filledBlock(kernel);
  const stop = new AbortController();
  const running = kernel.search(longSearch(block, { signal: stop.signal }));
  const order: string[] = [];
  const low = kernel.search(shortSearch(block, { priority: 1 })).then(() => order.push('low'));
  const high = kernel.search(shortSearch(block, { priority: 2 })).then(() => order.push('high'));
  await Promise.all([low, high]);
  assert.deepEqual(order, ['high', 'low']);
  stop.abort();
  await assert.rejects(running, hasCode('CANCELLED'));
});

test('timers fire while the pool is saturated', async () => {
  await using kernel = createKernel({ threads: 2, queueMax: 10 });
  using block = filledBlock(kernel);
  const stop = new AbortController();
  const ended = Promise.allSettled(
    [1, 2, 3].map(() => kernel.search(longSearch(block, { signal: stop.signal }))),
  );
  let ticks = 0;
  await new Promise<void>((resolve) => {
    const ticker = nodeTimers.every(1, () => {
      if (++ticks < 20) return;
      ticker[Symbol.dispose]();
      resolve();
    });
  });
  stop.abort();
  for (const outcome of await ended) {
    assert.ok(outcome.status === 'rejected' && isErrorWithCode(outcome.reason, 'CANCELLED'));
  }
});

test('what is disposed stays usable for the search under way and is refused to the next', async () => {
  await using directory = await temporaryDirectory();
  await using kernel = createKernel({ threads: 1, queueMax: 10 });
  const block = filledBlock(kernel);
  const file = await writeAndOpen(kernel, directory.path, vectors, DIM);
  const path = directory.file('index');
  const params = { M: 4, efConstruction: 10 };
  await kernel.buildIndex({ type: 'HNSW', metric: 'L2', vectors: file, path, params, seed: 1, threads: 1 });
  const index = await kernel.openIndex(path, file);
  const sources = [wholeSource(block), wholeSource(file), wholeSource(index)];
  const search = searchOf({ sources, queries: vectors.slice(0, 50 * DIM), dim: DIM });
  const running = [kernel.search(search), kernel.search(search)];
  block[Symbol.dispose]();
  file[Symbol.dispose]();
  index[Symbol.dispose]();
  for (const hits of await Promise.all(running)) {
    for (let query = 0; query < 50; query++) assert.equal(hits.rows[query * 10], query);
  }
  for (const source of sources) {
    await assert.rejects(kernel.search({ ...search, sources: [source] }), hasCode('INTERNAL'));
  }
  assert.throws(() => file.read(new Uint32Array(1), new Float32Array(DIM)), hasCode('INTERNAL'));
  await assert.rejects(kernel.openIndex(path, file), hasCode('INTERNAL'));
});

test('an index keeps its vectors mapped', async () => {
  await using directory = await temporaryDirectory();
  await using kernel = createKernel({ threads: 1, queueMax: 10 });
  const few = vectors.slice(0, 500 * DIM);
  const file = await writeAndOpen(kernel, directory.path, few, DIM);
  const path = directory.file('index');
  const params = { M: 4, efConstruction: 50 };
  await kernel.buildIndex({ type: 'HNSW', metric: 'L2', vectors: file, path, params, seed: 1, threads: 1 });
  using index = await kernel.openIndex(path, file);
  file[Symbol.dispose]();
  const hits = await kernel.search(searchOf({ sources: [wholeSource(index)], queries: few, dim: DIM }));
  assert.equal(hits.rows[0], 0);
});

test('disposing the kernel ends what is under way and refuses the rest', async () => {
  const kernel = createKernel({ threads: 2, queueMax: 10 });
  using block = filledBlock(kernel);
  const searches = [1, 2, 3].map(() => kernel.search(longSearch(block)));
  const ended = Promise.allSettled(searches);
  await Promise.all([kernel[Symbol.asyncDispose](), kernel[Symbol.asyncDispose]()]);
  for (const outcome of await ended) {
    assert.equal(outcome.status, 'rejected');
    assert.ok(isErrorWithCode(outcome.reason, 'CANCELLED'));
  }
  await assert.rejects(kernel.search(shortSearch(block)), hasCode('SERVICE_NOT_READY'));
});

test('a build reports progress, gives way to searches, and ends when cancelled without a file', async () => {
  await using directory = await temporaryDirectory();
  await using kernel = createKernel({ threads: 1, queueMax: 10 });
  using file = await writeAndOpen(kernel, directory.path, vectors, DIM);
  using block = filledBlock(kernel);
  const stop = new AbortController();
  const fractions: number[] = [];
  let answered: Promise<unknown> | undefined;
  const build = kernel.buildIndex({
    type: 'HNSW',
    metric: 'COSINE',
    vectors: file,
    path: directory.file('index'),
    params: { M: 64, efConstruction: 1000 },
    seed: 1,
    threads: 1,
    signal: stop.signal,
    onProgress: (fraction) => {
      fractions.push(fraction);
      answered ??= kernel.search(shortSearch(block)).then(() => stop.abort());
    },
  });
  await assert.rejects(build, hasCode('CANCELLED'));
  await answered;
  assert.ok(fractions.length > 0 && fractions.every((fraction) => fraction > 0 && fraction < 1));
  assert.deepEqual(await readdir(directory.path), ['vectors']);

  const all: number[] = [];
  const report = await kernel.buildIndex({
    type: 'HNSW',
    metric: 'L2',
    vectors: file,
    path: directory.file('index'),
    params: { M: 4, efConstruction: 10 },
    seed: 1,
    threads: 1,
    onProgress: (fraction) => all.push(fraction),
  });
  assert.ok(
    all.length > 50 && all.at(-1) === 1 && all.every((fraction, at) => at === 0 || fraction >= all[at - 1]!),
  );
  assert.ok(report.sizeBytes > 0 && report.peakBytes > report.sizeBytes);
});

test('opening and closing again and again keeps neither memory nor files', async () => {
  await using directory = await temporaryDirectory();
  await using kernel = createKernel({ threads: 1, queueMax: 10 });
  (await writeAndOpen(kernel, directory.path, vectors, DIM))[Symbol.dispose]();
  const path = directory.file('vectors');
  const mappings = async () => (await readdir('/proc/self/map_files').catch(() => [])).length;
  const openFiles = async () => (await readdir('/proc/self/fd')).length;
  const cycle = async () => {
    using file = await kernel.openVectors(path);
    using block = filledBlock(kernel);
    await kernel.search(shortSearch(block, { sources: [wholeSource(file), wholeSource(block)] }));
  };
  for (let warmup = 0; warmup < 10; warmup++) await cycle();
  const before = { rss: process.memoryUsage.rss(), mappings: await mappings(), files: await openFiles() };
  for (let round = 0; round < 200; round++) await cycle();
  // 200 leaked blocks would be a gigabyte.
  assert.ok(
    process.memoryUsage.rss() - before.rss < 300e6,
    `${process.memoryUsage.rss() - before.rss} bytes`,
  );
  assert.ok((await mappings()) - before.mappings < 100);
  assert.ok((await openFiles()) - before.files < 10);
});

test('kernels come and go', async () => {
  for (let round = 0; round < 50; round++) {
    await using kernel = createKernel({ threads: 4, queueMax: 1 });
    using block = kernel.createBlock({ format: 'float32', dim: 1, capacity: 1 });
    block.append(Float32Array.of(round));
    const queries = Float32Array.of(round);
    const hits = await kernel.search(searchOf({ sources: [wholeSource(block)], queries, dim: 1 }));
    assert.equal(hits.scores[0], 0);
  }
});
