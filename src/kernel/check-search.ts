import { bitmapBytes } from '../columns/bitmap.ts';
import { MishardsError } from '../errors/index.ts';
import { assert } from '../util/assert.ts';
import type { KernelSearch, SearchSource } from './kernel.ts';
import { readIntegers } from './parameters.ts';

const K_MAX = 16_384;
/** Milvus's bound of `ef`. */
const EF_MAX = 32_768;
const EF_DEFAULT = 64;
/** Entries of one answer: 12 bytes each, so at most 1.5 GiB. */
const HITS_MAX = 2 ** 27;
const PRIORITY_MAX = 2 ** 30;

/** The numbers of a search that a kernel needs beside the request itself. */
export interface CheckedSearch {
  readonly ef: number;
  readonly scoreAbove: number | null;
  readonly scoreUpTo: number | null;
  readonly priority: number;
  readonly timeoutMs: number | null;
}

/** Throws `PARAMETER_INVALID` for values of the request, asserts what only a defect breaks. */
export function checkSearch(search: KernelSearch): CheckedSearch {
  checkShape(search);
  const { ef } = readIntegers(
    search.params,
    { ef: { name: 'ef', min: search.k, max: EF_MAX, fallback: Math.max(EF_DEFAULT, search.k) } },
    'PARAMETER_INVALID',
  );
  search.sources.forEach((source, index) => checkSource(search, source, index));
  return {
    ef,
    scoreAbove: readBound('scoreAbove', search.scoreAbove),
    scoreUpTo: readBound('scoreUpTo', search.scoreUpTo),
    priority: readPriority(search.priority ?? 0),
    timeoutMs: readTimeout(search.timeoutMs),
  };
}

function checkShape(search: KernelSearch): void {
  const { k, queryCount, queries, dim } = search;
  if (!Number.isInteger(k) || k < 1 || k > K_MAX) {
    throw invalid(`k is ${k}; it must be a whole number in [1, ${K_MAX}]`);
  }
  assert(Number.isInteger(queryCount) && queryCount >= 0, `queryCount ${queryCount} is not a count`);
  if (queries.length !== queryCount * dim) {
    throw invalid(
      `the queries have ${queries.length} values; ${queryCount} of dimension ${dim} have ${queryCount * dim}`,
    );
  }
  if (queryCount * k > HITS_MAX) {
    throw new MishardsError(
      'PARAMETER_TOO_LARGE',
      `${queryCount} queries of ${k} hits are more than ${HITS_MAX} hits; send fewer queries at once`,
    );
  }
}

function checkSource(search: KernelSearch, source: SearchSource, index: number): void {
  const { data, rowCount, allowed } = source;
  const name = `source ${index}`;
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
