import type { HybridSearchCommand, SearchAnswer } from '../proxy-core.ts';
import { ranksDistances, type Ranking } from '../ranking.ts';
import {
  asKeys,
  compareKeys,
  concatColumns,
  concatRows,
  keyAt,
  takeColumn,
  takeRows,
  type KeyValue,
} from '../../columns/index.ts';
import { isDistance, type Metric } from '../../schema/index.ts';

/** What a hit of rank 0, 1, … with this score adds to its key's score; greater is closer. */
type Gain = (rank: number, score: number) => number;

interface RankedKey {
  /** Of the first answer that has the key, when all answers are laid end to end. */
  readonly row: number;
  score: number;
}

/**
 * Merges the hits of several searches, one answer each: the gains of a key add up. Best first, equal scores by key ascending.
 * Scores are 32-bit floats at each step, as Milvus's are.
 */
export function mergeRanked(
  answers: readonly SearchAnswer[],
  { searches, ranking, limit, offset }: HybridSearchCommand,
): SearchAnswer {
  const gains = gainsOf(
    ranking,
    searches.map(({ metric }) => metric),
  );
  const keys = asKeys(concatColumns(answers.map((answer) => answer.keys)));
  const bases = answers.map((_, index) =>
    answers.slice(0, index).reduce((sum, earlier) => sum + earlier.keys.length, 0),
  );
  const heads = answers.map(() => 0);
  const queryCount = searches[0]!.queries.length;
  const counts = new Uint32Array(queryCount);
  const picked: RankedKey[] = [];
  for (let query = 0; query < queryCount; query++) {
    const ranked = new Map<KeyValue, RankedKey>();
    answers.forEach((answer, index) => {
      const start = heads[index]!;
      const count = answer.counts[query]!;
      for (let rank = 0; rank < count; rank++) {
        const row = bases[index]! + start + rank;
        const gain = gains[index]!(rank, answer.scores[start + rank]!);
        const key = keyAt(keys, row);
        const known = ranked.get(key);
        if (known === undefined) ranked.set(key, { row, score: Math.fround(gain) });
        else known.score = Math.fround(known.score + Math.fround(gain));
      }
      heads[index] = start + count;
    });
    const best = [...ranked.values()]
      .sort((a, b) => b.score - a.score || compareKeys(keys, a.row, keys, b.row))
      .slice(offset, offset + limit);
    counts[query] = best.length;
    picked.push(...best);
  }
  const rows = Uint32Array.from(picked, ({ row }) => row);
  return {
    counts,
    scores: Float32Array.from(picked, ({ score }) => score),
    keys: asKeys(takeColumn(keys, rows)),
    rows: takeRows(concatRows(answers.map((answer) => answer.rows)), rows),
  };
}

function gainsOf(ranking: Ranking, metrics: readonly Metric[]): readonly Gain[] {
  // Cormack, Clarke, Büttcher: Reciprocal Rank Fusion outperforms Condorcet …, SIGIR 2009.
  if (ranking.kind === 'rrf') return metrics.map(() => (rank) => 1 / (ranking.k + rank + 1));
  const isPlain = ranksDistances(ranking, metrics) || !metrics.some(isDistance);
  return metrics.map((metric, index) => {
    const weight = ranking.weights[index]!;
    const level = ranking.isNormalized ? normalized(metric) : isPlain ? same : ascending(metric);
    return (_, score) => weight * level(score);
  });
}

const same = (score: number): number => score;
/** Of a score that is minus a distance: 1 where the distance is 0, towards 0 with growing distances. */
const nearness = (score: number): number => 1 + (2 * Math.atan(score)) / Math.PI;

/** Distances and similarities on scales that both ascend. */
function ascending(metric: Metric): (score: number) => number {
  return isDistance(metric) ? nearness : same;
}

/** On a scale from 0 to 1, as Milvus does it. */
function normalized(metric: Metric): (score: number) => number {
  if (isDistance(metric)) return nearness;
  if (metric === 'COSINE') return (score) => (1 + score) / 2;
  return (score) => 0.5 + Math.atan(score) / Math.PI;
}
