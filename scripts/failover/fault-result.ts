/** What one kind of fault did, over all its rounds. */
export interface FaultResult {
  readonly fault: string;
  readonly times: number;
  readonly figures: Readonly<Record<string, unknown>>;
  /** Nothing that must not be. */
  readonly isGood: boolean;
  /** What must not be, in figures. */
  readonly lost: string;
  /** What the fault costs. */
  readonly cost: string;
}

export function tableOf(results: readonly FaultResult[]): string {
  return [
    '| fault | times | lost | cost |',
    '|---|---:|---|---|',
    ...results.map(({ fault, times, lost, cost }) => `| ${fault} | ${times} | ${lost} | ${cost} |`),
  ].join('\n');
}

/** Whole number; the upper one of two middles. */
export function median(values: readonly number[]): number {
  return Math.round(values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!);
}

export function maximum(values: readonly number[]): number {
  return Math.round(Math.max(...values));
}
