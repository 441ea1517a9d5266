import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { secondsSince, sweep, type EngineRun, type Task } from '../engine.ts';
import { npmPackage } from './peer-cache.ts';

const METRICS = { L2: 'l2sq', IP: 'ip', COSINE: 'cos' } as const;

interface IndexOptions {
  readonly metric: (typeof METRICS)[keyof typeof METRICS];
  readonly dimensions: number;
  readonly connectivity: number;
  readonly quantization: 'f32';
  readonly expansion_add: number;
  readonly expansion_search: number;
}

interface Index {
  add(keys: BigUint64Array, vectors: Float32Array, threads: number): void;
  search(vectors: Float32Array, k: number, threads: number): { keys: BigUint64Array };
  save(path: string): void;
  load(path: string): void;
}

interface Usearch {
  readonly Index: new (options: IndexOptions) => Index;
}

/** usearch's binding for Node. The expansion of a search is fixed when an index is made, so it is loaded anew for each. */
export async function runUsearch(task: Task): Promise<EngineRun> {
  const { Index } = (await npmPackage('usearch', '2.26.2')) as Usearch;
  const { data, k, rowCount, queryCount } = task;
  const make = (ef: number): Index =>
    new Index({
      metric: METRICS[data.metric],
      dimensions: data.dim,
      connectivity: task.M,
      quantization: 'f32',
      expansion_add: task.efConstruction,
      expansion_search: ef,
    });
  const index = make(task.efs[0]!);
  const keys = BigUint64Array.from({ length: rowCount }, (_, row) => BigInt(row));
  const start = performance.now();
  index.add(keys, data.vectors, task.buildThreads);
  const buildSeconds = secondsSince(start);
  const path = join(task.directory, 'usearch');
  index.save(path);
  let loaded = { ef: -1, index };
  const search = (ef: number): { keys: BigUint64Array } => loadedFor(ef).search(data.queries, k, 1);
  const loadedFor = (ef: number): Index => {
    if (loaded.ef !== ef) {
      loaded = { ef, index: make(ef) };
      loaded.index.load(path);
      // The first search after loading reads the file's pages.
      loaded.index.search(data.queries, k, 1);
    }
    return loaded.index;
  };
  const searches = await sweep(task, task.efs, search, (found) =>
    Array.from({ length: queryCount }, (_, query) =>
      Array.from(found.keys.subarray(query * k, (query + 1) * k), Number),
    ),
  );
  return { buildSeconds, sizeBytes: (await stat(path)).size, searches };
}
