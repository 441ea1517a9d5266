import { spawn } from 'node:child_process';
import { mkdir, readdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';

export const NATIVE = join(import.meta.dirname, '..', '..', 'native');

const COMMON = ['-std=c++20', '-g', '-Wall', '-Wextra', '-Werror', '-ffp-contract=off'];

export interface Compiler {
  /** The command, with what it always needs. */
  readonly command: readonly string[];
  readonly flags: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
}

/** The C++ files of folders of native/. */
export async function sourcesOf(...folders: string[]): Promise<string[]> {
  const sources: string[] = [];
  for (const folder of folders) {
    const names = await readdir(join(NATIVE, folder));
    sources.push(...names.filter((name) => name.endsWith('.cc')).map((name) => join(NATIVE, folder, name)));
  }
  return sources;
}

/** Compiles every source on its own, on every processor; returns the object files. */
export async function compile(
  compiler: Compiler,
  sources: readonly string[],
  output: string,
): Promise<string[]> {
  await mkdir(output, { recursive: true });
  const includes = ['src', 'test', 'fuzz'].flatMap((folder) => ['-I', join(NATIVE, folder)]);
  const objects = sources.map((source) => join(output, `${source.slice(NATIVE.length).replace(/\W/g, '_')}.o`));
  const waiting = sources.map((source, index) => ['-c', source, '-o', objects[index]!]);
  const compilers = Array.from({ length: availableParallelism() }, async () => {
    for (let job = waiting.pop(); job !== undefined; job = waiting.pop()) {
      await runTool(compiler, [...COMMON, ...compiler.flags, ...includes, ...job]);
    }
  });
  await Promise.all(compilers);
  return objects;
}

export async function link(compiler: Compiler, objects: readonly string[], binary: string): Promise<void> {
  await runTool(compiler, [...compiler.flags, ...objects, '-o', binary, '-pthread']);
}

async function runTool({ command, env }: Compiler, args: readonly string[]): Promise<void> {
  const [program, ...always] = command;
  await run(program!, [...always, ...args], env);
}

/** Throws when the command does not end with 0. */
export async function run(command: string, args: readonly string[], env?: NodeJS.ProcessEnv): Promise<void> {
  const child = spawn(command, args, { stdio: 'inherit', ...(env && { env: { ...process.env, ...env } }) });
  const code = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (exitCode, signal) => resolve(exitCode ?? signal));
  });
  if (code !== 0) throw new Error(`${command} ended with ${String(code)}`);
}
