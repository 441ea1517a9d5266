import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryKernel } from './memory-kernel.ts';
import { NodeFileSystem } from '../../host/node/index.ts';
import type { KernelSearch, SearchSource } from '../kernel.ts';
import { temporaryDirectory } from '../../../test/support/temporary-directory.ts';

const files = new NodeFileSystem();

function searchOf(sources: readonly SearchSource[], more: Partial<KernelSearch> = {}): KernelSearch {
  return {
    sources,
    metric: 'L2',
    dim: 2,
    queries: Float32Array.of(0, 0),
    queryCount: 1,
    k: 3,
    params: {},
    scoreAbove: null,
    scoreUpTo: null,
    ...more,
  };
}

const VECTORS = Float32Array.of(3, 0, 1, 0, 0, 1, 2, 0, 0, 0);

test('a file, its index and a block are searched together, ties by source, then row', async () => {
  await using directory = await temporaryDirectory();
  await using kernel = new MemoryKernel({ files });
  const path = directory.file('v');
  const report = await kernel.writeVectors({ path, vectors: VECTORS, dim: 2 });
  assert.equal(report.sizeBytes, (await files.stat(path)).sizeBytes);
  using vectors = await kernel.openVectors(path);
  const indexPath = directory.file('i');
  await kernel.buildIndex({
    type: 'HNSW',
    metric: 'L2',
    vectors,
    path: indexPath,
    params: { M: 16, efConstruction: 100 },
    seed: 1,
    threads: 1,
  });
  using index = await kernel.openIndex(indexPath, vectors);
  using block = kernel.createBlock({ dim: 2, capacity: 4 });
  block.append(VECTORS.subarray(2, 6));
  const hits = await kernel.search(
    searchOf([
      { data: index, rowCount: 5, allowed: Uint8Array.of(0b01111) },
      { data: block, rowCount: 2, allowed: null },
    ]),
  );
  assert.deepEqual([...hits.counts], [3]);
  assert.deepEqual([...hits.sources], [0, 0, 1]);
  assert.deepEqual([...hits.rows], [1, 2, 0]);
  assert.deepEqual([...hits.scores], [-1, -1, -1]);
  const out = new Float32Array(4);
  vectors.read(Uint32Array.of(3, 0), out);
  assert.deepEqual([...out], [2, 0, 3, 0]);
});

test('scores follow the metric and stay within the bounds', async () => {
  await using kernel = new MemoryKernel({ files });
  using block = kernel.createBlock({ dim: 2, capacity: 5 });
  block.append(VECTORS);
  const sources = [{ data: block, rowCount: 5, allowed: null }];
  const queries = Float32Array.of(2, 0);
  const scores = async (more: Partial<KernelSearch>): Promise<number[]> => {
    const hits = await kernel.search(searchOf(sources, { queries, k: 5, ...more }));
    return [...hits.scores.subarray(0, hits.counts[0])];
  };
  assert.deepEqual(await scores({ metric: 'IP' }), [6, 4, 2, 0, 0]);
  assert.deepEqual(await scores({ metric: 'COSINE' }), [1, 1, 1, 0, 0]);
  assert.deepEqual(await scores({ metric: 'L2' }), [0, -1, -1, -4, -5]);
  assert.deepEqual(await scores({ metric: 'IP', scoreAbove: 0 }), [6, 4, 2]);
  assert.deepEqual(await scores({ metric: 'IP', scoreUpTo: 4, scoreAbove: 0 }), [4, 2]);
});

test('requests out of their domain are refused', async () => {
  await using kernel = new MemoryKernel({ files });
  using block = kernel.createBlock({ dim: 2, capacity: 1 });
  const source = { data: block, rowCount: 0, allowed: null };
  const refuse = async (more: Partial<KernelSearch>, code: string): Promise<void> => {
    await assert.rejects(kernel.search(searchOf([source], more)), { code });
  };
  await refuse({ k: 0 }, 'PARAMETER_INVALID');
  await refuse({ k: 16_385 }, 'PARAMETER_INVALID');
  await refuse({ params: { nprobe: 3 } }, 'PARAMETER_INVALID');
  await refuse({ params: { ef: 2 } }, 'PARAMETER_INVALID');
  await refuse({ dim: 1, queries: new Float32Array(1) }, 'PARAMETER_INVALID');
  await refuse({ signal: AbortSignal.abort() }, 'CANCELLED');
  await refuse({ timeoutMs: 0 }, 'DEADLINE_EXCEEDED');
  block[Symbol.dispose]();
  await assert.rejects(kernel.search(searchOf([source])), /disposed/);
});

test('damaged files and indexes over other vectors are refused', async () => {
  await using directory = await temporaryDirectory();
  await using kernel = new MemoryKernel({ files });
  const [path, otherPath, indexPath] = ['v', 'o', 'i'].map(directory.file) as [string, string, string];
  await kernel.writeVectors({ path, vectors: VECTORS, dim: 2 });
  await kernel.writeVectors({ path: otherPath, vectors: VECTORS.map((value) => value + 1), dim: 2 });
  using vectors = await kernel.openVectors(path);
  using others = await kernel.openVectors(otherPath);
  const build = { type: 'HNSW', metric: 'IP', vectors, path: indexPath, seed: 1, threads: 1 } as const;
  await assert.rejects(kernel.buildIndex({ ...build, params: { M: 1 } }), { code: 'INDEX_INVALID' });
  await assert.rejects(kernel.buildIndex({ ...build, params: { nlist: 1 } }), { code: 'INDEX_INVALID' });
  await kernel.buildIndex({ ...build, params: {} });
  await assert.rejects(kernel.openIndex(indexPath, others), { code: 'CORRUPT_DATA' });
  await assert.rejects(kernel.openVectors(indexPath), { code: 'CORRUPT_DATA' });
  const bytes = await files.read(path);
  for (let at = 0; at < bytes.byteLength; at += 5) {
    const flipped = Uint8Array.from(bytes);
    flipped[at]! ^= 1;
    await files.write(otherPath, flipped);
    await assert.rejects(kernel.openVectors(otherPath), { code: 'CORRUPT_DATA' });
    await files.write(otherPath, bytes.subarray(0, at));
    await assert.rejects(kernel.openVectors(otherPath), { code: 'CORRUPT_DATA' });
  }
});
