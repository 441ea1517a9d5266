import { intersect, hasOnes } from './bitmaps.ts';
import { K_MAX, searchDistinct, type AllowedSource, type Hits } from './distinct-search.ts';
import type { BoundFilter } from './filter-cache.ts';
import type { ReadSource } from './read-source.ts';
import { fieldOf, fieldsOfRefs } from './row-refs.ts';
import { isEmptySelection, selectionBitmap, type RowSelector } from './row-selector.ts';
import { emptyColumn, sameShape, shapeOfColumn, type PrimaryKeyColumn } from '../columns/index.ts';
import { MishardsError } from '../errors/index.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { SearchRequest, SearchResult } from '../protocol/reader-api.ts';
import { isVectorType, primaryKeyField, type CollectionSchema } from '../schema/index.ts';
import { vectorShape, vectorValues } from '../segment/vector-columns.ts';

export interface SearchContext {
  readonly kernel: Kernel;
  readonly selector: RowSelector;
  readonly schema: CollectionSchema;
  readonly filter: BoundFilter | null;
  readonly sources: readonly ReadSource[];
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** Answers a search from the sources, without statistics. */
export async function searchSources(
  request: SearchRequest,
  context: SearchContext,
): Promise<Omit<SearchResult, 'stats'>> {
  const { kernel, schema, timeoutMs, signal } = context;
  const { fieldId, metric, queries, k, params, scoreAbove, scoreUpTo } = request;
  checkQueries(request, schema);
  const queryCount = queries.length;
  const allowed = await allowedSources(request, context);
  const search = {
    ...vectorShape(queries),
    metric,
    queries: vectorValues(queries),
    queryCount,
    k,
    params,
    scoreAbove,
    scoreUpTo,
    timeoutMs,
    signal,
  };
  const hits =
    allowed.length === 0 || queryCount === 0
      ? noHits(queryCount, schema)
      : await searchDistinct({ kernel, schema, fieldId, sources: allowed, search });
  signal.throwIfAborted();
  const sources = allowed.map(({ source }) => source);
  const rows = await fieldsOfRefs(sources, hits, schema, request.outputFieldIds);
  return { counts: hits.counts, scores: hits.scores, keys: hits.keys, rows };
}

/** The sources that have rows that may be hits. */
async function allowedSources(
  request: SearchRequest,
  context: SearchContext,
): Promise<readonly AllowedSource[]> {
  const found: AllowedSource[] = [];
  for (const source of context.sources) {
    const selection = await context.selector.select(source, context.filter);
    context.signal.throwIfAborted();
    if (isEmptySelection(selection, source.rowCount)) continue;
    const chosen = selectionBitmap(selection, source.rowCount);
    const allowed = intersect(chosen, source.rows.vectorValidity(request.fieldId));
    if (allowed === null || hasOnes(allowed)) found.push({ source, allowed });
  }
  return found;
}

function checkQueries({ fieldId, queries, k }: SearchRequest, schema: CollectionSchema): void {
  const field = fieldOf(schema, fieldId);
  if (!isVectorType(field.type)) {
    throw new MishardsError(
      'PARAMETER_INVALID',
      `field ${field.name} is ${field.type}; only vectors can be searched`,
    );
  }
  const shape = shapeOfColumn(queries);
  if (!sameShape(shape, field)) {
    throw new MishardsError(
      'PARAMETER_INVALID',
      `queries of ${shape.type} with dimension ${shape.dim} do not fit field ${field.name}, which is ${field.type} with dimension ${field.dim}`,
    );
  }
  if (k < 1 || k > K_MAX) {
    throw new MishardsError('PARAMETER_INVALID', `offset + limit is ${k}; it must be 1 to ${K_MAX}`);
  }
}

function noHits(queryCount: number, schema: CollectionSchema): Hits {
  return {
    counts: new Uint32Array(queryCount),
    sources: new Uint32Array(0),
    rows: new Uint32Array(0),
    scores: new Float32Array(0),
    keys: emptyColumn(primaryKeyField(schema)) as PrimaryKeyColumn,
  };
}
