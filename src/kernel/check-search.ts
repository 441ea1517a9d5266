import { bitmapBytes } from '../columns/bitmap.ts';
import { MishardsError } from '../errors/index.ts';
import { assert } from '../util/assert.ts';
import { searchParameters } from './index-types.ts';
import type { Bm25, KernelSearch, SearchSource } from './kernel.ts';
import { readParameters } from './parameters.ts';
import { countVectors, metricsOf, shapeDefect, vectorsDefect } from './vectors.ts';

const K_MAX = 16_384;
/** Entries of one answer: 12 bytes each, so at most 1.5 GiB. */
const HITS_MAX = 2 ** 27;
const PRIORITY_MAX = 2 ** 30;

/** The numbers of a search that a kernel needs beside the request itself. */
export interface CheckedSearch {
  /** Every search parameter there is. */
  readonly params: Readonly<Record<string, number>>;
  readonly scoreAbove: number | null;
  readonly scoreUpTo: number | null;
  readonly priority: number;
  readonly timeoutMs: number | null;
}

/** Throws `PARAMETER_INVALID` for values of the request, asserts what only a defect breaks. */
export function checkSearch(search: KernelSearch): CheckedSearch {
  checkShape(search);
  checkQueries(search);
  checkMetric(search);
  const params = readParameters(search.params, searchParameters(search.k), 'PARAMETER_INVALID');
  search.sources.forEach((source, index) => checkSource(search, source, index));
  return {
    params,
    scoreAbove: readBound('scoreAbove', search.scoreAbove),
    scoreUpTo: readBound('scoreUpTo', search.scoreUpTo),
    priority: readPriority(search.priority ?? 0),
    timeoutMs: readTimeout(search.timeoutMs),
  };
}

function checkShape(search: KernelSearch): void {
  const { k, queryCount } = search;
  if (!Number.isInteger(k) || k < 1 || k > K_MAX) {
    throw invalid(`k is ${k}; it must be a whole number in [1, ${K_MAX}]`);
  }
  assert(Number.isInteger(queryCount) && queryCount >= 0, `queryCount ${queryCount} is not a count`);
  if (queryCount * k > HITS_MAX) {
    throw new MishardsError(
      'PARAMETER_TOO_LARGE',
      `${queryCount} queries of ${k} hits are more than ${HITS_MAX} hits; send fewer queries at once`,
    );
  }
}

function checkQueries(search: KernelSearch): void {
  const { queries, queryCount } = search;
  const defect = shapeDefect(search) ?? vectorsDefect(search, queries);
  if (defect !== null) throw invalid(`the queries cannot be used: ${defect}`);
  const count = countVectors(search, queries);
  if (count !== queryCount) throw invalid(`${count} queries are given where ${queryCount} are announced`);
}

function checkMetric({ format, metric, bm25 }: KernelSearch): void {
  const known = metricsOf(format);
  if (!known.includes(metric)) {
    throw invalid(`metric ${metric} does not fit ${format} vectors; use one of ${known.join(', ')}`);
  }
  if (metric === 'BM25') return checkBm25(bm25);
  if (bm25 !== undefined) throw invalid(`bm25 is given for metric ${metric}; it belongs to BM25`);
}

function checkBm25(bm25: Bm25 | undefined): void {
  if (bm25 === undefined) throw invalid('metric BM25 needs bm25 with k1, b and averageLength');
  const { k1, b, averageLength } = bm25;
  if (!(k1 >= 0 && k1 <= 3)) throw invalid(`bm25 k1 is ${k1}; it must be in [0, 3]`);
  if (!(b >= 0 && b <= 1)) throw invalid(`bm25 b is ${b}; it must be in [0, 1]`);
  if (averageLength > 0 && Number.isFinite(averageLength)) return;
  throw invalid(`bm25 averageLength is ${averageLength}; it must be more than 0`);
}

function checkSource(search: KernelSearch, source: SearchSource, index: number): void {
  const { data, rowCount, allowed } = source;
  const name = `source ${index}`;
  if (data.format !== search.format) {
    throw invalid(`the queries are ${search.format}; ${name} is ${data.format}`);
  }
  if (data.dim !== search.dim) {
    throw invalid(`the queries have dimension ${search.dim}; ${name} has ${data.dim}`);
  }
  if (data.kind === 'index' && data.metric !== search.metric) {
    throw invalid(`the metric is ${search.metric}; ${name} is an index for ${data.metric}`);
  }
  const fits = data.kind === 'block' ? rowCount <= data.rowCount : rowCount === data.rowCount;
  assert(
    Number.isInteger(rowCount) && rowCount >= 0 && fits,
    `${name} has ${data.rowCount} rows, ${rowCount} asked`,
  );
  assert(
    allowed === null || allowed.length >= bitmapBytes(rowCount),
    `the bitmap of ${name} is too short for ${rowCount} rows`,
  );
}

function readBound(name: string, bound: number | null): number | null {
  if (bound === null || !Number.isNaN(bound)) return bound;
  throw invalid(`${name} is not a number; give a score or null`);
}

function readPriority(priority: number): number {
  if (Number.isInteger(priority) && Math.abs(priority) <= PRIORITY_MAX) return priority;
  throw invalid(`priority is ${priority}; it must be a whole number within ${PRIORITY_MAX} of 0`);
}

function readTimeout(timeoutMs: number | undefined): number | null {
  if (timeoutMs === undefined) return null;
  if (timeoutMs >= 0) return Math.min(timeoutMs, Number.MAX_SAFE_INTEGER / 1e6);
  throw invalid(`timeoutMs is ${timeoutMs}; it must be at least 0`);
}

function invalid(message: string): MishardsError {
  return new MishardsError('PARAMETER_INVALID', message);
}
