import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createKernel, type Kernel, type VectorFile } from '../../src/kernel/index.ts';
import { createReport, type Report } from '../support/report.ts';
import { qpsAtLeast, recallOf, type Point } from './curve.ts';
import { loadDataSet, type DataSet } from './data-set.ts';
import type { EngineRun, Task } from './engine.ts';
import { measureFilters } from './filters.ts';
import {
  buildOwn,
  openDataSet,
  OWN_INDEXES,
  rowsOf,
  searchOf,
  searchOwn,
  wholeOf,
  type OwnIndex,
} from './mishards.ts';
import { readOptions, type KernelBenchOptions } from './options.ts';
import { PEERS } from './peers/index.ts';
import { writePlot } from './plot.ts';

const RECALLS = [0.9, 0.95, 0.99];
const FILTER_RECALL = 0.95;
const K = 10;

/** What was measured of one engine. */
interface Measured {
  readonly buildSeconds: number;
  readonly points: readonly (Point & { readonly effort: number })[];
}

export async function run(args: readonly string[]): Promise<void> {
  const options = readOptions(args);
  if (options === undefined) return;
  const directory = await mkdtemp(join(tmpdir(), 'mishards-bench-'));
  try {
    await using kernel = createKernel({ threads: 1, queueMax: 1 });
    const data = await loadDataSet(options.data, options);
    using vectors = await openDataSet(kernel, data, directory);
    const task = await createTask(options, data, vectors, directory);
    const report = createReport('kernel', options.seed);
    const own = new Map<string, Measured>();
    for (const name of options.own) {
      own.set(name, await measureOwn(name, task, kernel, vectors, options.filters, report));
    }
    for (const [name, mine] of [...own].slice(1)) {
      const [peer, first] = [...own][0]!;
      reportRatios(name, mine, peer, first, report);
    }
    for (const name of options.peers) await comparePeer(name, task, own, report);
    if (options.plot !== undefined) await writePlot(options.plot, report.lines);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** With exact hits from the FLAT search of the same file, on every processor. */
async function createTask(
  options: KernelBenchOptions,
  data: DataSet,
  vectors: VectorFile,
  directory: string,
): Promise<Task> {
  await using exact = createKernel({ threads: availableParallelism(), queueMax: 1 });
  using file = await exact.openVectors(join(directory, 'vectors'));
  const truth = rowsOf(await exact.search(searchOf(data, K, wholeOf(file), {})));
  const rowCount = vectors.rowCount;
  const nlist = options.nlist ?? Math.round(4 * Math.sqrt(rowCount));
  return {
    ...options,
    data,
    rowCount,
    queryCount: data.queries.length / data.dim,
    k: K,
    nlist,
    nprobes: options.nprobes.filter((nprobe) => nprobe <= nlist),
    truth,
    directory,
  };
}

async function measureOwn(
  name: string,
  task: Task,
  kernel: Kernel,
  vectors: VectorFile,
  filters: boolean,
  report: Report,
): Promise<Measured> {
  const own: OwnIndex = OWN_INDEXES[name]!;
  const built = await buildOwn(task, own, vectors);
  using index = await kernel.openIndex(built.path, vectors);
  const searches = await searchOwn(task, own, kernel, index);
  const sizeBytes = vectors.sizeBytes + built.fileBytes;
  const measured = reportRun(name, task, { ...built, sizeBytes, searches }, report);
  report({
    what: 'memory',
    engine: name,
    instructionSet: kernel.info.instructionSet,
    indexRowBytes: round(built.fileBytes / task.rowCount),
    // Of an index whose file is read where a search needs it, what it keeps in memory all the time.
    residentRowBytes: round(index.sizeBytes / task.rowCount),
    buildRowBytes: round(built.peakBytes / task.rowCount),
    // Codes and links of an index, less the links, against the vectors they stand for.
    ratio: round((sizeBytes / task.rowCount - 2 * task.M * 4) / (task.data.dim * 4)),
  });
  if (filters && own.type === 'HNSW') await reportFilters(name, task, kernel, vectors, index, report);
  return measured;
}

async function reportFilters(
  engine: string,
  task: Task,
  kernel: Kernel,
  vectors: VectorFile,
  index: Parameters<typeof measureFilters>[3],
  report: Report,
): Promise<void> {
  for await (const { kind, share, points, ratioAt } of measureFilters(task, kernel, vectors, index)) {
    for (const { ef, recall, qps } of points) {
      report({ what: 'filter', engine, kind, share, ef, recall: round(recall), qps: Math.round(qps) });
    }
    const ratio = ratioAt(FILTER_RECALL);
    report({
      what: 'filter ratio',
      engine,
      kind,
      share,
      recall: FILTER_RECALL,
      reached: ratio !== undefined,
      ratio: ratio === undefined ? null : round(ratio),
    });
  }
}

async function comparePeer(
  peer: string,
  task: Task,
  own: ReadonlyMap<string, Measured>,
  report: Report,
): Promise<void> {
  let theirs: EngineRun;
  try {
    theirs = await PEERS[peer]!(task);
  } catch (error) {
    report({ what: 'unavailable', engine: peer, reason: String(error).slice(0, 300) });
    return;
  }
  const other = reportRun(peer, task, theirs, report);
  for (const [engine, mine] of own) reportRatios(engine, mine, peer, other, report);
}

function reportRatios(engine: string, mine: Measured, peer: string, other: Measured, report: Report): void {
  report({
    what: 'build ratio',
    engine,
    peer,
    ratio: round(mine.buildSeconds / other.buildSeconds),
    ...recallsAtOneEffort(mine, other),
  });
  for (const recall of RECALLS) {
    const [ours, peers] = [qpsAtLeast(mine.points, recall), qpsAtLeast(other.points, recall)];
    if (ours === undefined || peers === undefined) continue;
    report({ what: 'search ratio', engine, peer, recall, ratio: round(ours / peers) });
  }
}

/** How good the two graphs are: their recalls at the largest effort both were searched with. */
function recallsAtOneEffort(mine: Measured, other: Measured): Record<string, number> {
  const both = mine.points
    .filter(({ effort }) => other.points.some((point) => point.effort === effort))
    .at(-1);
  if (both === undefined) return {};
  const peerRecall = other.points.find(({ effort }) => effort === both.effort)!.recall;
  return { effort: both.effort, recall: round(both.recall), peerRecall: round(peerRecall) };
}

function reportRun(engine: string, task: Task, theirs: EngineRun, report: Report): Measured {
  const { data, M, efConstruction, buildThreads, rowCount } = task;
  report({
    what: 'build',
    engine,
    data: data.name,
    metric: data.metric,
    rows: rowCount,
    dim: data.dim,
    M,
    efConstruction,
    nlist: task.nlist,
    threads: buildThreads,
    seconds: round(theirs.buildSeconds),
    rowBytes: round(theirs.sizeBytes / rowCount),
  });
  const points = theirs.searches.map(({ effort, seconds, rows }) => {
    const point = { effort, recall: recallOf(rows, task.truth), qps: task.queryCount / seconds };
    report({
      what: 'search',
      engine,
      data: data.name,
      effort,
      recall: round(point.recall),
      qps: Math.round(point.qps),
    });
    return point;
  });
  return { buildSeconds: theirs.buildSeconds, points };
}

function round(value: number): number {
  return Number(value.toPrecision(5));
}
