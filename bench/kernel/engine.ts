import { recallOf } from './curve.ts';
import type { DataSet } from './data-set.ts';

/** What every engine of this bench gets. Searches run on one thread. */
export interface Task {
  readonly data: DataSet;
  readonly rowCount: number;
  readonly queryCount: number;
  readonly k: number;
  readonly M: number;
  readonly efConstruction: number;
  /** Lists of inverted-file indexes. */
  readonly nlist: number;
  readonly buildThreads: number;
  readonly seed: number;
  /** The best of so many runs over all queries counts; a slow point gets fewer. */
  readonly rounds: number;
  /** Ascending; an engine stops after the first that reaches `recallMax`. */
  readonly efs: readonly number[];
  /** As `efs`, for inverted-file indexes. */
  readonly nprobes: readonly number[];
  readonly recallMax: number;
  /** Exact hits of each query. */
  readonly truth: readonly Uint32Array[];
  /** For files that may be thrown away. */
  readonly directory: string;
}

export interface SearchRun {
  /** The value of `ef` or `nprobe`. */
  readonly effort: number;
  /** For all queries. */
  readonly seconds: number;
  /** Found rows of each query. */
  readonly rows: readonly ArrayLike<number>[];
}

export interface EngineRun {
  readonly buildSeconds: number;
  /** Of the index with what it needs of the vectors, as saved. */
  readonly sizeBytes: number;
  readonly searches: readonly SearchRun[];
}

/** Builds over the task's vectors and searches with each effort. Throws when the engine cannot be had on this machine. */
export type Engine = (task: Task) => Promise<EngineRun>;

/** Rounds end after so many seconds in all, but never before the first. */
export const POINT_SECONDS_MAX = 4;

export const secondsSince = (start: number): number => (performance.now() - start) / 1000;

/** The least seconds of `rounds` runs, and what the last one gave. */
export async function best<T>(
  rounds: number,
  run: () => T | Promise<T>,
): Promise<{ seconds: number; value: T }> {
  const begin = performance.now();
  let value = await run();
  let seconds = secondsSince(begin);
  for (let round = 1; round < rounds && secondsSince(begin) < POINT_SECONDS_MAX; round++) {
    const start = performance.now();
    value = await run();
    seconds = Math.min(seconds, secondsSince(start));
  }
  return { seconds, value };
}

/** Measures `search` with each effort, ascending, until the recall is `recallMax`. */
export async function sweep<T>(
  task: Task,
  efforts: readonly number[],
  search: (effort: number) => T | Promise<T>,
  rowsOf: (value: T) => readonly ArrayLike<number>[],
): Promise<SearchRun[]> {
  const runs: SearchRun[] = [];
  for (const effort of efforts) {
    const { seconds, value } = await best(task.rounds, () => search(effort));
    const rows = rowsOf(value);
    runs.push({ effort, seconds, rows });
    if (recallOf(rows, task.truth) >= task.recallMax) break;
  }
  return runs;
}

/** Rows `[begin, end)` of row-major values. */
export function rowsBetween(values: Float32Array, dim: number, begin: number, end: number): Float32Array {
  return values.subarray(begin * dim, end * dim);
}

/** For engines that know no cosine: the inner product of vectors of length 1 orders the same. */
export function forInnerProduct({ metric, dim, vectors, queries }: DataSet): {
  readonly vectors: Float32Array<ArrayBuffer>;
  readonly queries: Float32Array<ArrayBuffer>;
} {
  return metric === 'COSINE'
    ? { vectors: unit(vectors, dim), queries: unit(queries, dim) }
    : { vectors, queries };
}

function unit(values: Float32Array, dim: number): Float32Array<ArrayBuffer> {
  const result = new Float32Array(values.length);
  for (let start = 0; start < values.length; start += dim) {
    let sum = 0;
    for (let i = start; i < start + dim; i++) sum += values[i]! ** 2;
    const length = Math.sqrt(sum) || 1;
    for (let i = start; i < start + dim; i++) result[i] = values[i]! / length;
  }
  return result;
}
