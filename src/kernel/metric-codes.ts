import { KERNEL_METRICS, VECTOR_FORMATS, type KernelMetric, type VectorFormat } from './kernel.ts';

/** A metric's place in the list is its number in the addon and in index files; see `native/src/source.h`. */
export function metricCode(metric: KernelMetric): number {
  return KERNEL_METRICS.indexOf(metric);
}

export function metricOfCode(code: number): KernelMetric {
  const metric = KERNEL_METRICS[code];
  if (metric === undefined) throw new RangeError(`no metric has the code ${code}`);
  return metric;
}

/** As with metrics. */
export function formatCode(format: VectorFormat): number {
  return VECTOR_FORMATS.indexOf(format);
}

export function formatOfCode(code: number): VectorFormat {
  const format = VECTOR_FORMATS[code];
  if (format === undefined) throw new RangeError(`no vector format has the code ${code}`);
  return format;
}
