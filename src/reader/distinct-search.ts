import { DistinctKeys } from './distinct-keys.ts';
import type { ReadSource } from './read-source.ts';
import { keysOfRefs, type RowRefs } from './row-refs.ts';
import { takeColumn, type PrimaryKeyColumn } from '../columns/index.ts';
import {
  paramsForHits,
  takeVectors,
  type Kernel,
  type KernelHits,
  type KernelSearch,
} from '../kernel/index.ts';
import type { CollectionSchema } from '../schema/index.ts';

/** Hits of all queries, one after another, best first; `sources` are indexes into those of the search. */
export interface Hits extends RowRefs {
  readonly counts: Uint32Array;
  readonly scores: Float32Array;
  readonly keys: PrimaryKeyColumn;
}

/** A source with the rows that may be hits. */
export interface AllowedSource {
  readonly source: ReadSource;
  /** null = all. */
  readonly allowed: Uint8Array | null;
}

export interface DistinctSearch {
  readonly kernel: Kernel;
  readonly schema: CollectionSchema;
  readonly fieldId: number;
  readonly sources: readonly AllowedSource[];
  readonly search: Omit<KernelSearch, 'sources'>;
}

/** The kernel's bound of k. */
export const K_MAX = 16_384;
/** How often a query whose hits repeat keys is asked, with k at least doubled each time: only keys with very many rows come up short. */
const ROUNDS_MAX = 6;

/**
 * Searches all sources at once and keeps the best row of each key. Where repeated keys left a query with fewer than k hits
 * although there may be more, it is asked again with a larger k.
 */
export async function searchDistinct(request: DistinctSearch): Promise<Hits> {
  const { k, queryCount } = request.search;
  const all = Array.from({ length: queryCount }, (_, query) => query);
  const first = await searchOnce(request, all, k);
  let short = all.filter((query) => isShort(first, query, k));
  if (short.length === 0) return first.hits;

  const slices = all.map((query) => sliceOf(first, query, k));
  let asked = k;
  for (let round = 1; short.length > 0 && asked < K_MAX && round < ROUNDS_MAX; round++) {
    asked = nextK(k, asked, Math.min(...short.map((query) => slices[query]!.length)));
    const more = await searchOnce(request, short, asked);
    short.forEach((query, index) => (slices[query] = sliceOf(more, index, k)));
    short = short.filter((_, index) => isShort(more, index, k));
  }
  return join(request, slices);
}

interface Answer {
  readonly hits: Hits;
  /** Where the hits of each query begin. */
  readonly starts: Uint32Array;
  /** Queries that had as many hits as were asked for before repeats were dropped. */
  readonly isFull: readonly boolean[];
}

async function searchOnce(request: DistinctSearch, queries: readonly number[], k: number): Promise<Answer> {
  const { fieldId, search } = request;
  // Asked for anew each time and without a wait before the search, because indexes come and go meanwhile.
  const sources = request.sources.map(({ source, allowed }) => ({
    ...source.rows.searchable(fieldId, search.metric),
    allowed,
  }));
  const found = await request.kernel.search({ ...searchFor(search, queries, k), sources });
  const refs = withoutGaps(found);
  const keys = keysOf(request, refs);
  const kept: number[] = [];
  const counts = new Uint32Array(queries.length);
  const distinct = new DistinctKeys(keys, k);
  let row = 0;
  for (let query = 0; query < queries.length; query++) {
    distinct.nextRound();
    for (const end = row + found.counts[query]!; row < end; row++) {
      if (!distinct.add(row)) continue;
      kept.push(row);
      counts[query]!++;
    }
  }
  const isFull = queries.map((_, query) => found.counts[query] === k);
  const hits = kept.length === row ? { ...refs, counts, keys } : { ...take(refs, keys, kept), counts };
  return { hits, starts: startsOf(counts), isFull };
}

function isShort(answer: Answer, query: number, k: number): boolean {
  return answer.isFull[query]! && answer.hits.counts[query]! < k;
}

/** Grows with the share of hits that repeated keys. */
function nextK(wanted: number, asked: number, distinctCount: number): number {
  const expected = Math.ceil((1.25 * wanted * asked) / Math.max(1, distinctCount));
  return Math.min(K_MAX, Math.max(2 * asked, expected));
}

type Search = DistinctSearch['search'];

function searchFor(search: Search, queries: readonly number[], k: number): Search {
  if (queries.length === search.queryCount && k === search.k) return search;
  const vectors = takeVectors(search, search.queries, queries);
  const params = paramsForHits(search.params, k);
  return { ...search, queries: vectors, queryCount: queries.length, k, params };
}

type ScoredRefs = RowRefs & { readonly scores: Float32Array };

function withoutGaps({ k, counts, sources, rows, scores }: KernelHits): ScoredRefs {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === rows.length) return { sources, rows, scores };
  const compact = {
    sources: new Uint32Array(total),
    rows: new Uint32Array(total),
    scores: new Float32Array(total),
  };
  let at = 0;
  counts.forEach((count, query) => {
    const [from, to] = [query * k, query * k + count];
    compact.sources.set(sources.subarray(from, to), at);
    compact.rows.set(rows.subarray(from, to), at);
    compact.scores.set(scores.subarray(from, to), at);
    at += count;
  });
  return compact;
}

function take(refs: ScoredRefs, keys: PrimaryKeyColumn, indexes: readonly number[]): Omit<Hits, 'counts'> {
  return {
    sources: Uint32Array.from(indexes, (index) => refs.sources[index]!),
    rows: Uint32Array.from(indexes, (index) => refs.rows[index]!),
    scores: Float32Array.from(indexes, (index) => refs.scores[index]!),
    keys: takeColumn(keys, Uint32Array.from(indexes)) as PrimaryKeyColumn,
  };
}

function startsOf(counts: Uint32Array): Uint32Array {
  const starts = new Uint32Array(counts.length);
  for (let query = 1; query < counts.length; query++) starts[query] = starts[query - 1]! + counts[query - 1]!;
  return starts;
}

/** The first hits of one query of an answer. */
interface Slice {
  readonly hits: Hits;
  readonly start: number;
  readonly length: number;
}

function sliceOf(answer: Answer, query: number, k: number): Slice {
  const length = Math.min(k, answer.hits.counts[query]!);
  return { hits: answer.hits, start: answer.starts[query]!, length };
}

function join(request: DistinctSearch, slices: readonly Slice[]): Hits {
  const counts = Uint32Array.from(slices, (slice) => slice.length);
  const total = counts.reduce((sum, count) => sum + count, 0);
  const refs = {
    sources: new Uint32Array(total),
    rows: new Uint32Array(total),
    scores: new Float32Array(total),
  };
  let at = 0;
  for (const { hits, start, length } of slices) {
    refs.sources.set(hits.sources.subarray(start, start + length), at);
    refs.rows.set(hits.rows.subarray(start, start + length), at);
    refs.scores.set(hits.scores.subarray(start, start + length), at);
    at += length;
  }
  return { ...refs, counts, keys: keysOf(request, refs) };
}

function keysOf({ sources, schema }: DistinctSearch, refs: RowRefs): PrimaryKeyColumn {
  return keysOfRefs(
    sources.map(({ source }) => source),
    refs,
    schema,
  );
}
