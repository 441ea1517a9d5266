import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mergeRanked } from './merge-ranked.ts';
import type { HybridSearchCommand, SearchAnswer, SearchCommand } from '../proxy-core.ts';
import type { Ranking } from '../ranking.ts';
import { columnFromValues, keysFromValues, valuesOf } from '../../columns/index.ts';
import type { Metric } from '../../schema/index.ts';
import { floatVectors } from '../../../test/support/vectors.ts';

type Hit = readonly [key: bigint, score: number];

/** Lists of hits, one a query; each row has its key, negated, as its field 7. */
function answerOf(...lists: readonly (readonly Hit[])[]): SearchAnswer {
  const hits = lists.flat();
  const keys = hits.map(([key]) => key);
  const field = { type: 'Int64', elementType: null, dim: null } as const;
  return {
    counts: Uint32Array.from(lists, ({ length }) => length),
    scores: Float32Array.from(hits, ([, score]) => score),
    keys: keysFromValues('Int64', keys),
    rows: {
      rowCount: hits.length,
      columns: new Map([
        [
          7,
          columnFromValues(
            field,
            keys.map((key) => -key),
          ),
        ],
      ]),
    },
  };
}

function commandOf(
  metrics: readonly Metric[],
  ranking: Ranking,
  { limit = 10, offset = 0, queryCount = 1 } = {},
): HybridSearchCommand {
  const queries = floatVectors(1, new Float32Array(queryCount));
  const searches = metrics.map((metric) => ({ metric, queries }) as SearchCommand);
  return { searches, ranking, limit, offset };
}

function hitsOf({ keys, scores, rows }: SearchAnswer): [bigint, number][] {
  assert.deepEqual(
    valuesOf(rows.columns.get(7)!),
    (valuesOf(keys) as bigint[]).map((key) => -key),
  );
  return (valuesOf(keys) as bigint[]).map((key, row) => [key, scores[row]!]);
}

const RRF = { kind: 'rrf', k: 60 } as const;
const float = Math.fround;

test('ranks add up to their reciprocals, ties go by key', () => {
  const first = answerOf([
    [1n, 9],
    [2n, 8],
    [3n, 7],
  ]);
  const second = answerOf([
    [3n, 0.9],
    [5n, 0.8],
    [1n, 0.7],
    [4n, 0.6],
  ]);
  const merged = mergeRanked([first, second], commandOf(['IP', 'COSINE'], RRF));
  const both = float(float(1 / 61) + float(1 / 63));
  assert.deepEqual(hitsOf(merged), [
    [1n, both],
    [3n, both],
    [2n, float(1 / 62)],
    [5n, float(1 / 62)],
    [4n, float(1 / 64)],
  ]);
  assert.deepEqual([...merged.counts], [5]);
});

test('each query has its own list, of which offset and limit cut a piece', () => {
  const first = answerOf(
    [
      [1n, 3],
      [2n, 2],
    ],
    [],
    [[9n, 1]],
  );
  const second = answerOf([[2n, 5]], [[4n, 1]], []);
  const command = commandOf(['IP', 'IP'], { kind: 'rrf', k: 1 }, { queryCount: 3 });
  const all = mergeRanked([first, second], command);
  assert.deepEqual([...all.counts], [2, 1, 1]);
  assert.deepEqual(
    hitsOf(all).map(([key]) => key),
    [2n, 1n, 4n, 9n],
  );
  const piece = mergeRanked([first, second], { ...command, offset: 1, limit: 1 });
  assert.deepEqual([...piece.counts], [1, 0, 0]);
  assert.deepEqual(hitsOf(piece), [[1n, 0.5]]);
});

test('nothing found is an answer too', () => {
  const merged = mergeRanked([answerOf([]), answerOf([])], commandOf(['IP', 'L2'], RRF));
  assert.deepEqual(hitsOf(merged), []);
  assert.deepEqual([...merged.counts], [0]);
});

test('normalized scores are on a scale from 0 to 1, whatever the metric', () => {
  const ranking = { kind: 'weighted', weights: [0.5, 0.25, 1], isNormalized: true } as const;
  const merged = mergeRanked(
    [answerOf([[1n, 0.5]]), answerOf([[1n, 1]]), answerOf([[1n, -1]])],
    commandOf(['COSINE', 'IP', 'L2'], ranking),
  );
  const [[, score]] = hitsOf(merged) as [[bigint, number]];
  assert.ok(Math.abs(score - (0.5 * 0.75 + 0.25 * 0.75 + 1 * 0.5)) < 1e-6, `${score}`);
});

test('scores of one direction are taken as they are: similarities, or minus distances', () => {
  const ranking = { kind: 'weighted', weights: [0.5, 1], isNormalized: false } as const;
  const similar = mergeRanked(
    [answerOf([[1n, 8]]), answerOf([[2n, 3]])],
    commandOf(['IP', 'COSINE'], ranking),
  );
  assert.deepEqual(hitsOf(similar), [
    [1n, 4],
    [2n, 3],
  ]);
  const far = mergeRanked(
    [answerOf([[1n, -8]]), answerOf([[2n, -3]])],
    commandOf(['L2', 'HAMMING'], ranking),
  );
  assert.deepEqual(hitsOf(far), [
    [2n, -3],
    [1n, -4],
  ]);
});

test('distances beside similarities are turned round', () => {
  const ranking = { kind: 'weighted', weights: [1, 1], isNormalized: false } as const;
  const merged = mergeRanked(
    [answerOf([[1n, 0.25]]), answerOf([[2n, -1]])],
    commandOf(['IP', 'L2'], ranking),
  );
  assert.deepEqual(hitsOf(merged), [
    [2n, 0.5],
    [1n, 0.25],
  ]);
});
