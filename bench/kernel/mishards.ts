import { join } from 'node:path';
import { createKernel, type Kernel, type KernelHits, type SearchSource } from '../../src/kernel/index.ts';
import { best, secondsSince, type EngineRun, type SearchRun, type Task } from './engine.ts';

export interface MishardsRun extends EngineRun {
  readonly truth: readonly ArrayLike<number>[];
  readonly instructionSet: string;
  /** Of the loaded index, without its vectors. */
  readonly indexBytes: number;
  readonly peakBytes: number;
  readonly filtered: readonly FilteredRun[];
}

export interface FilteredRun {
  readonly share: number;
  readonly ef: number;
  readonly seconds: number;
  readonly rows: readonly ArrayLike<number>[];
  readonly truth: readonly ArrayLike<number>[];
}

/** Our kernel: builds with the task's threads, searches with one. Exact hits come from the FLAT search of the same file. */
export async function runMishards(task: Task, shares: readonly number[]): Promise<MishardsRun> {
  const { dim, vectors } = task;
  const path = (name: string) => join(task.directory, name);
  await using builder = createKernel({ threads: task.buildThreads, queueMax: 1 });
  await builder.writeVectors({ path: path('vectors'), format: 'float32', dim, vectors });
  using file = await builder.openVectors(path('vectors'));
  const start = performance.now();
  const report = await builder.buildIndex({
    type: 'HNSW',
    metric: 'IP',
    vectors: file,
    path: path('index'),
    params: { M: task.M, efConstruction: task.efConstruction },
    seed: task.seed,
    threads: task.buildThreads,
  });
  const buildSeconds = secondsSince(start);
  await using kernel = createKernel({ threads: 1, queueMax: 1 });
  using index = await kernel.openIndex(path('index'), file);
  const whole = (data: SearchSource['data'], allowed: Uint8Array | null = null): SearchSource => ({
    data,
    rowCount: data.rowCount,
    allowed,
  });
  const truth = rowsOf(await search(kernel, task, whole(file), {}));
  const searches: SearchRun[] = [];
  for (const ef of task.efs) {
    const { seconds, value } = await best(task.rounds, () => search(kernel, task, whole(index), { ef }));
    searches.push({ ef, seconds, rows: rowsOf(value) });
  }
  const filtered: FilteredRun[] = [];
  for (const share of shares) {
    const allowed = everyNth(vectors.length / dim, share);
    const exact = rowsOf(await search(kernel, task, whole(file, allowed), {}));
    for (const ef of task.efs) {
      const { seconds, value } = await best(task.rounds, () =>
        search(kernel, task, whole(index, allowed), { ef }),
      );
      filtered.push({ share, ef, seconds, rows: rowsOf(value), truth: exact });
    }
  }
  const { instructionSet } = kernel.info;
  return {
    buildSeconds,
    searches,
    truth,
    instructionSet,
    indexBytes: index.sizeBytes,
    peakBytes: report.peakBytes,
    filtered,
  };
}

function search(
  kernel: Kernel,
  task: Task,
  source: SearchSource,
  params: { ef?: number },
): Promise<KernelHits> {
  return kernel.search({
    sources: [source],
    metric: 'IP',
    format: 'float32',
    dim: task.dim,
    queries: task.queries,
    queryCount: task.queries.length / task.dim,
    k: task.k,
    params,
    scoreAbove: null,
    scoreUpTo: null,
  });
}

/** The rows are in random order, so every n-th of them is a random filter. */
function everyNth(rowCount: number, share: number): Uint8Array {
  const bitmap = new Uint8Array((rowCount + 7) >>> 3);
  for (let row = 0; row < rowCount; row++) {
    if (Math.floor((row + 1) * share) > Math.floor(row * share)) bitmap[row >>> 3]! |= 1 << (row & 7);
  }
  return bitmap;
}

function rowsOf(hits: KernelHits): Uint32Array[] {
  return Array.from(hits.counts, (count, query) => hits.rows.slice(query * hits.k, query * hits.k + count));
}
