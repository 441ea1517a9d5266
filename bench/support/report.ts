import { execFileSync } from 'node:child_process';
import { availableParallelism, cpus, release, totalmem, type } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');

function commit(): string {
  try {
    const run = (...args: string[]) => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim();
    return run('rev-parse', '--short', 'HEAD') + (run('status', '--porcelain') === '' ? '' : '+changes');
  } catch {
    return 'unknown';
  }
}

/** Prints results of one run, one JSON line each, with what is needed to judge and repeat them. */
export function createReport(bench: string, seed: number): (fields: Record<string, unknown>) => void {
  const run = {
    bench,
    machine: `${cpus()[0]?.model.trim()} x ${availableParallelism()}, ${Math.round(totalmem() / 2 ** 30)} GiB`,
    kernel: `${type()} ${release()}`,
    node: process.version,
    seed,
    commit: commit(),
  };
  return (fields) => void process.stdout.write(`${JSON.stringify({ ...run, ...fields })}\n`);
}
