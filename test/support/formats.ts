import type { Random } from '../../src/host/index.ts';
import {
  isSparse,
  newDenseValues,
  type Bm25,
  type KernelMetric,
  type SparseValues,
  type VectorFormat,
  type VectorShape,
  type VectorValues,
} from '../../src/kernel/index.ts';
import { exactScore, gaussian } from './vectors.ts';

/** A row as the contract describes it, whatever its layout: values by dimension. Bits of binary rows are 0 and 1. */
export type Row = ReadonlyMap<number, number>;

export const shapeOf = (format: VectorFormat, dim: number): VectorShape => ({
  format,
  dim: format === 'sparse' ? 0 : format === 'binary' ? 8 * dim : dim,
});

/** Random rows: for sparse ones few dimensions, among them the largest, and whole numbers from 1 as frequencies are. */
export function randomValues(random: Random, shape: VectorShape, rowCount: number): VectorValues {
  if (shape.format === 'sparse') return randomSparse(random, rowCount);
  const out = newDenseValues(shape, rowCount);
  for (let index = 0; index < out.length; index++) {
    if (shape.format === 'binary') out[index] = random.below(256);
    else if (shape.format === 'int8') out[index] = random.below(256) - 128;
    else out[index] = encodeFloat(shape.format, gaussian(random));
  }
  return out;
}

/** What stands in the array for a float value, rounded to the format. */
export function encodeFloat(format: VectorFormat, value: number): number {
  if (format === 'float16') return new Uint16Array(Float16Array.of(value).buffer)[0]!;
  if (format === 'bfloat16') return new Uint16Array(Float32Array.of(value).buffer)[1]!;
  return value;
}

function decodeFloat(format: VectorFormat, bits: number): number {
  if (format === 'float16') return new Float16Array(Uint16Array.of(bits).buffer)[0]!;
  if (format === 'bfloat16') return new Float32Array(Uint16Array.of(0, bits).buffer)[0]!;
  return bits;
}

function randomSparse(random: Random, rowCount: number): SparseValues {
  const rows = Array.from({ length: rowCount }, () => {
    const picked = new Set(Array.from({ length: random.below(12) }, () => random.below(60)));
    const indices = [...picked].sort((a, b) => a - b);
    if (random.below(4) === 0) indices.push(0xffff_fffe);
    return new Map(indices.map((index) => [index, 1 + random.below(9)]));
  });
  return sparseOf(rows);
}

export function sparseOf(rows: readonly Row[]): SparseValues {
  const offsets = new Uint32Array(rows.length + 1);
  rows.forEach((row, index) => (offsets[index + 1] = offsets[index]! + row.size));
  return {
    offsets,
    indices: Uint32Array.from(rows.flatMap((row) => [...row.keys()])),
    values: Float32Array.from(rows.flatMap((row) => [...row.values()])),
  };
}

export function rowsOf(shape: VectorShape, values: VectorValues): Row[] {
  if (isSparse(values)) {
    return Array.from(values.offsets.subarray(1), (end, row) => {
      const start = values.offsets[row]!;
      return new Map(
        Array.from({ length: end - start }, (_, at) => [
          values.indices[start + at]!,
          values.values[start + at]!,
        ]),
      );
    });
  }
  const numbers =
    shape.format === 'binary'
      ? Array.from(values).flatMap((byte) => Array.from({ length: 8 }, (_, bit) => (byte >>> bit) & 1))
      : Array.from(values, (value) => decodeFloat(shape.format, value));
  return Array.from(
    { length: numbers.length / shape.dim },
    (_, row) => new Map(numbers.slice(row * shape.dim, (row + 1) * shape.dim).entries()),
  );
}

/** The contract's definition of a score; null for a row that is no hit. */
export function scoreOf(
  metric: KernelMetric,
  query: Row,
  row: Row,
  isSparseFormat: boolean,
  bm25?: Bm25,
): number | null {
  if (isSparseFormat) return sparseScore(metric, query, row, bm25);
  const [a, b] = [[...query.values()], [...row.values()]];
  if (metric !== 'HAMMING' && metric !== 'JACCARD') return exactScore(metric, a, b);
  const count = (test: (left: number, right: number) => boolean): number =>
    a.filter((value, index) => test(value, b[index]!)).length;
  if (metric === 'HAMMING') return 0 - count((left, right) => left !== right);
  const either = count((left, right) => left + right > 0);
  return either === 0 ? -1 : count((left, right) => left + right === 2) / either - 1;
}

function sparseScore(metric: KernelMetric, query: Row, row: Row, bm25: Bm25 | undefined): number | null {
  const length = [...row.values()].reduce((sum, value) => sum + value, 0);
  let score = 0;
  for (const [dimension, weight] of query) {
    const value = row.get(dimension);
    if (value === undefined) continue;
    if (metric === 'IP') score += weight * value;
    else {
      const { k1, b, averageLength } = bm25!;
      const saturation = value + k1 * (1 - b + (b * length) / averageLength);
      score += (weight * value * (k1 + 1)) / saturation;
    }
  }
  return score === 0 ? null : score;
}
