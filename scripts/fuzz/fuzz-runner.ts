import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

export interface FuzzTask {
  readonly name: string;
  readonly runs: number;
  readonly seed: number;
  /** Number of the first run: a finding repeats with the same seed from its number on. */
  readonly first: number;
  /** Run under way; shared with the worker. */
  readonly progress: Float64Array;
}

export interface Finding {
  readonly run: number;
  readonly problem: string;
  /** Base 64. */
  readonly input: string;
}

export interface FuzzResult {
  readonly target: string;
  readonly runs: number;
  readonly seed: number;
  readonly inputsPerSecond: number;
  /** Inputs refused with an error of ours; the others were taken. */
  readonly refused: number;
  readonly findings: readonly Finding[];
}

/** No run may take this long: every reader is linear in its small input. */
const HANG_MS = 20_000;
const WATCH_MS = 1_000;

/** Runs a target on a thread of its own. A hang, or the end of the thread, is a finding like any other. */
export async function fuzz(task: Omit<FuzzTask, 'progress'>): Promise<FuzzResult> {
  const progress = new Float64Array(new SharedArrayBuffer(8)).fill(task.first);
  const workerData: FuzzTask = { ...task, progress };
  const worker = new Worker(new URL('fuzz-worker.ts', import.meta.url), { workerData });
  const startMs = performance.now();
  let [seen, seenMs] = [progress[0], startMs];
  const stuck = Promise.withResolvers<string>();
  const watch = setInterval(() => {
    if (progress[0] !== seen) [seen, seenMs] = [progress[0], performance.now()];
    else if (performance.now() - seenMs > HANG_MS) stuck.resolve(`hangs for ${HANG_MS} ms`);
  }, WATCH_MS);
  type Report = Pick<FuzzResult, 'refused' | 'findings'>;
  const broken = (problem: string): Report => ({
    refused: 0,
    findings: [{ run: progress[0]!, problem, input: '' }],
  });
  try {
    const report = await Promise.race([
      once(worker, 'message').then(([message]) => message as Report),
      once(worker, 'exit').then(([code]) => broken(`ended the thread with code ${code}`)),
      stuck.promise.then(broken),
    ]).catch((error: Error) => broken(error.stack ?? error.message));
    const done = progress[0]! - task.first + 1;
    const { name: target, seed } = task;
    const inputsPerSecond = Math.round((done / (performance.now() - startMs)) * 1_000);
    return { target, runs: done, seed, inputsPerSecond, ...report };
  } finally {
    clearInterval(watch);
    await worker.terminate();
  }
}
