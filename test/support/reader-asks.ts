import { DIM, COLLECTION, PARTITIONS, type ReaderWorld } from './reader-world.ts';
import type { ModelRow } from './model-rows.ts';
import { floatVectors } from './vectors.ts';
import type { CatalogSnapshot } from '../../src/catalog/catalog.ts';
import { valueAt, valuesOf, type ColumnValue } from '../../src/columns/index.ts';
import type {
  Guarantee,
  QueryRequest,
  QueryResult,
  ReaderApi,
  SearchRequest,
  SearchResult,
  SubRequest,
} from '../../src/protocol/reader-api.ts';
import type { Timestamp } from '../../src/schema/index.ts';
import type { CallOptions } from '../../src/wire/wire.ts';

export const CALL: CallOptions = { timeoutMs: 10_000 };

/** A plan for all of the collection, as a proxy makes it from this snapshot. */
export function planOf(snapshot: CatalogSnapshot, guarantee: Guarantee): SubRequest {
  return {
    collectionId: COLLECTION,
    schemaVersion: snapshot.collections.get(COLLECTION)?.schemaVersion ?? 1,
    segments: snapshot.segmentsOf(COLLECTION).map(({ id }) => id),
    channels: snapshot
      .channelsOf(COLLECTION)
      .map(({ id, checkpoint }) => ({ id, after: checkpoint, atLeast: 0 })),
    partitions: { ids: PARTITIONS, newerThan: PARTITIONS[1] },
    rowsSince: 0n as Timestamp,
    filter: null,
    outputFieldIds: [],
    guarantee,
  };
}

/** Every row written so far must be seen. */
export function strong(world: ReaderWorld): Guarantee {
  return { kind: 'positions', positions: world.positions() };
}

export function searchOf(plan: SubRequest, vector: readonly number[], k: number): SearchRequest {
  return {
    ...plan,
    fieldId: 101,
    metric: 'L2',
    queries: floatVectors(DIM, vector),
    k,
    params: {},
    scoreAbove: null,
    scoreUpTo: null,
  };
}

export function queryOf(plan: SubRequest, options: Partial<QueryRequest> = {}): QueryRequest {
  return { ...plan, countOnly: false, orderBy: [], limit: null, ...options };
}

export interface Hit {
  readonly key: ColumnValue;
  readonly score: number;
}

/** The hits of each query. */
export function hitsOf(result: SearchResult): Hit[][] {
  let at = 0;
  return [...result.counts].map((count) =>
    Array.from({ length: count }, () => ({ key: valueAt(result.keys, at), score: result.scores[at++]! })),
  );
}

export function keysOf(result: QueryResult): ColumnValue[] {
  return valuesOf(result.keys);
}

/** What a search must find, by the definition: the best row of each key, best first. */
export function expectedHits(rows: readonly ModelRow[], vector: readonly number[], k: number): Hit[] {
  const best = new Map<bigint, number>();
  for (const row of rows) {
    const score = scoreOf(row, vector);
    if (score > (best.get(row.key) ?? Number.NEGATIVE_INFINITY)) best.set(row.key, score);
  }
  const hits = [...best].map(([key, score]) => ({ key, score }));
  return hits.toSorted((a, b) => b.score - a.score).slice(0, k);
}

/** What a query must find: the newest row of each key, by key. */
export function expectedRows(rows: readonly ModelRow[]): ModelRow[] {
  const newest = new Map<bigint, ModelRow>();
  for (const row of rows) {
    const other = newest.get(row.key);
    if (other === undefined || row.timestamp >= other.timestamp) newest.set(row.key, row);
  }
  return [...newest.values()].toSorted((a, b) => (a.key < b.key ? -1 : 1));
}

/** As the kernel: minus the squared distance, of 32-bit components. */
function scoreOf(row: ModelRow, vector: readonly number[]): number {
  let distance = 0;
  row.vector.forEach((value, index) => {
    distance += (Math.fround(value) - Math.fround(vector[index]!)) ** 2;
  });
  return Math.fround(0 - distance);
}

export async function search(api: ReaderApi, world: ReaderWorld, request: SearchRequest): Promise<Hit[][]> {
  return hitsOf(await world.run(api.search(request, CALL)));
}
