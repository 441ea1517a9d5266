import type { SearchAnswer } from '../proxy-core.ts';
import {
  asKeys,
  compareKeys,
  concatColumns,
  concatRows,
  keyAt,
  takeColumn,
  takeRows,
  type KeyValue,
} from '../../columns/index.ts';
import type { SearchResult } from '../../protocol/reader-api.ts';

/**
 * Merges the nodes' top-k lists into one a query: k-way over sorted lists, best first; equal scores by key ascending; a key
 * that several nodes return is kept once, with its best score. Skips `offset` hits, keeps up to `limit`.
 */
export function mergeHits(
  results: readonly SearchResult[],
  queryCount: number,
  offset: number,
  limit: number,
): SearchAnswer {
  const lists = results.map(toSortedLists);
  const counts = new Uint32Array(queryCount);
  const rows = new Uint32Array(queryCount * limit);
  const scores = new Float32Array(queryCount * limit);
  let total = 0;
  for (let query = 0; query < queryCount; query++) {
    const start = total;
    let distinct = 0;
    const seen = results.length > 1 ? new Set<KeyValue>() : null;
    for (const list of lists) list.enter(query);
    while (total - start < limit) {
      const list = bestOf(lists);
      if (list === null) break;
      const row = list.head++;
      if (seen !== null) {
        const key = keyAt(list.result.keys, row);
        if (seen.has(key)) continue;
        seen.add(key);
      }
      if (distinct++ < offset) continue;
      rows[total] = list.base + row;
      scores[total++] = list.result.scores[row]!;
    }
    counts[query] = total - start;
  }
  const picked = rows.subarray(0, total);
  const keys = concatColumns(results.map((result) => result.keys));
  return {
    counts,
    scores: scores.subarray(0, total),
    keys: asKeys(takeColumn(keys, picked)),
    rows: takeRows(concatRows(results.map((result) => result.rows)), picked),
  };
}

/** One node's lists, one a query, laid end to end; `head` runs through that of the query at hand. */
interface SortedLists {
  readonly result: SearchResult;
  /** Number of this result's first row when all results are laid end to end. */
  readonly base: number;
  head: number;
  end: number;
  enter(query: number): void;
}

function toSortedLists(result: SearchResult, index: number, all: readonly SearchResult[]): SortedLists {
  const base = all.slice(0, index).reduce((sum, earlier) => sum + earlier.keys.length, 0);
  return {
    result,
    base,
    head: 0,
    end: 0,
    enter(query) {
      this.head = this.end = query === 0 ? 0 : this.end;
      this.end += result.counts[query]!;
    },
  };
}

function bestOf(lists: readonly SortedLists[]): SortedLists | null {
  let best: SortedLists | null = null;
  for (const list of lists) {
    if (list.head < list.end && (best === null || isBefore(list, best))) best = list;
  }
  return best;
}

function isBefore(a: SortedLists, b: SortedLists): boolean {
  const scoreA = a.result.scores[a.head]!;
  const scoreB = b.result.scores[b.head]!;
  if (scoreA !== scoreB) return scoreA > scoreB;
  return compareKeys(a.result.keys, a.head, b.result.keys, b.head) < 0;
}
