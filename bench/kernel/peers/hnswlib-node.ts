import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { rowsBetween, secondsSince, sweep, type EngineRun, type Task } from '../engine.ts';
import { npmPackage } from './peer-cache.ts';

const SPACES = { L2: 'l2', IP: 'ip', COSINE: 'cosine' } as const;

interface Index {
  initIndex(options: { maxElements: number; m: number; efConstruction: number; randomSeed: number }): void;
  addPoint(point: number[], label: number): void;
  setEf(ef: number): void;
  searchKnn(point: number[], k: number): { neighbors: number[] };
  writeIndex(path: string): Promise<boolean>;
}

interface HnswlibNode {
  readonly HierarchicalNSW: new (space: (typeof SPACES)[keyof typeof SPACES], dim: number) => Index;
}

/** hnswlib's binding for Node. It builds on one thread. */
export async function runHnswlibNode(task: Task): Promise<EngineRun> {
  const { HierarchicalNSW } = (await npmPackage('hnswlib-node', '3.0.0')) as HnswlibNode;
  const { data, k, rowCount, queryCount } = task;
  const arrayOf = (values: Float32Array, row: number): number[] =>
    Array.from(rowsBetween(values, data.dim, row, row + 1));
  const index = new HierarchicalNSW(SPACES[data.metric], data.dim);
  index.initIndex({
    maxElements: rowCount,
    m: task.M,
    efConstruction: task.efConstruction,
    randomSeed: task.seed,
  });
  const start = performance.now();
  for (let row = 0; row < rowCount; row++) index.addPoint(arrayOf(data.vectors, row), row);
  const buildSeconds = secondsSince(start);
  const path = join(task.directory, 'hnswlib-node');
  await index.writeIndex(path);
  const queries = Array.from({ length: queryCount }, (_, query) => arrayOf(data.queries, query));
  const search = (ef: number): number[][] => {
    index.setEf(ef);
    return queries.map((query) => index.searchKnn(query, k).neighbors);
  };
  const searches = await sweep(task, task.efs, search, (found) => found);
  return { buildSeconds, sizeBytes: (await stat(path)).size, searches };
}
