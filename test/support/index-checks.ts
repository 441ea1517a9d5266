import assert from 'node:assert/strict';
import type { IndexStage } from './index-stage.ts';
import { hitKeys, recallOf, wholeSource } from './vectors.ts';
import { bitAt } from '../../src/columns/bitmap.ts';
import type { BuildIndexOptions, KernelHits, KernelMetric, KernelSearch } from '../../src/kernel/index.ts';
import { createKernel } from '../../src/kernel/index.ts';
import { nativeBinding } from '../../src/kernel/native-binding.ts';
import { DENSE_METRICS } from '../../src/schema/index.ts';

type Params = KernelSearch['params'];

export function checkRecall(found: KernelHits, truth: KernelHits, least: number, of = ''): number {
  const recall = recallOf(found, truth);
  assert.ok(recall >= least, `${of} recall ${recall}`);
  return recall;
}

/** Hits that both answers have, have the same score in both. */
export function checkScores(found: KernelHits, truth: KernelHits): void {
  for (let query = 0; query < truth.counts.length; query++) {
    const exact = new Map(hitKeys(truth, query).map((key, j) => [key, truth.scores[query * truth.k + j]]));
    hitKeys(found, query).forEach((key, j) => {
      if (exact.has(key)) assert.equal(found.scores[query * found.k + j], exact.get(key));
    });
  }
}

/** As many hits as an exact search has, all of rows the filter keeps. */
export function checkKept(found: KernelHits, truth: KernelHits, allowed: Uint8Array): void {
  for (let query = 0; query < truth.counts.length; query++) {
    assert.equal(found.counts[query], truth.counts[query]);
    for (let j = 0; j < found.counts[query]!; j++)
      assert.ok(bitAt(allowed, found.rows[query * found.k + j]!));
  }
}

/** Between the scores of the 121st and the 41st row. Returns the lower one, above which there are 120 rows. */
export async function checkRange(
  stage: IndexStage,
  metric: KernelMetric,
  recallMin: number,
  search: { readonly params?: Params } = {},
): Promise<number> {
  const one = { metric, ...stage.firstQueries(1), ...search };
  const { truth } = await stage.both({ ...one, k: 200 });
  const [scoreAbove, scoreUpTo] = [truth.scores[120]!, truth.scores[40]!];
  const ring = await stage.both({ ...one, k: 100, scoreAbove, scoreUpTo });
  assert.deepEqual(hitKeys(ring.truth, 0), hitKeys(truth, 0).slice(40, 120));
  checkRecall(ring.found, ring.truth, recallMin, metric);
  for (let j = 0; j < ring.found.counts[0]!; j++)
    assert.ok(ring.found.scores[j]! > scoreAbove && ring.found.scores[j]! <= scoreUpTo);
  return scoreAbove;
}

/** Searches from score to score down to the last row, as an iterator makes them, are full and pass over next to none. */
export async function checkPages(stage: IndexStage, metric: KernelMetric, params: Params): Promise<void> {
  const k = 200;
  const one = { metric, ...stage.firstQueries(1) };
  const { truth } = await stage.both({ ...one, k: stage.rowCount, params: {} });
  for (let from = 0; from < stage.rowCount; from += k - 1) {
    const page = await stage.both({ ...one, k, scoreUpTo: truth.scores[from]!, params });
    assert.equal(page.found.counts[0], page.truth.counts[0], `from row ${from}`);
    checkRecall(page.found, page.truth, 0.98, `from row ${from}`);
  }
}

/** Sums differ in the last bit between sets: so many queries may have other hits for that. */
export async function checkInstructionSets(
  stage: IndexStage,
  params: Params,
  differentMax: number,
): Promise<void> {
  const answers: string[][] = [];
  for (const instructionSet of nativeBinding().instructionSets()) {
    await using other = createKernel({ threads: 1, queueMax: 10, instructionSet });
    using file = await other.openVectors(stage.directory.file('vectors'));
    using index = await other.openIndex(stage.directory.file('L2'), file);
    const hits = await other.search(stage.search({ params, sources: [wholeSource(index)] }));
    answers.push(Array.from({ length: stage.queryCount }, (_, query) => hitKeys(hits, query).join(' ')));
  }
  for (const answer of answers) {
    const same = answer.filter((keys, query) => keys === answers[0]![query]).length;
    assert.ok(same >= stage.queryCount - differentMax, `${same} of ${stage.queryCount} queries agree`);
  }
}

/** Rows that are equal, zero, huge or not finite are indexed, and a search among them finds as many as it asks for. */
export async function checkOddRows(
  stage: IndexStage,
  params: BuildIndexOptions['params'],
  search: Params,
): Promise<void> {
  const { dim } = stage.shape;
  const odd = new Float32Array(400 * dim).fill(0.25);
  odd.fill(0, 0, 10 * dim);
  odd[20 * dim] = NaN;
  odd[21 * dim] = Infinity;
  odd[22 * dim] = 3e38;
  for (const metric of DENSE_METRICS) {
    using other = await stage.indexOver(odd, { metric, params });
    const asked = { ...stage.firstQueries(1), metric, k: 50, params: search };
    const { found } = await stage.both(asked, null, other);
    assert.equal(found.counts[0], 50);
  }
}

/** A query with a value that is not finite finds what an exact search finds. */
export async function checkOddQueries(stage: IndexStage): Promise<void> {
  for (const value of [NaN, Infinity]) {
    const { queries } = stage.firstQueries(1);
    const odd = (queries as Float32Array).slice();
    odd[3] = value;
    const { found, truth } = await stage.both({ metric: 'IP', queries: odd, queryCount: 1 });
    assert.deepEqual(hitKeys(found, 0), hitKeys(truth, 0));
  }
}
