import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mergeHits } from './merge-hits.ts';
import { columnFromValues, keyAt, keysFromValues, valuesOf, type KeyValue } from '../../columns/index.ts';
import { SeededRandom, type Random } from '../../host/index.ts';
import type { SearchResult } from '../../protocol/reader-api.ts';

interface Hit {
  readonly key: bigint;
  readonly score: number;
}

const stats = { segmentCount: 1, rowsSearched: 1, elapsedMs: 0, positions: new Map() };
const TAG_FIELD = 101;

function resultOf(lists: readonly (readonly Hit[])[]): SearchResult {
  const hits = lists.flat();
  const tags = columnFromValues(
    { type: 'VarChar', elementType: null, dim: null },
    hits.map((hit) => `row of ${hit.key} at ${hit.score}`),
  );
  return {
    counts: Uint32Array.from(lists.map((list) => list.length)),
    scores: Float32Array.from(hits.map((hit) => hit.score)),
    keys: keysFromValues(
      'Int64',
      hits.map((hit) => hit.key),
    ),
    rows: { rowCount: hits.length, columns: new Map([[TAG_FIELD, tags]]) },
    stats,
  };
}

function answers(
  results: readonly SearchResult[],
  queries: number,
  offset: number,
  limit: number,
): [KeyValue, number][][] {
  const merged = mergeHits(results, queries, offset, limit);
  let row = 0;
  return Array.from(merged.counts, (count) =>
    Array.from({ length: count }, () => {
      const key = keyAt(merged.keys, row);
      const score = merged.scores[row]!;
      assert.equal(valuesOf(merged.rows.columns.get(TAG_FIELD)!)[row], `row of ${key} at ${score}`);
      row++;
      return [key, score] as [KeyValue, number];
    }),
  );
}

test('a node with fewer hits than k does not shorten the answer', () => {
  const many = resultOf([
    [
      { key: 1n, score: 3 },
      { key: 2n, score: 2 },
      { key: 3n, score: 1 },
    ],
  ]);
  const few = resultOf([[{ key: 4n, score: 9 }]]);
  const expected = [
    [
      [4n, 9],
      [1n, 3],
      [2n, 2],
    ],
  ];
  assert.deepEqual(answers([many, few], 1, 0, 3), expected);
  assert.deepEqual(answers([few, many], 1, 0, 3), expected);
});

test('no hits at all is an empty list for every query', () => {
  assert.deepEqual(answers([resultOf([[], []]), resultOf([[], []])], 2, 0, 10), [[], []]);
});

test('equal scores come by key, whatever node they are from', () => {
  const a = resultOf([[{ key: 7n, score: 1 }]]);
  const b = resultOf([[{ key: 5n, score: 1 }]]);
  assert.deepEqual(answers([a, b], 1, 0, 2), [
    [
      [5n, 1],
      [7n, 1],
    ],
  ]);
});

test('merging equals sorting everything, over random lists', () => {
  const seed = 20261123;
  const random = new SeededRandom(seed);
  for (let round = 0; round < 300; round++) {
    const queries = 1 + random.below(3);
    const offset = random.below(4);
    const limit = 1 + random.below(12);
    const nodes = Array.from({ length: 1 + random.below(4) }, () =>
      Array.from({ length: queries }, () => sortedHits(random, offset + limit)),
    );
    const expected = Array.from({ length: queries }, (_, query) =>
      naive(nodes.map((lists) => lists[query]!))
        .slice(offset, offset + limit)
        .map(({ key, score }) => [key, score]),
    );
    assert.deepEqual(
      answers(nodes.map(resultOf), queries, offset, limit),
      expected,
      `seed ${seed}, round ${round}`,
    );
  }
});

/** At most `max` hits, best first, without a key twice: what one node answers. */
function sortedHits(random: Random, max: number): readonly Hit[] {
  const hits = Array.from({ length: random.below(max + 1) }, () => ({
    key: BigInt(random.below(40)),
    score: random.below(10),
  }));
  return naive([hits]).slice(0, max);
}

function naive(lists: readonly (readonly Hit[])[]): readonly Hit[] {
  const sorted = lists.flat().sort((a, b) => b.score - a.score || Number(a.key - b.key));
  return sorted.filter((hit, index) => sorted.findIndex((other) => other.key === hit.key) === index);
}
