import { assert } from '../../util/assert.ts';
import type { Bm25, DenseValues, KernelSearch, SparseValues, VectorFormat, VectorValues } from '../kernel.ts';
import { isSparse, rowWidth } from '../vectors.ts';

/** The score of a row by the contract's definition, rounded once to a float; null for a row that is no hit. */
export type RowScore = (row: number) => number | null;

/** Scores of the rows of one source for query number `query`. */
export function rowScore(search: KernelSearch, query: number, rows: VectorValues): RowScore {
  const { queries } = search;
  if (isSparse(rows)) {
    assert(isSparse(queries), 'sparse rows have sparse queries');
    return sparseScore(search, queries, query, rows);
  }
  assert(!isSparse(queries), 'dense rows have dense queries');
  const width = rowWidth(search);
  const own = queries.subarray(query * width, (query + 1) * width);
  if (search.format === 'binary') return binaryScore(search, own, rows);
  return denseScore(search, numbersOf(search.format, own), numbersOf(search.format, rows));
}

/** The values that an array of a format stands for. */
export function numbersOf(format: VectorFormat, values: DenseValues): ArrayLike<number> {
  if (format === 'float16') return new Float16Array(values.buffer, values.byteOffset, values.length);
  if (format !== 'bfloat16') return values;
  return new Float32Array(Uint32Array.from(values, (bits) => bits << 16).buffer);
}

function denseScore(
  { metric, dim }: KernelSearch,
  query: ArrayLike<number>,
  rows: ArrayLike<number>,
): RowScore {
  return (row) => {
    let product = 0;
    let distance = 0;
    let queryNorm = 0;
    let rowNorm = 0;
    for (let index = 0; index < dim; index++) {
      const a = query[index]!;
      const b = rows[row * dim + index]!;
      product += a * b;
      distance += (a - b) ** 2;
      queryNorm += a * a;
      rowNorm += b * b;
    }
    if (metric === 'L2') return numberOrNull(0 - distance);
    if (metric === 'IP') return numberOrNull(product);
    assert(metric === 'COSINE', `dense vectors have no ${metric}`);
    const isZero = queryNorm === 0 || rowNorm === 0;
    return isZero ? 0 : numberOrNull(product / Math.sqrt(queryNorm * rowNorm));
  };
}

function binaryScore({ metric }: KernelSearch, query: DenseValues, rows: DenseValues): RowScore {
  assert(metric === 'HAMMING' || metric === 'JACCARD', `binary vectors have no ${metric}`);
  const width = query.length;
  return (row) => {
    let different = 0;
    let both = 0;
    let either = 0;
    for (let index = 0; index < width; index++) {
      const a = query[index]!;
      const b = rows[row * width + index]!;
      different += bitCount(a ^ b);
      both += bitCount(a & b);
      either += bitCount(a | b);
    }
    if (metric === 'HAMMING') return 0 - different;
    return either === 0 ? -1 : Math.fround((both - either) / either);
  };
}

function bitCount(byte: number): number {
  let count = 0;
  for (let rest = byte; rest !== 0; rest &= rest - 1) count++;
  return count;
}

function sparseScore(
  { metric, bm25 }: KernelSearch,
  queries: SparseValues,
  query: number,
  rows: SparseValues,
): RowScore {
  const weights = new Map<number, number>();
  for (let at = queries.offsets[query]!; at < queries.offsets[query + 1]!; at++) {
    weights.set(queries.indices[at]!, queries.values[at]!);
  }
  return (row) => {
    const [start, end] = [rows.offsets[row]!, rows.offsets[row + 1]!];
    let length = 0;
    for (let at = start; at < end; at++) length += rows.values[at]!;
    let score = 0;
    for (let at = start; at < end; at++) {
      const weight = weights.get(rows.indices[at]!);
      if (weight === undefined) continue;
      score += weight * (metric === 'BM25' ? saturated(rows.values[at]!, length, bm25) : rows.values[at]!);
    }
    return score === 0 ? null : numberOrNull(score);
  };
}

function saturated(frequency: number, length: number, bm25: Bm25 | undefined): number {
  assert(bm25 !== undefined, 'BM25 comes with its parameters');
  const { k1, b, averageLength } = bm25;
  if (frequency === 0) return 0;
  return (frequency * (k1 + 1)) / (frequency + k1 * (1 - b + (b * length) / averageLength));
}

function numberOrNull(score: number): number | null {
  return Number.isNaN(score) ? null : Math.fround(score);
}
