import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { EngineRun, SearchRun, Task } from '../engine.ts';

const run = promisify(execFile);

interface Line {
  readonly kind: 'build' | 'search';
  readonly seconds: number;
  readonly ef: number;
  readonly rows: readonly number[][];
}

/** hnswlib in C++ (Debian: libhnswlib-dev), compiled here for this machine. */
export async function runHnswlib(task: Task): Promise<EngineRun> {
  const binary = join(task.directory, 'hnswlib');
  const source = join(import.meta.dirname, 'hnswlib.cc');
  await run('g++', ['-O3', '-march=native', '-std=c++17', '-o', binary, source, '-pthread']);
  const base = join(task.directory, 'base.f32');
  const queries = join(task.directory, 'queries.f32');
  await writeFile(base, task.vectors);
  await writeFile(queries, task.queries);
  const numbers = [
    task.dim,
    task.k,
    task.M,
    task.efConstruction,
    task.buildThreads,
    task.seed,
    task.rounds,
    ...task.efs,
  ];
  const { stdout } = await run(binary, [base, queries, ...numbers.map(String)], { maxBuffer: 2 ** 30 });
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
  const searches: SearchRun[] = lines.filter((line) => line.kind === 'search');
  return { buildSeconds: lines.find((line) => line.kind === 'build')!.seconds, searches };
}
