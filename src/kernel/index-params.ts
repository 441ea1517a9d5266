import { MishardsError } from '../errors/index.ts';
import type { IndexType, KernelMetric, VectorFormat, VectorShape } from './kernel.ts';
import { readIntegers, type Parameters } from './parameters.ts';
import { metricsOf } from './vectors.ts';

const HNSW = {
  degree: { name: 'M', min: 2, max: 2048, fallback: 30 },
  efConstruction: { name: 'efConstruction', min: 1, max: 2 ** 31 - 1, fallback: 360 },
} as const;

const HNSW_FORMATS: readonly VectorFormat[] = ['float32', 'float16', 'bfloat16', 'int8'];

/** Milvus's names, ranges and defaults. Errors: `INDEX_INVALID`. */
export function readHnswParams(params: Parameters): {
  readonly degree: number;
  readonly efConstruction: number;
} {
  return readIntegers(params, HNSW, 'INDEX_INVALID');
}

/** Whether vectors of this format can have such an index. Errors: `INDEX_INVALID`. */
export function checkIndexMetric(type: IndexType, metric: KernelMetric, { format }: VectorShape): void {
  const metrics = HNSW_FORMATS.includes(format) ? metricsOf(format) : [];
  if (metrics.includes(metric)) return;
  const cure = metrics.length > 0 ? `use one of ${metrics.join(', ')}` : 'build an index made for them';
  throw new MishardsError(
    'INDEX_INVALID',
    `${type} indexes do not take ${format} vectors with metric ${metric}; ${cure}`,
  );
}
