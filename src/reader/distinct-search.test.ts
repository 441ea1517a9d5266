import assert from 'node:assert/strict';
import { test } from 'node:test';
import { searchDistinct } from './distinct-search.ts';
import { valuesOf, type KeyValue } from '../columns/index.ts';
import { SeededRandom, type Random } from '../host/index.ts';
import { createSimulatedHost } from '../host/simulated/index.ts';
import type { KernelSearch } from '../kernel/kernel.ts';
import { MemoryKernel } from '../kernel/memory/memory-kernel.ts';
import { freshSources, type TestRow } from '../../test/support/fresh-sources.ts';
import { vectorSchema } from '../../test/support/schemas.ts';
import { testSeed } from '../../test/support/seed.ts';

const DIM = 2;

class CountingKernel extends MemoryKernel {
  readonly searches: KernelSearch[] = [];

  override async search(request: KernelSearch) {
    this.searches.push(request);
    return await super.search(request);
  }
}

const newKernel = (): CountingKernel => new CountingKernel({ files: createSimulatedHost().files });

async function search(
  kernel: MemoryKernel,
  lists: readonly (readonly TestRow[])[],
  queries: readonly number[],
  k: number,
  params: KernelSearch['params'] = {},
) {
  const schema = vectorSchema({
    dim: DIM,
    keyType: typeof lists[0]?.[0]?.key === 'string' ? 'VarChar' : 'Int64',
  });
  const sources = freshSources(kernel, schema, lists).map((source) => ({ source, allowed: null }));
  const hits = await searchDistinct({
    kernel,
    schema,
    fieldId: 101,
    sources,
    search: {
      metric: 'L2',
      format: 'float32',
      dim: DIM,
      queries: Float32Array.from(queries),
      queryCount: queries.length / DIM,
      k,
      params,
      scoreAbove: null,
      scoreUpTo: null,
    },
  });
  assert.equal(hits.rows.length, hits.keys.length);
  const keys = valuesOf(hits.keys);
  let at = 0;
  return [...hits.counts].map((count) => {
    const from = at;
    at += count;
    return { keys: keys.slice(from, at), scores: [...hits.scores.subarray(from, at)] };
  });
}

/** The best scores of the k best keys, by the definition. */
function bestScores(rows: readonly TestRow[], query: readonly number[], k: number): number[] {
  const best = new Map<KeyValue, number>();
  for (const { key, vector } of rows) {
    const score = Math.fround(
      0 - vector.reduce((sum, value, index) => sum + (value - query[index]!) ** 2, 0),
    );
    best.set(key, Math.max(best.get(key) ?? Number.NEGATIVE_INFINITY, score));
  }
  return [...best.values()].toSorted((a, b) => b - a).slice(0, k);
}

function randomRow(random: Random, keyOf: () => KeyValue): TestRow {
  return { key: keyOf(), vector: [random.below(50), random.below(50)] };
}

test('each query gets the best row of its k best keys, however often keys repeat', async (context) => {
  context.diagnostic(`seed ${testSeed}`);
  const random = new SeededRandom(testSeed);
  for (let round = 0; round < 60; round++) {
    const keyCount = 1 + random.below(40);
    const isText = random.below(2) === 0;
    const keyOf = (): KeyValue => (isText ? `k${random.below(keyCount)}` : BigInt(random.below(keyCount)));
    const lists = Array.from({ length: 1 + random.below(3) }, () =>
      Array.from({ length: 1 + random.below(60) }, () => randomRow(random, keyOf)),
    );
    const queries = Array.from({ length: DIM * (1 + random.below(4)) }, () => random.below(50));
    const k = 1 + random.below(30);
    const answers = await search(newKernel(), lists, queries, k);
    answers.forEach(({ keys, scores }, query) => {
      const vector = queries.slice(query * DIM, (query + 1) * DIM);
      assert.deepEqual(scores, bestScores(lists.flat(), vector, k), `round ${round} query ${query}`);
      assert.equal(new Set(keys).size, keys.length);
    });
  }
});

test('only the queries that came short are asked again', async () => {
  const near = Array.from({ length: 20 }, () => ({ key: 1n, vector: [0, 0] }));
  const far = Array.from({ length: 20 }, (_, index) => ({ key: BigInt(100 + index), vector: [40, index] }));
  const kernel = newKernel();
  const [first, second] = await search(kernel, [near, far], [0, 0, 40, 40], 5, { ef: 5 });
  assert.equal(first!.keys.length, 5);
  assert.deepEqual(second!.keys, [119n, 118n, 117n, 116n, 115n]);
  const [, ...more] = kernel.searches;
  assert.ok(more.length > 0);
  for (const { queryCount, k, params } of more) {
    assert.equal(queryCount, 1);
    assert.ok(k > 5);
    assert.equal(params['ef'], k);
  }
});

test('a key with more rows than could ever be asked for ends the search', async () => {
  const rows = Array.from({ length: 700 }, () => ({ key: 1n, vector: [0, 0] }));
  const kernel = newKernel();
  const [answer] = await search(kernel, [rows], [0, 0], 3);
  assert.deepEqual(answer, { keys: [1n], scores: [0] });
  assert.ok(kernel.searches.length <= 6);
});

test('hits without repeated keys take one search', async () => {
  const rows = Array.from({ length: 30 }, (_, index) => ({ key: BigInt(index), vector: [index, 0] }));
  const kernel = newKernel();
  const [answer] = await search(kernel, [rows.slice(0, 10), rows.slice(10)], [12, 0], 3);
  assert.deepEqual(answer!.scores, [0, -1, -1]);
  assert.equal(kernel.searches.length, 1);
});
