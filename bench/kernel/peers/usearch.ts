import { join } from 'node:path';
import { best, secondsSince, type EngineRun, type SearchRun, type Task } from '../engine.ts';
import { npmPackage } from './npm-package.ts';

interface IndexOptions {
  readonly metric: 'ip';
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
  const { dim, k } = task;
  const make = (ef: number): Index =>
    new Index({
      metric: 'ip',
      dimensions: dim,
      connectivity: task.M,
      quantization: 'f32',
      expansion_add: task.efConstruction,
      expansion_search: ef,
    });
  const index = make(task.efs[0]!);
  const keys = BigUint64Array.from({ length: task.vectors.length / dim }, (_, row) => BigInt(row));
  const start = performance.now();
  index.add(keys, task.vectors, task.buildThreads);
  const buildSeconds = secondsSince(start);
  const path = join(task.directory, 'usearch');
  index.save(path);
  const queryCount = task.queries.length / dim;
  const searches: SearchRun[] = [];
  for (const ef of task.efs) {
    const loaded = make(ef);
    loaded.load(path);
    const { seconds, value } = await best(task.rounds, () => loaded.search(task.queries, k, 1));
    const rows = Array.from({ length: queryCount }, (_, query) =>
      Array.from(value.keys.subarray(query * k, (query + 1) * k), Number),
    );
    searches.push({ ef, seconds, rows });
  }
  return { buildSeconds, searches };
}
