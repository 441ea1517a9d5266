import { jsonParams, mapOfPairs } from './key-values.ts';
import type { KeyValuePair, KeyValuePairInit } from './generated/milvus.js';
import { metricOf } from './search-params.ts';
import { INDEX_HINTS, buildParams } from '../../catalog/index-hints.ts';
import type { IndexMeta } from '../../catalog/model.ts';
import { MishardsError } from '../../errors/index.ts';
import { isVectorType, type FieldSchema, type Metric } from '../../schema/index.ts';

/** What a CreateIndex asks for. */
export interface IndexRequest {
  readonly requestedType: string;
  readonly type: string;
  readonly metric: Metric;
  readonly params: Readonly<Record<string, string>>;
}

interface IntegerRange {
  readonly min: number;
  readonly max: number;
}

const INT32_MAX = 2 ** 31 - 1;
/** Parameters of each index type that is built, with Milvus's ranges. */
const INDEX_TYPES: Readonly<Record<string, Readonly<Record<string, IntegerRange>>>> = {
  FLAT: {},
  HNSW: { M: { min: 2, max: 2_048 }, efConstruction: { min: 1, max: INT32_MAX } },
};
const SEARCH_PARAMS: Readonly<Record<string, readonly string[]>> = { HNSW: ['ef'] };
const AUTOINDEX = 'AUTOINDEX';
const AUTOINDEX_TYPE = 'HNSW';
/** Milvus's default since 2.4. */
const DEFAULT_METRIC: Metric = 'COSINE';
/** Search-time parameters that clients also send when they create an index. */
const IGNORED = new Set(['dim', 'ef', 'nprobe', 'build_id', 'field_id']);

/** Parameters come flat, as JSON under `params`, or both. */
export function indexRequestFromWire(pairs: readonly KeyValuePair[], field: FieldSchema): IndexRequest {
  const flat = mapOfPairs(pairs);
  const given = new Map<string, string>();
  for (const [key, value] of jsonParams('params', flat.get('params') || '{}')) given.set(key, String(value));
  for (const [key, value] of flat) if (key !== 'params') given.set(key, value);
  const requestedType = (given.get('index_type') || AUTOINDEX).toUpperCase();
  if (!isVectorType(field.type)) {
    throw new MishardsError(
      'NOT_SUPPORTED',
      `index ${requestedType} on scalar field ${field.name} is not supported yet; filters work without`,
    );
  }
  const metric = metricOf(given.get('metric_type') ?? '') ?? DEFAULT_METRIC;
  given.delete('index_type');
  given.delete('metric_type');
  for (const key of IGNORED) given.delete(key);
  // FLAT has nothing to tune; clients leave in what the index before it had.
  if (requestedType === 'FLAT') given.delete('nlist');
  const params = Object.fromEntries(given);
  const type = requestedType === AUTOINDEX ? AUTOINDEX_TYPE : requestedType;
  checkParams(requestedType, type, params);
  return { requestedType, type, metric, params };
}

function checkParams(requestedType: string, type: string, params: Readonly<Record<string, string>>): void {
  const ranges = INDEX_TYPES[type];
  if (ranges === undefined) {
    throw new MishardsError(
      'NOT_SUPPORTED',
      `index type ${requestedType} is not supported yet; supported are ${[...Object.keys(INDEX_TYPES), AUTOINDEX].join(', ')}`,
    );
  }
  for (const [key, text] of Object.entries(params)) {
    if (INDEX_HINTS.has(key)) continue;
    const range = ranges[key];
    if (requestedType === AUTOINDEX) throw invalid('only metric type can be passed when use AutoIndex');
    if (range === undefined) throw invalid(`index type ${type} has no parameter ${key}`);
    const value = Number(text);
    if (!Number.isInteger(value)) throw invalid(`param '${key}' (${text}) should be an integer`);
    if (value < range.min || value > range.max) {
      throw invalid(
        `out of range: param '${key}' (${value}) should be in range [${range.min}, ${range.max}]`,
      );
    }
  }
}

/** As clients sent it: the build parameters as JSON under `params`, hints flat. */
export function indexParamsToWire(index: IndexMeta): KeyValuePairInit[] {
  const pairs: KeyValuePairInit[] = [{ key: 'index_type', value: index.requestedType }];
  if (index.metric !== null) pairs.push({ key: 'metric_type', value: index.metric });
  const build = Object.entries(buildParams(index));
  const hints = Object.entries(index.params).filter(([key]) => INDEX_HINTS.has(key));
  if (build.length > 0) {
    const params = Object.fromEntries(build.map(([key, value]) => [key, Number(value)]));
    pairs.push({ key: 'params', value: JSON.stringify(params) });
  }
  return [...pairs, ...hints.map(([key, value]) => ({ key, value }))];
}

/** Of what a client sends with a search, what an index of this type reads. Milvus passes over the rest. */
export function searchParamsOf(
  type: string,
  given: Readonly<Record<string, string | number | boolean>>,
): Readonly<Record<string, string | number | boolean>> {
  const known = SEARCH_PARAMS[type] ?? [];
  return Object.fromEntries(Object.entries(given).filter(([key]) => known.includes(key)));
}

/** AlterIndex changes hints only; anything else would need a rebuild. */
export function checkAlterableIndexKey(key: string): void {
  if (!INDEX_HINTS.has(key)) throw invalid(`${key} is not configable index param`);
}

function invalid(message: string): MishardsError {
  return new MishardsError('INDEX_INVALID', message);
}
