import { execFileSync } from 'node:child_process';
import { availableParallelism, cpus, release, totalmem, type } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');

export type ReportLine = Readonly<Record<string, unknown>>;

/** Prints one result; keeps what it printed. */
export interface Report {
  (fields: ReportLine): void;
  readonly lines: readonly ReportLine[];
}

function commit(): string {
  try {
    const run = (...args: string[]) => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim();
    return run('rev-parse', '--short', 'HEAD') + (run('status', '--porcelain') === '' ? '' : '+changes');
  } catch {
    return 'unknown';
  }
}

/** Prints results of one run, one JSON line each, with what is needed to judge and repeat them. */
export function createReport(bench: string, seed: number): Report {
  const run = {
    bench,
    machine: `${cpus()[0]?.model.trim()} x ${availableParallelism()}, ${Math.round(totalmem() / 2 ** 30)} GiB`,
    kernel: `${type()} ${release()}`,
    node: process.version,
    seed,
    commit: commit(),
  };
  const lines: ReportLine[] = [];
  const report = (fields: ReportLine): void => {
    const line = { ...run, ...fields };
    lines.push(line);
    process.stdout.write(`${JSON.stringify(line)}\n`);
  };
  return Object.assign(report, { lines });
}

/** The results in what a bench printed; other lines are left out. */
export function readReport(text: string): ReportLine[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as ReportLine);
}
