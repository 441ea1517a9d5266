import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { loadEmbeddings } from '../../scripts/embeddings.ts';
import { createReport } from '../support/report.ts';
import { qpsAt, recallOf, type Point } from './curve.ts';
import type { Engine, EngineRun, Task } from './engine.ts';
import { runMishards, type MishardsRun } from './mishards.ts';
import { runHnswlibNode } from './peers/hnswlib-node.ts';
import { runHnswlib } from './peers/hnswlib.ts';
import { runUsearch } from './peers/usearch.ts';

const PEERS: Readonly<Record<string, Engine>> = {
  hnswlib: runHnswlib,
  'hnswlib-node': runHnswlibNode,
  usearch: runUsearch,
};
const RECALLS = [0.9, 0.95, 0.99];
const FILTER_SHARES = [0.5, 0.1, 0.01];

const HELP = `npm run bench -- kernel [options]: recall and rate of the kernel and its peers on real embeddings
  --rows N             default all 340 479       --queries N         default 1000
  --m N                default 16                --ef-construction N default 200
  --threads N          of builds, default 1      --rounds N          best of, default 5
  --ef A,B,…           default 20 … 1000         --peers A,B         of ${Object.keys(PEERS).join(', ')}; '' for none
  --seed N             default 1
`;

type Report = ReturnType<typeof createReport>;

export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rows: { type: 'string' },
      queries: { type: 'string', default: '1000' },
      m: { type: 'string', default: '16' },
      'ef-construction': { type: 'string', default: '200' },
      threads: { type: 'string', default: '1' },
      rounds: { type: 'string', default: '5' },
      ef: { type: 'string', default: '20,40,80,120,160,200,300,400,600,800,1000' },
      peers: { type: 'string', default: Object.keys(PEERS).join(',') },
      seed: { type: 'string', default: '1' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return void process.stdout.write(HELP);
  const seed = Number(values.seed);
  const embeddings = await loadEmbeddings({
    queries: Number(values.queries),
    seed,
    ...(values.rows === undefined ? {} : { rows: Number(values.rows) }),
  });
  const directory = await mkdtemp(join(tmpdir(), 'mishards-bench-'));
  try {
    const task: Task = {
      dim: embeddings.dim,
      vectors: embeddings.vectors,
      queries: embeddings.queries,
      k: 10,
      M: Number(values.m),
      efConstruction: Number(values['ef-construction']),
      buildThreads: Number(values.threads),
      seed,
      rounds: Number(values.rounds),
      efs: values.ef.split(',').map(Number),
      directory,
    };
    await compare(
      task,
      values.peers.split(',').filter((name) => name !== ''),
      createReport('kernel', seed),
    );
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function compare(task: Task, peers: readonly string[], report: Report): Promise<void> {
  const ours = await runMishards(task, FILTER_SHARES);
  const { truth } = ours;
  const points = reportRun('mishards', task, ours, truth, report);
  reportMemory(task, ours, report);
  reportFilters(task, ours, points, report);
  for (const name of peers) {
    const engine = PEERS[name];
    if (engine === undefined)
      throw new RangeError(`no peer ${name}; known: ${Object.keys(PEERS).join(', ')}`);
    let theirs: EngineRun;
    try {
      theirs = await engine(task);
    } catch (error) {
      report({ what: 'unavailable', engine: name, reason: String(error).split('\n')[0] });
      continue;
    }
    const peerPoints = reportRun(name, task, theirs, truth, report);
    report({ what: 'build ratio', peer: name, ratio: round(ours.buildSeconds / theirs.buildSeconds) });
    for (const recall of RECALLS) {
      const [mine, other] = [qpsAt(points, recall), qpsAt(peerPoints, recall)];
      if (mine === undefined || other === undefined) continue;
      report({ what: 'search ratio', peer: name, recall, ratio: round(mine / other) });
    }
  }
}

function reportRun(
  engine: string,
  task: Task,
  { buildSeconds, searches }: EngineRun,
  truth: readonly ArrayLike<number>[],
  report: Report,
): Point[] {
  const { M, efConstruction, buildThreads, dim } = task;
  const rows = task.vectors.length / dim;
  report({
    what: 'build',
    engine,
    rows,
    dim,
    M,
    efConstruction,
    threads: buildThreads,
    seconds: round(buildSeconds),
  });
  return searches.map(({ ef, seconds, rows: found }) => {
    const point = { recall: recallOf(found, truth), qps: truth.length / seconds };
    report({ what: 'search', engine, ef, recall: round(point.recall), qps: Math.round(point.qps) });
    return point;
  });
}

function reportMemory(task: Task, ours: MishardsRun, report: Report): void {
  const rows = task.vectors.length / task.dim;
  const vectorBytes = task.dim * 4;
  const linkBytes = 2 * task.M * 4;
  const rowBytes = vectorBytes + ours.indexBytes / rows;
  report({
    what: 'memory',
    engine: 'mishards',
    instructionSet: ours.instructionSet,
    rowBytes: round(rowBytes),
    buildRowBytes: round(ours.peakBytes / rows),
    ratio: round((rowBytes - linkBytes) / vectorBytes),
  });
}

/** The rate with a filter against the rate without one at the recall the filtered search has, at most 0.99. */
function reportFilters(task: Task, ours: MishardsRun, points: readonly Point[], report: Report): void {
  for (const { share, ef, seconds, rows, truth } of ours.filtered) {
    const recall = recallOf(rows, truth);
    const qps = task.queries.length / task.dim / seconds;
    const plain = qpsAt(points, Math.min(recall, 0.99));
    const ratio = plain === undefined ? null : round(qps / plain);
    report({
      what: 'filter',
      engine: 'mishards',
      share,
      ef,
      recall: round(recall),
      qps: Math.round(qps),
      ratio,
    });
  }
}

function round(value: number): number {
  return Number(value.toPrecision(5));
}
