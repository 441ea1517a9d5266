export interface Point {
  readonly recall: number;
  readonly qps: number;
}

export function recallOf(found: readonly ArrayLike<number>[], truth: readonly ArrayLike<number>[]): number {
  let wanted = 0;
  let got = 0;
  truth.forEach((rows, query) => {
    const own = new Set(Array.from(found[query]!));
    wanted += rows.length;
    for (const row of Array.from(rows)) if (own.has(row)) got++;
  });
  return wanted === 0 ? 1 : got / wanted;
}

/**
 * Queries a second at a recall, between the two measured points around it: the logarithm of the rate against the logarithm
 * of the share of missed hits is nearly a line. Undefined outside what was measured.
 */
export function qpsAt(points: readonly Point[], recall: number): number | undefined {
  const sorted = [...points].sort((a, b) => a.recall - b.recall);
  const above = sorted.findIndex((point) => point.recall >= recall);
  if (above <= 0) return undefined;
  const [low, high] = [sorted[above - 1]!, sorted[above]!];
  const weight = (missed(recall) - missed(low.recall)) / (missed(high.recall) - missed(low.recall));
  return Math.exp(Math.log(low.qps) * (1 - weight) + Math.log(high.qps) * weight);
}

/** As `qpsAt`; where even the fastest point has more recall than asked for, its rate. Undefined below the recall. */
export function qpsAtLeast(points: readonly Point[], recall: number): number | undefined {
  const enough = points.filter((point) => point.recall >= recall).map((point) => point.qps);
  if (enough.length === 0) return undefined;
  return Math.max(...enough, qpsAt(points, recall) ?? 0);
}

/** Logarithm of the share of missed hits. */
export function missed(recall: number): number {
  return Math.log(Math.max(1 - recall, 1e-6));
}
