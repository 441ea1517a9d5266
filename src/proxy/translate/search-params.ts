import { booleanParam, integerParam, jsonParams, mapOfPairs } from './key-values.ts';
import type { KeyValuePair } from './generated/milvus.js';
import { groupField, orderByFromWire } from './order-by.ts';
import type { GroupBy } from '../core/arrange-hits.ts';
import type { OrderBy } from '../../protocol/reader-api.ts';
import { iteratorPageFromWire, type IteratorPage } from './search-iterator.ts';
import { SEARCH_WINDOW_MAX } from './search-window.ts';
import { MishardsError } from '../../errors/index.ts';
import {
  isVectorType,
  METRICS,
  type CollectionSchema,
  type FieldSchema,
  type Metric,
} from '../../schema/index.ts';

/** What a client's `search_params` ask for. */
export interface SearchParams {
  readonly field: FieldSchema;
  /** As the client wrote it, in capitals; null = the index's. */
  readonly metric: Metric | null;
  readonly limit: number;
  readonly offset: number;
  /** -1 = as computed. */
  readonly roundDecimal: number;
  readonly radius: number | null;
  readonly rangeFilter: number | null;
  /** null = a plain search. */
  readonly page: IteratorPage | null;
  /** Clients that make the pages of an iterator by themselves, from ranges, say so. */
  readonly isOfIterator: boolean;
  /** null = hits are not grouped. */
  readonly groupBy: GroupBy | null;
  /** Only rows in segments count (`ignore_growing`). */
  readonly ignoresFresh: boolean;
  /** Empty = by score. */
  readonly orderBy: readonly OrderBy[];
  /** For the index: `ef` and whatever else the client sent. */
  readonly indexParams: Readonly<Record<string, string | number | boolean>>;
}

/** Named so that no client believes it got what it asked for. */
const UNSUPPORTED: Readonly<Record<string, string>> = {
  group_by_fields: 'grouping search by several fields (group_by_fields)',
};
/** Flat keys that are read here; every other key is meant for the index. */
const OWN_KEYS = new Set([
  ...['anns_field', 'topk', 'limit', 'params', 'metric_type', 'round_decimal', 'ignore_growing', 'offset'],
  ...['radius', 'range_filter', 'collection_id', 'iterator', 'hints', 'group_size', 'strict_group_size'],
  ...['group_by_field', 'order_by_fields'],
  ...['timezone', 'time_fields'],
  ...[
    'guarantee_timestamp',
    'level',
    'cluster_id',
    ...['search_iter_v2', 'search_iter_id', 'search_iter_batch_size', 'search_iter_last_bound'],
    ...Object.keys(UNSUPPORTED),
  ],
]);

/** `limitElse`: for a client that names no limit; undefined = it must. */
export function searchParamsFromWire(
  pairs: readonly KeyValuePair[],
  schema: CollectionSchema,
  limitElse?: number,
): SearchParams {
  const flat = mapOfPairs(pairs);
  const nested = jsonParams('params', flat.get('params') || '{}');
  // Clients send a parameter flat, inside `params`, or both; the flat one counts.
  const params = new Map<string, string>([...nested].map(([key, value]) => [key, String(value)]));
  for (const [key, value] of flat) if (key !== 'params') params.set(key, value);
  refuseUnsupported(params);
  const page = iteratorPageFromWire(params);
  const limit = page?.batchSize ?? integerParam(params, 'topk') ?? integerParam(params, 'limit') ?? limitElse;
  if (limit === undefined) throw invalid('topk is required');
  const offset = page?.tiesSeen ?? integerParam(params, 'offset') ?? 0;
  checkWindow(limit, offset);
  const typed = [...params.keys()].filter((key) => !OWN_KEYS.has(key));
  return {
    field: annsField(params.get('anns_field') ?? '', schema),
    metric: metricOf(params.get('metric_type') ?? ''),
    limit,
    offset,
    roundDecimal: roundDecimalOf(params),
    radius: numberOf(params, 'radius'),
    rangeFilter: numberOf(params, 'range_filter'),
    page,
    isOfIterator: page !== null || booleanParam(params, 'iterator'),
    ignoresFresh: booleanParam(params, 'ignore_growing'),
    ...arrangement(params, page, schema),
    indexParams: Object.fromEntries(
      typed.map((key) => [key, typedValue(nested.get(key) ?? params.get(key)!)]),
    ),
  };
}

