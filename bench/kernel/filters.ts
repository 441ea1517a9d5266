import type { Kernel, VectorFile, VectorIndex } from '../../src/kernel/index.ts';
import { qpsAtLeast, recallOf, type Point } from './curve.ts';
import type { DataSet } from './data-set.ts';
import { best, rowsBetween, type Task } from './engine.ts';
import { rowsOf, searchOf, wholeOf } from './mishards.ts';

const SHARES = [0.5, 0.1, 0.01, 0.001];
/** Groups of near queries, and queries of each: a filter is for the queries of one search. */
const GROUPS = 16;
const GROUP_QUERIES = 16;

/**
 * What a filter keeps: rows at random, or those that are nearest to (farthest from) the middle of the queries it is used
 * with.
 */
export const FILTER_KINDS = ['random', 'near', 'far'] as const;
export type FilterKind = (typeof FILTER_KINDS)[number];

export interface FilterResult {
  readonly kind: FilterKind;
  readonly share: number;
  /** By ef. */
  readonly points: readonly (Point & { readonly ef: number })[];
  /** The rate at the same recall of the same queries without a filter; undefined where it was not reached. */
  ratioAt(recall: number): number | undefined;
}

interface Asked {
  readonly queries: Float32Array;
  readonly allowed: Uint8Array | null;
}

/** Searches one index through filters of each kind and share, on the kernel's threads. */
export async function* measureFilters(
  task: Task,
  kernel: Kernel,
  vectors: VectorFile,
  index: VectorIndex,
): AsyncGenerator<FilterResult> {
  const groups = nearQueries(task.data);
  for (const kind of FILTER_KINDS) {
    const queries = kind === 'random' ? [task.data.queries] : groups;
    const plain = await curve(
      task,
      kernel,
      vectors,
      index,
      queries.map((own) => ({ queries: own, allowed: null })),
    );
    const orders = kind === 'random' ? [] : queries.map((own) => rowsByNearness(task.data, own, kind));
    for (const share of SHARES) {
      const asked = queries.map((own, group) => ({
        queries: own,
        allowed: kind === 'random' ? everyNth(task.rowCount, share) : firstOf(orders[group]!, share),
      }));
      const points = await curve(task, kernel, vectors, index, asked);
      yield {
        kind,
        share,
        points,
        ratioAt: (recall) => {
          const [own, other] = [qpsAtLeast(points, recall), qpsAtLeast(plain, recall)];
          return own === undefined || other === undefined ? undefined : own / other;
        },
      };
    }
  }
}

async function curve(
  task: Task,
  kernel: Kernel,
  vectors: VectorFile,
  index: VectorIndex,
  asked: readonly Asked[],
): Promise<(Point & { readonly ef: number })[]> {
  const { data, k } = task;
  const searchAll = async (source: VectorFile | VectorIndex, params: { ef?: number }) => {
    const found: Uint32Array[] = [];
    for (const { queries, allowed } of asked) {
      const hits = await kernel.search(searchOf(data, k, wholeOf(source, allowed), params, queries));
      found.push(...rowsOf(hits));
    }
    return found;
  };
  const truth = await searchAll(vectors, {});
  const points: (Point & { readonly ef: number })[] = [];
  for (const ef of task.efs) {
    const { seconds, value } = await best(task.rounds, () => searchAll(index, { ef }));
    const recall = recallOf(value, truth);
    points.push({ ef, recall, qps: truth.length / seconds });
    if (recall >= task.recallMax) break;
  }
  return points;
}

/** Rows of real data are shuffled, those of made data independent, so every n-th of them is a random filter. */
function everyNth(rowCount: number, share: number): Uint8Array {
  const bitmap = new Uint8Array((rowCount + 7) >>> 3);
  for (let row = 0; row < rowCount; row++) {
    if (Math.floor((row + 1) * share) > Math.floor(row * share)) bitmap[row >>> 3]! |= 1 << (row & 7);
  }
  return bitmap;
}

function firstOf(order: Uint32Array, share: number): Uint8Array {
  const bitmap = new Uint8Array((order.length + 7) >>> 3);
  for (const row of order.subarray(0, Math.max(1, Math.round(order.length * share)))) {
    bitmap[row >>> 3]! |= 1 << (row & 7);
  }
  return bitmap;
}

/** Every so many-th query with the queries nearest to it. */
function nearQueries(data: DataSet): Float32Array[] {
  const { dim, queries } = data;
  const count = queries.length / dim;
  const groups = Math.min(GROUPS, count);
  return Array.from({ length: groups }, (_, group) => {
    const first = Math.floor((group * count) / groups);
    const order = byScore(data, queries, rowsBetween(queries, dim, first, first + 1), 1);
    const size = Math.min(GROUP_QUERIES, count);
    const own = new Float32Array(size * dim);
    for (let i = 0; i < size; i++) own.set(rowsBetween(queries, dim, order[i]!, order[i]! + 1), i * dim);
    return own;
  });
}

/** Every row, nearest (or farthest) first, by its score with the mean of the queries. */
function rowsByNearness(data: DataSet, queries: Float32Array, kind: 'near' | 'far'): Uint32Array {
  const mean = new Float32Array(data.dim);
  queries.forEach((value, at) => (mean[at % data.dim]! += value / (queries.length / data.dim)));
  return byScore(data, data.vectors, mean, kind === 'near' ? 1 : -1);
}

function byScore(
  { metric, dim }: DataSet,
  vectors: Float32Array,
  point: Float32Array,
  sign: number,
): Uint32Array {
  const scores = new Float32Array(vectors.length / dim);
  for (let row = 0; row < scores.length; row++) {
    let [product, distance, norm] = [0, 0, 0];
    for (let i = 0, at = row * dim; i < dim; i++, at++) {
      const value = vectors[at]!;
      product += value * point[i]!;
      distance += (value - point[i]!) ** 2;
      norm += value * value;
    }
    scores[row] =
      sign * (metric === 'L2' ? -distance : metric === 'IP' ? product : product / Math.sqrt(norm));
  }
  return Uint32Array.from(scores.keys()).sort((a, b) => scores[b]! - scores[a]!);
}
