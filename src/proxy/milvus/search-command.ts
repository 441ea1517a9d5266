import { livingRows } from './living-rows.ts';
import { readPartitions } from './read-partitions.ts';
import type { ReadCommand, SearchCommand } from '../proxy-core.ts';
import type { CollectionMeta, IndexMeta } from '../../catalog/model.ts';
import type { VectorColumn } from '../../columns/index.ts';
import { MishardsError } from '../../errors/index.ts';
import { BREADTHS, indexTypeSpec } from '../../kernel/index-types.ts';
import { zonedFilter } from '../../filter/index.ts';
import type { FieldSchema, Metric } from '../../schema/index.ts';
import { readConsistency } from '../translate/consistency.ts';
import type { SearchRequest } from '../translate/generated/milvus.js';
import { searchParamsOf } from '../translate/index-params.ts';
import type { OutputFields } from '../translate/output-fields.ts';
import { pageRange } from '../translate/search-iterator.ts';
import { scoreRange } from '../translate/scores.ts';
import type { SearchParams } from '../translate/search-params.ts';
import { templateValuesFromWire } from '../translate/template-values.ts';

type ReadRequest = Pick<
  SearchRequest,
  | 'dsl'
  | 'exprTemplateValues'
  | 'partitionNames'
  | 'consistencyLevel'
  | 'useDefaultConsistency'
  | 'guaranteeTimestamp'
>;

/** What a search looks through, and what it returns of a row. */
export function readOf(
  collection: CollectionMeta,
  request: ReadRequest,
  { ignoresFresh }: Pick<SearchParams, 'ignoresFresh'>,
  output: OutputFields,
  nowMs: number,
): ReadCommand {
  const values = templateValuesFromWire(request.exprTemplateValues);
  const text = zonedFilter(request.dsl, output.times.zone);
  const filter = text.trim() === '' ? null : { text, values };
  return {
    collection,
    partitionIds: readPartitions(collection, request.partitionNames, filter),
    filter: livingRows(collection, filter, nowMs),
    outputFieldIds: readFieldIds(output.fields),
    ...readConsistency(request, collection),
    ignoresFresh,
  };
}

export function searchOf(
  params: SearchParams,
  { type, metric }: VectorIndex,
  queries: VectorColumn,
): Omit<SearchCommand, keyof ReadCommand> {
  const { page } = params;
  const breadth = BREADTHS.find((name) => indexTypeSpec(type)?.search.includes(name));
  const indexParams = breadth === undefined ? params.indexParams : paramsWithBreadth(breadth, params);
  if (page !== null && queries.length > 1) {
    throw new MishardsError(
      'PARAMETER_INVALID',
      `a search iterator takes one query vector, but got ${queries.length}`,
    );
  }
  const range = scoreRange(metric, params.radius, params.rangeFilter);
  return {
    fieldId: params.field.id,
    metric,
    queries,
    limit: params.limit,
    offset: params.offset,
    params: searchParamsOf(type, indexParams),
    ...(params.isOfIterator ? pageRange(page, metric, range) : range),
  };
}

/** The primary key comes with every answer. */
export function readFieldIds(fields: readonly FieldSchema[]): readonly number[] {
  return fields.filter((field) => !field.isPrimaryKey).map((field) => field.id);
}

type VectorIndex = IndexMeta & { readonly metric: Metric };

/** The index decides on the metric; a client that names another is told so. */
export function indexFor(collection: CollectionMeta, { field, metric }: SearchParams): VectorIndex {
  if (collection.load === null) {
    throw new MishardsError('COLLECTION_NOT_LOADED', `collection not loaded[collection=${collection.name}]`);
  }
  const index = collection.indexes.find((candidate) => candidate.fieldId === field.id);
  if (index === undefined || index.metric === null) {
    throw new MishardsError(
      'INDEX_NOT_FOUND',
      `index not found[collection=${collection.name}][field=${field.name}], create one and load again`,
    );
  }
  if (metric !== null && metric !== index.metric) {
    throw new MishardsError(
      'PARAMETER_INVALID',
      `metric type not match: invalid parameter[expected=${index.metric}][actual=${metric}]`,
    );
  }
  return { ...index, metric: index.metric };
}

/** The size of a graph's list of candidates cannot be below the hits wanted; the client does not choose those of a page. */
function paramsWithBreadth(
  name: string,
  { indexParams, limit, offset, page }: SearchParams,
): SearchParams['indexParams'] {
  const breadth = indexParams[name];
  if (breadth === undefined) return indexParams;
  const hits = limit + offset;
  const isWhole = typeof breadth === 'number' && Number.isInteger(breadth);
  if (isWhole && breadth >= hits) return indexParams;
  if (isWhole && breadth > 0 && page !== null) return { ...indexParams, [name]: hits };
  throw new MishardsError('PARAMETER_INVALID', `${name}(${breadth}) should be larger than k(${hits})`);
}
