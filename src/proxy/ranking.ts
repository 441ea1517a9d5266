import { isDistance, type Metric } from '../schema/index.ts';

/** How the hits of several searches become one list. */
export type Ranking =
  /** Reciprocal rank fusion: each hit adds 1 / (k + its rank), the first rank being 1. */
  | { readonly kind: 'rrf'; readonly k: number }
  /** Each hit adds its score times the weight of its search; a weight for each search, in [0, 1]. */
  | { readonly kind: 'weighted'; readonly weights: readonly number[]; readonly isNormalized: boolean };

/** Whether the merged scores are sums of distances, which Milvus shows as such. */
export function ranksDistances(ranking: Ranking, metrics: readonly Metric[]): boolean {
  return ranking.kind === 'weighted' && !ranking.isNormalized && metrics.every(isDistance);
}
