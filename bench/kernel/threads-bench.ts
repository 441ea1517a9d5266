import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createKernel, type Kernel, type VectorIndex } from '../../src/kernel/index.ts';
import { createReport, type Report } from '../support/report.ts';
import { DATA_SET_NAMES, loadDataSet } from './data-set.ts';
import { best, rowsBetween, secondsSince, type Task } from './engine.ts';
import { buildOwn, openDataSet, OWN_INDEXES, searchOf, wholeOf } from './mishards.ts';

const HELP = `npm run bench -- kernel-threads [options]: what a second thread gives, and what a busy pool takes from JavaScript
  --data NAME     ${DATA_SET_NAMES.join(', ')}; default glove
  --rows N        default 100000       --queries N   default 1000
  --ef N          default 200          --rounds N    best of, default 5
  --seconds N     of the delay of timers, default 5
  --seed N        default 1
`;
/** Searches on their way at a time where each asks one query. */
const IN_FLIGHT = 16;
const TIMER_MS = 5;
const OWN = OWN_INDEXES['mishards']!;

export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      data: { type: 'string', default: 'glove' },
      rows: { type: 'string', default: '100000' },
      queries: { type: 'string', default: '1000' },
      ef: { type: 'string', default: '200' },
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '5' },
      seed: { type: 'string', default: '1' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return void process.stdout.write(HELP);
  const seed = Number(values.seed);
  const data = await loadDataSet(values.data, {
    rows: Number(values.rows),
    queries: Number(values.queries),
    seed,
  });
  const directory = await mkdtemp(join(tmpdir(), 'mishards-bench-'));
  const report = createReport('kernel-threads', seed);
  const task: Task = {
    data,
    rowCount: data.vectors.length / data.dim,
    queryCount: data.queries.length / data.dim,
    k: 10,
    M: 16,
    efConstruction: 200,
    nlist: 1,
    buildThreads: 1,
    seed,
    rounds: Number(values.rounds),
    efs: [Number(values.ef)],
    nprobes: [],
    recallMax: 1,
    truth: [],
    directory,
  };
  try {
    await measure(task, Number(values.seconds), report);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function measure(task: Task, seconds: number, report: Report): Promise<void> {
  const many = availableParallelism();
  if (many < 2) throw new RangeError('this machine has one processor; the bench needs two');
  const found = [];
  for (const threads of [1, many]) found.push(await measureThreads(task, threads, seconds, report));
  const [one, all] = found as [Measured, Measured];
  const ratio = (pick: (measured: Measured) => number): number => round(pick(all) / pick(one));
  report({
    what: 'thread ratio',
    of: 'build',
    threads: many,
    ratio: round(1 / ratio((m) => m.buildSeconds)),
  });
  report({ what: 'thread ratio', of: 'batch', threads: many, ratio: ratio((m) => m.batchQps) });
  report({ what: 'thread ratio', of: 'single', threads: many, ratio: ratio((m) => m.singleQps) });
}

interface Measured {
  readonly buildSeconds: number;
  readonly batchQps: number;
  readonly singleQps: number;
}

/** Builds and searches with a pool of so many threads: all queries in one search, then one query a search. */
async function measureThreads(
  task: Task,
  threads: number,
  seconds: number,
  report: Report,
): Promise<Measured> {
  await using kernel = createKernel({ threads, queueMax: 2 * IN_FLIGHT });
  using vectors = await openDataSet(kernel, task.data, task.directory);
  const { path, buildSeconds } = await buildOwn({ ...task, buildThreads: threads }, OWN, vectors);
  using index = await kernel.openIndex(path, vectors);
  const batch = await best(task.rounds, () => searchAll(task, kernel, index));
  const single = await best(task.rounds, () => searchEach(task, kernel, index));
  const measured = {
    buildSeconds,
    batchQps: task.queryCount / batch.seconds,
    singleQps: task.queryCount / single.seconds,
  };
  report({
    what: 'threads',
    data: task.data.name,
    rows: task.rowCount,
    threads,
    ef: task.efs[0]!,
    buildSeconds: round(buildSeconds),
    batchQps: Math.round(measured.batchQps),
    singleQps: Math.round(measured.singleQps),
  });
  await reportDelays(task, kernel, index, seconds, report);
  return measured;
}

async function searchAll(task: Task, kernel: Kernel, index: VectorIndex): Promise<void> {
  await kernel.search(searchOf(task.data, task.k, wholeOf(index), { ef: task.efs[0]! }));
}

/** Every query as a search of its own, some on their way at a time, as they come from clients. */
async function searchEach(task: Task, kernel: Kernel, index: VectorIndex): Promise<void> {
  const { data, k } = task;
  let next = 0;
  const client = async (): Promise<void> => {
    for (let query = next++; query < task.queryCount; query = next++) {
      const asked = rowsBetween(data.queries, data.dim, query, query + 1);
      await kernel.search(searchOf(data, k, wholeOf(index), { ef: task.efs[0]! }, asked));
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, client));
}

/** How late a timer of 5 ms fires: with the pool idle, busy with large searches, and busy with many small ones. */
async function reportDelays(
  task: Task,
  kernel: Kernel,
  index: VectorIndex,
  seconds: number,
  report: Report,
): Promise<void> {
  const loads = {
    idle: undefined,
    batch: () => searchAll(task, kernel, index),
    single: () => searchEach(task, kernel, index),
  };
  for (const [load, search] of Object.entries(loads)) {
    const end = performance.now() + seconds * 1000;
    const busy = (async () => {
      while (search !== undefined && performance.now() < end) await search();
    })();
    const delays: number[] = [];
    while (performance.now() < end) {
      const start = performance.now();
      await sleep(TIMER_MS);
      delays.push(secondsSince(start) * 1000 - TIMER_MS);
    }
    await busy;
    delays.sort((a, b) => a - b);
    report({
      what: 'timer delay',
      threads: kernel.info.threads,
      load,
      medianMs: round(delays[delays.length >> 1]!),
      p99Ms: round(delays[Math.floor(delays.length * 0.99)]!),
      worstMs: round(delays.at(-1)!),
    });
  }
}

function round(value: number): number {
  return Number(value.toPrecision(4));
}
