import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { EngineRun, Task } from '../engine.ts';
import { commonArguments, runProgram, writeRawFiles } from './raw-files.ts';

/** hnswlib in C++ (Debian: libhnswlib-dev), compiled here for this machine. */
export async function runHnswlib(task: Task): Promise<EngineRun> {
  const binary = join(task.directory, 'hnswlib');
  const source = join(import.meta.dirname, 'hnswlib.cc');
  await promisify(execFile)('g++', ['-O3', '-march=native', '-std=c++17', '-o', binary, source, '-pthread']);
  const { base, queries, truth } = await writeRawFiles(task);
  const own = [task.M, task.efConstruction, task.seed, ...task.efs].map(String);
  return runProgram(binary, [base, queries, truth, ...commonArguments(task), ...own]);
}
