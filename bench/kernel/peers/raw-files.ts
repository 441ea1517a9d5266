import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { forInnerProduct, POINT_SECONDS_MAX, type EngineRun, type SearchRun, type Task } from '../engine.ts';

/** Where an engine that is a program of its own finds vectors, queries and exact hits, as raw float32 and uint32. */
export interface RawFiles {
  readonly base: string;
  readonly queries: string;
  readonly truth: string;
}

/** What such a program prints, one JSON object a line. */
type Line =
  | { readonly kind: 'build'; readonly seconds: number; readonly sizeBytes: number }
  | {
      readonly kind: 'search';
      readonly effort: number;
      readonly seconds: number;
      readonly rows: readonly number[][];
    };

/** Vectors are made unit ones for COSINE: the engine orders by inner product then. */
export async function writeRawFiles(task: Task): Promise<RawFiles> {
  const { vectors, queries } = forInnerProduct(task.data);
  const files = {
    base: join(task.directory, 'base.f32'),
    queries: join(task.directory, 'queries.f32'),
    truth: join(task.directory, 'truth.u32'),
  };
  const truth = new Uint32Array(task.truth.length * task.k).fill(0xffffffff);
  task.truth.forEach((rows, query) => truth.set(rows, query * task.k));
  await writeFile(files.base, vectors);
  await writeFile(files.queries, queries);
  await writeFile(files.truth, truth);
  return files;
}

/** The arguments that both programs take after the files. */
export function commonArguments(task: Task): string[] {
  return [
    task.data.metric === 'L2' ? 'L2' : 'IP',
    task.data.dim,
    task.k,
    task.buildThreads,
    task.rounds,
    POINT_SECONDS_MAX,
    task.recallMax,
  ].map(String);
}

export async function runProgram(command: string, args: readonly string[]): Promise<EngineRun> {
  const { stdout } = await promisify(execFile)(command, [...args], { maxBuffer: 2 ** 30 });
  const lines = stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Line);
  const build = lines.find((line) => line.kind === 'build');
  if (build === undefined) throw new Error(`${command} reported no build`);
  const searches: SearchRun[] = lines.filter((line) => line.kind === 'search');
  return { buildSeconds: build.seconds, sizeBytes: build.sizeBytes, searches };
}
