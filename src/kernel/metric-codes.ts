import type { Metric } from '../schema/index.ts';

/** Numbers of the metrics in the addon and in index files; see `native/src/source.h`. */
const CODES = { L2: 0, IP: 1, COSINE: 2 } as const satisfies Record<Metric, number>;
const METRICS_BY_CODE = ['L2', 'IP', 'COSINE'] as const satisfies readonly Metric[];

export function metricCode(metric: Metric): number {
  return CODES[metric];
}

export function metricOfCode(code: number): Metric {
  const metric = METRICS_BY_CODE[code];
  if (metric === undefined) throw new RangeError(`no metric has the code ${code}`);
  return metric;
}
