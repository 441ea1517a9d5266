import { join } from 'node:path';
import type { VectorColumn } from '../../src/columns/index.ts';
import type { Random } from '../../src/host/index.ts';
import type {
  Kernel,
  KernelHits,
  KernelMetric,
  KernelSearch,
  SearchSource,
  VectorFile,
  VectorShape,
  VectorValues,
} from '../../src/kernel/index.ts';
import { countVectors } from '../../src/kernel/index.ts';

/** Normal-ish values: the sum of four uniform ones. */
export function gaussian(random: Random): number {
  return (random.next() + random.next() + random.next() + random.next() - 2) * Math.sqrt(3);
}

export function randomVectors(random: Random, rowCount: number, dim: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: rowCount * dim }, () => gaussian(random));
}

/** Rows around random centres, as embeddings are: near neighbours exist and neighbourhoods overlap. */
export function clusteredVectors(
  random: Random,
  rowCount: number,
  dim: number,
  clusters = 50,
): Float32Array<ArrayBuffer> {
  const centres = randomVectors(random, clusters, dim);
  const vectors = new Float32Array(rowCount * dim);
  for (let row = 0; row < rowCount; row++) {
    const centre = random.below(clusters) * dim;
    for (let i = 0; i < dim; i++) vectors[row * dim + i] = centres[centre + i]! + 0.6 * gaussian(random);
  }
  return vectors;
}

/** The score of a row by the contract's definition, in doubles. */
export function exactScore(metric: KernelMetric, query: ArrayLike<number>, row: ArrayLike<number>): number {
  let product = 0;
  let distance = 0;
  let queryNorm = 0;
  let rowNorm = 0;
  for (let i = 0; i < row.length; i++) {
    product += query[i]! * row[i]!;
    distance += (query[i]! - row[i]!) ** 2;
    queryNorm += query[i]! ** 2;
    rowNorm += row[i]! ** 2;
  }
  if (metric === 'L2') return 0 - distance;
  if (metric === 'IP') return product;
  if (metric !== 'COSINE') throw new RangeError(`dense vectors have no metric ${metric}`);
  const lengths = Math.sqrt(queryNorm) * Math.sqrt(rowNorm);
  return lengths === 0 ? 0 : product / lengths;
}

export const wholeSource = (data: SearchSource['data'], allowed: Uint8Array | null = null): SearchSource => ({
  data,
  rowCount: data.rowCount,
  allowed,
});

/** A search with every option at its plain value; of float32 vectors unless it says otherwise. */
export function searchOf(
  fields: Pick<KernelSearch, 'sources' | 'queries' | 'dim'> & Partial<KernelSearch>,
): KernelSearch {
  const shape = { format: fields.format ?? 'float32', dim: fields.dim };
  return {
    format: shape.format,
    metric: 'L2',
    queryCount: countVectors(shape, fields.queries),
    k: 10,
    params: {},
    scoreAbove: null,
    scoreUpTo: null,
    ...fields,
  };
}

/** `source:row` of each hit of one query, best first. */
export function hitKeys(hits: KernelHits, query: number): string[] {
  const start = query * hits.k;
  return Array.from(
    { length: hits.counts[query]! },
    (_, j) => `${hits.sources[start + j]}:${hits.rows[start + j]}`,
  );
}

/** Share of the hits of `truth` that `found` has too. */
export function recallOf(found: KernelHits, truth: KernelHits): number {
  let wanted = 0;
  let got = 0;
  for (let query = 0; query < truth.counts.length; query++) {
    const keys = new Set(hitKeys(found, query));
    for (const key of hitKeys(truth, query)) {
      wanted++;
      if (keys.has(key)) got++;
    }
  }
  return wanted === 0 ? 1 : got / wanted;
}

export async function writeAndOpen(
  kernel: Kernel,
  directory: string,
  vectors: VectorValues,
  dim: number,
  name = 'vectors',
  format: VectorShape['format'] = 'float32',
): Promise<VectorFile> {
  const path = join(directory, name);
  await kernel.writeVectors({ path, format, dim, vectors });
  return kernel.openVectors(path);
}

/** A column of rows of `dim` values. */
export function floatVectors(dim: number, values: ArrayLike<number>): VectorColumn {
  return {
    type: 'FloatVector',
    dim,
    values: Float32Array.from(values),
    length: values.length / dim,
    validity: null,
  };
}
