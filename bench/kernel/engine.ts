/** What every engine of this bench gets: unit vectors, inner product, one thread for searching. */
export interface Task {
  readonly dim: number;
  readonly vectors: Float32Array<ArrayBuffer>;
  readonly queries: Float32Array<ArrayBuffer>;
  readonly k: number;
  readonly M: number;
  readonly efConstruction: number;
  readonly buildThreads: number;
  readonly seed: number;
  /** The best of so many runs over all queries counts. */
  readonly rounds: number;
  readonly efs: readonly number[];
  /** For files that may be thrown away. */
  readonly directory: string;
}

export interface SearchRun {
  readonly ef: number;
  /** For all queries. */
  readonly seconds: number;
  /** Found rows of each query. */
  readonly rows: readonly ArrayLike<number>[];
}

export interface EngineRun {
  readonly buildSeconds: number;
  readonly searches: readonly SearchRun[];
}

/** Builds over the task's vectors and searches with each ef. Throws when the engine cannot be had on this machine. */
export type Engine = (task: Task) => Promise<EngineRun>;

export const secondsSince = (start: number): number => (performance.now() - start) / 1000;

/** The least seconds of `rounds` runs, and what the last one gave. */
export async function best<T>(
  rounds: number,
  run: () => T | Promise<T>,
): Promise<{ seconds: number; value: T }> {
  let start = performance.now();
  let value = await run();
  let seconds = secondsSince(start);
  for (let round = 1; round < rounds; round++) {
    start = performance.now();
    value = await run();
    seconds = Math.min(seconds, secondsSince(start));
  }
  return { seconds, value };
}
