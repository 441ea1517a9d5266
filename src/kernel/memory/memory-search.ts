import { bitAt } from '../../columns/index.ts';
import { MishardsError } from '../../errors/index.ts';
import { assert } from '../../util/assert.ts';
import { checkSearch } from '../check-search.ts';
import type { KernelHits, KernelSearch, SearchSource, VectorValues } from '../kernel.ts';
import { rowScore } from './memory-scores.ts';
import { MemoryBlock, MemoryIndex, MemoryVectorFile } from './memory-vectors.ts';

/** Exact search by the definition: every allowed row of every source, scored in double precision. */
export function searchExactly(request: KernelSearch): KernelHits {
  const { timeoutMs } = checkSearch(request);
  if (request.signal?.aborted === true) throw new MishardsError('CANCELLED', 'the request was cancelled');
  if (timeoutMs === 0)
    throw new MishardsError('DEADLINE_EXCEEDED', 'the deadline had passed before the search began');
  const { k, queryCount } = request;
  const sources = request.sources.map(borrow);
  const hits = {
    k,
    counts: new Uint32Array(queryCount),
    sources: new Uint32Array(queryCount * k),
    rows: new Uint32Array(queryCount * k),
    scores: new Float32Array(queryCount * k),
  };
  for (let query = 0; query < queryCount; query++) {
    const best = searchOne(request, sources, query);
    hits.counts[query] = best.length;
    best.forEach((hit, index) => {
      hits.sources[query * k + index] = hit.source;
      hits.rows[query * k + index] = hit.row;
      hits.scores[query * k + index] = hit.score;
    });
  }
  return hits;
}

interface Hit {
  readonly source: number;
  readonly row: number;
  readonly score: number;
}

interface BorrowedSource {
  readonly values: VectorValues;
  readonly rowCount: number;
  readonly allowed: Uint8Array | null;
}

function searchOne(request: KernelSearch, sources: readonly BorrowedSource[], query: number): readonly Hit[] {
  const { k, scoreAbove, scoreUpTo } = request;
  const best: Hit[] = [];
  sources.forEach(({ values, rowCount, allowed }, source) => {
    const scoreOf = rowScore(request, query, values);
    for (let row = 0; row < rowCount; row++) {
      if (allowed !== null && !bitAt(allowed, row)) continue;
      const score = scoreOf(row);
      if (score === null) continue;
      if (scoreAbove !== null && !(score > scoreAbove)) continue;
      if (scoreUpTo !== null && !(score <= scoreUpTo)) continue;
      if (best.length === k && score <= best[k - 1]!.score) continue;
      insert(best, { source, row, score }, k);
    }
  });
  return best;
}

/** Behind all that score as well, so that ties stay in the order of sources and rows. */
function insert(best: Hit[], hit: Hit, k: number): void {
  let low = 0;
  let high = best.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (best[middle]!.score >= hit.score) low = middle + 1;
    else high = middle;
  }
  best.splice(low, 0, hit);
  if (best.length > k) best.pop();
}

function borrow({ data, rowCount, allowed }: SearchSource): BorrowedSource {
  const ours = data instanceof MemoryVectorFile || data instanceof MemoryBlock || data instanceof MemoryIndex;
  assert(ours, 'the source was made by another kernel implementation');
  return { values: data.borrow(), rowCount, allowed };
}