const GROUP_SIZE_MAX = 100;

/** Pages of an iterator are neither grouped nor put in another order, and groups are by score. */
function arrangement(
  params: ReadonlyMap<string, string>,
  page: IteratorPage | null,
  schema: CollectionSchema,
): Pick<SearchParams, 'groupBy' | 'orderBy'> {
  const orderBy = orderByFromWire(params.get('order_by_fields') ?? '', schema);
  const name = params.get('group_by_field') ?? '';
  const isGrouped = name !== '';
  if (page !== null && (isGrouped || orderBy.length > 0)) {
    throw invalid('a search iterator does not support group by and order by');
  }
  if (!isGrouped) return { groupBy: null, orderBy };
  if (orderBy.length > 0) {
    throw new MishardsError('NOT_SUPPORTED', 'ordering the groups of a search is not supported yet');
  }
  const size = integerParam(params, 'group_size') ?? 1;
  if (size < 1 || size > GROUP_SIZE_MAX) {
    throw invalid(`group_size [${size}] is invalid, it should be in range [1, ${GROUP_SIZE_MAX}]`);
  }
  const strict = booleanParam(params, 'strict_group_size');
  return { groupBy: { fieldId: groupField(name, schema).id, size, strict }, orderBy };
}

function refuseUnsupported(params: ReadonlyMap<string, string>): void {
  for (const [key, what] of Object.entries(UNSUPPORTED)) {
    const value = params.get(key) ?? '';
    if (value !== '' && value.toLowerCase() !== 'false') {
      throw new MishardsError('NOT_SUPPORTED', `${what} is not supported yet`);
    }
  }
}

export function checkWindow(limit: number, offset: number): void {
  const inRange = (name: string, value: number, low: number): void => {
    if (value >= low && value <= SEARCH_WINDOW_MAX) return;
    throw invalid(
      `${name} [${value}] is invalid, it should be in range [${low}, ${SEARCH_WINDOW_MAX}], but got ${value}`,
    );
  };
  inRange('topk', limit, 1);
  inRange('offset', offset, 0);
  inRange('offset+topk', limit + offset, 1);
}

function annsField(name: string, schema: CollectionSchema): FieldSchema {
  const vectors = schema.fields.filter((field) => isVectorType(field.type));
  if (name === '') {
    if (vectors.length === 1) return vectors[0]!;
    throw invalid('multiple anns_fields exist, please specify a anns_field in search_params');
  }
  const field = schema.fields.find((candidate) => candidate.name === name);
  if (field === undefined) {
    throw new MishardsError(
      'FIELD_NOT_FOUND',
      `failed to get field schema by name: fieldName(${name}) not found`,
    );
  }
  if (!vectors.includes(field)) throw invalid(`field (${name}) to search is not of vector data type`);
  return field;
}

export function metricOf(text: string): Metric | null {
  if (text === '') return null;
  const metric = METRICS.find((candidate) => candidate === text.toUpperCase());
  if (metric !== undefined) return metric;
  throw invalid(`metric type ${text} not found or not supported, supported: [${METRICS.join(' ')}]`);
}

export function roundDecimalOf(params: ReadonlyMap<string, string>): number {
  const digits = integerParam(params, 'round_decimal') ?? -1;
  if (digits >= -1 && digits <= 6) return digits;
  throw invalid(`round_decimal [${digits}] is invalid, should be -1 or an integer in range [0, 6]`);
}

function numberOf(params: ReadonlyMap<string, string>, key: string): number | null {
  const text = params.get(key);
  if (text === undefined || text === '') return null;
  const value = Number(text);
  if (Number.isFinite(value)) return value;
  throw invalid(`${key} [${text}] is invalid, it should be a number`);
}

function typedValue(value: string | number | boolean): string | number | boolean {
  if (typeof value !== 'string' || value.trim() === '') return value;
  const number = Number(value);
  return Number.isFinite(number) ? number : value;
}

function invalid(message: string): MishardsError {
  return new MishardsError('PARAMETER_INVALID', message);
}
