import { best, secondsSince, type EngineRun, type SearchRun, type Task } from '../engine.ts';
import { npmPackage } from './npm-package.ts';

interface Index {
  initIndex(options: { maxElements: number; m: number; efConstruction: number; randomSeed: number }): void;
  addPoint(point: number[], label: number): void;
  setEf(ef: number): void;
  searchKnn(point: number[], k: number): { neighbors: number[] };
}

interface HnswlibNode {
  readonly HierarchicalNSW: new (space: 'ip', dim: number) => Index;
}

/** hnswlib's binding for Node. It builds on one thread. */
export async function runHnswlibNode(task: Task): Promise<EngineRun> {
  const { HierarchicalNSW } = (await npmPackage('hnswlib-node', '3.0.0')) as HnswlibNode;
  const { dim, k } = task;
  const arrays = (values: Float32Array): number[][] =>
    Array.from({ length: values.length / dim }, (_, row) =>
      Array.from(values.subarray(row * dim, (row + 1) * dim)),
    );
  const index = new HierarchicalNSW('ip', dim);
  const maxElements = task.vectors.length / dim;
  index.initIndex({ maxElements, m: task.M, efConstruction: task.efConstruction, randomSeed: task.seed });
  const start = performance.now();
  for (let row = 0; row < maxElements; row++) {
    index.addPoint(Array.from(task.vectors.subarray(row * dim, (row + 1) * dim)), row);
  }
  const buildSeconds = secondsSince(start);
  const queries = arrays(task.queries);
  const searches: SearchRun[] = [];
  for (const ef of task.efs) {
    index.setEf(ef);
    const { seconds, value } = await best(task.rounds, () =>
      queries.map((query) => index.searchKnn(query, k).neighbors),
    );
    searches.push({ ef, seconds, rows: value });
  }
  return { buildSeconds, searches };
}
