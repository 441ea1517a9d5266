import { MishardsError } from '../../errors/index.ts';
import { isDistance, type Metric } from '../../schema/index.ts';

/** Bounds of a range search in our terms, where greater is closer whatever the metric. */
export interface ScoreRange {
  readonly scoreAbove: number | null;
  readonly scoreUpTo: number | null;
}

/**
 * Milvus's range search: for distances `range_filter <= distance < radius`, else `radius < score <= range_filter`.
 * `range_filter` has no meaning without `radius`.
 */
export function scoreRange(metric: Metric, radius: number | null, rangeFilter: number | null): ScoreRange {
  if (radius === null) {
    if (rangeFilter === null) return { scoreAbove: null, scoreUpTo: null };
    throw new MishardsError('PARAMETER_INVALID', 'range_filter needs radius; give both or neither');
  }
  if (isDistance(metric)) {
    if (rangeFilter !== null && rangeFilter >= radius) {
      throw new MishardsError(
        'PARAMETER_INVALID',
        `metric type ${metric}, range_filter(${rangeFilter}) should be less than radius(${radius})`,
      );
    }
    return { scoreAbove: -radius, scoreUpTo: rangeFilter === null ? null : -rangeFilter };
  }
  if (rangeFilter !== null && rangeFilter <= radius) {
    throw new MishardsError(
      'PARAMETER_INVALID',
      `metric type ${metric}, range_filter(${rangeFilter}) should be larger than radius(${radius})`,
    );
  }
  return { scoreAbove: radius, scoreUpTo: rangeFilter };
}

/** Our scores as Milvus shows them: distances as such, L2 squared; rounded where the client wants it. */
export function scoresToWire(
  scores: Float32Array,
  areDistances: boolean,
  roundDecimal: number,
): Float32Array {
  if (!areDistances && roundDecimal === -1) return scores;
  const factor = 10 ** Math.max(roundDecimal, 0);
  const sign = areDistances ? -1 : 1;
  return scores.map((score) => {
    const value = sign * score;
    // Adding zero turns -0 into 0.
    return (roundDecimal === -1 ? value : Math.round(value * factor) / factor) + 0;
  });
}
