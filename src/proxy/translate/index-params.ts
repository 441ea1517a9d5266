import { jsonParams, mapOfPairs, pairsOf } from './key-values.ts';
import type { KeyValuePair, KeyValuePairInit } from './generated/milvus.js';
import { automaticIndexType, indexTypeOf, type OfferedIndexType } from './offered-indexes.ts';
import { checkFieldType, scalarIndexType } from './scalar-index-params.ts';
import { INDEX_HINTS, buildParams } from '../../catalog/index-hints.ts';
import type { IndexMeta } from '../../catalog/model.ts';
import { isScalarIndexType } from '../../catalog/scalar-index.ts';
import { MishardsError } from '../../errors/index.ts';
import { indexTypeSpec, searchParameters } from '../../kernel/index-types.ts';
import { valueOf, wantedOf, type Parameter } from '../../kernel/parameters.ts';
import {
  isVectorType,
  metricsOfVectors,
  type FieldSchema,
  type Metric,
  type VectorType,
} from '../../schema/index.ts';

/** What a CreateIndex asks for. */
export interface IndexRequest {
  readonly requestedType: string;
  readonly type: string;
  /** null for indexes on scalars. */
  readonly metric: Metric | null;
  readonly params: Readonly<Record<string, string>>;
}

/** The exact searches, which need no file. */
const FLAT = 'FLAT';
const BIN_FLAT = 'BIN_FLAT';
const AUTOINDEX = 'AUTOINDEX';
/** Search-time parameters that clients also send when they create an index. */
const IGNORED = new Set(['dim', 'ef', 'nprobe', 'search_list', 'build_id', 'field_id']);

/** Parameters come flat, as JSON under `params`, or both. */
export function indexRequestFromWire(pairs: readonly KeyValuePair[], field: FieldSchema): IndexRequest {
  const flat = mapOfPairs(pairs);
  const given = new Map<string, string>();
  for (const [key, value] of jsonParams('params', flat.get('params') || '{}')) given.set(key, String(value));
  for (const [key, value] of flat) if (key !== 'params') given.set(key, value);
  const requestedType = (given.get('index_type') || AUTOINDEX).toUpperCase();
  if (!isVectorType(field.type)) {
    given.delete('index_type');
    const params = Object.fromEntries(given);
    return { requestedType, type: scalarIndexType(requestedType, field, params), metric: null, params };
  }
  if (isScalarIndexType(requestedType)) checkFieldType(requestedType, field);
  const metric = checkedMetric(given.get('metric_type') ?? '', field.type);
  given.delete('index_type');
  given.delete('metric_type');
  for (const key of IGNORED) given.delete(key);
  // These have nothing to tune; clients leave in what the index before it had.
  if (requestedType === FLAT || requestedType === BIN_FLAT) given.delete('nlist');
  const params = Object.fromEntries(given);
  const type = requestedType === AUTOINDEX ? automaticIndexType(field.type) : requestedType;
  checkParams(requestedType, indexTypeOf(type, field.type), params, field.dim ?? 0);
  return { requestedType, type, metric, params };
}

/** Milvus's default for the type of vectors where the client names none. */
function checkedMetric(text: string, type: VectorType): Metric {
  const metrics = metricsOfVectors(type);
  const name = text.toUpperCase();
  const metric = text === '' ? metrics[0] : metrics.find((candidate) => candidate === name);
  if (metric !== undefined) return metric;
  const expected = ': invalid parameter[expected=valid index params][actual=invalid index params]';
  switch (type) {
    case 'SparseFloatVector':
      if (name === 'BM25') {
        throw new MishardsError('NOT_SUPPORTED', 'metric type BM25 (full text search) is not supported yet');
      }
      throw invalid(`only IP&BM25 is the supported metric type for sparse index${expected}`);
    case 'BinaryVector':
      throw invalid(`binary vector index does not support metric type: ${text}${expected}`);
    case 'Int8Vector':
      throw invalid(`int vector index does not support metric type: ${text}${expected}`);
    default:
      throw invalid(`float vector index does not support metric type: ${text}${expected}`);
  }
}

function checkParams(
  requestedType: string,
  { name, build: known }: OfferedIndexType,
  params: Readonly<Record<string, string>>,
  dim: number,
): void {
  for (const [key, text] of Object.entries(params)) {
    if (INDEX_HINTS.has(key)) continue;
    const parameter = known[key];
    if (requestedType === AUTOINDEX) throw invalid('only metric type can be passed when use AutoIndex');
    if (parameter === undefined) throw invalid(`index type ${name} has no parameter ${key}`);
    const wrong = complaintAbout(parameter, key, text);
    if (wrong !== null) throw invalid(wrong);
  }
  const defect = indexTypeSpec(name)?.defect?.(params, dim) ?? null;
  if (defect !== null) throw invalid(defect);
}

/** What Milvus says about a value, null when it has nothing to say. */
function complaintAbout(parameter: Parameter, key: string, given: string | number | boolean): string | null {
  if (valueOf(parameter, given) !== null) return null;
  const value = Number(given);
  switch (parameter.kind) {
    case 'integer':
      if (!Number.isInteger(value)) return `param '${key}' (${given}) should be an integer`;
      break;
    case 'number':
      if (!Number.isFinite(value)) return `param '${key}' (${given}) should be a number`;
      break;
    default:
      return `param '${key}' (${given}) should be ${wantedOf(parameter)}`;
  }
  return `out of range: param '${key}' (${value}) should be in range [${parameter.min}, ${parameter.max}]`;
}

/** As clients sent it: the build parameters as JSON under `params`, hints flat. */
export function indexParamsToWire(index: IndexMeta): KeyValuePairInit[] {
  const pairs: KeyValuePairInit[] = [{ key: 'index_type', value: index.requestedType }];
  if (isScalarIndexType(index.type)) return [...pairs, ...pairsOf(index.params)];
  if (index.metric !== null) pairs.push({ key: 'metric_type', value: index.metric });
  const build = Object.entries(buildParams(index));
  const hints = Object.entries(index.params).filter(([key]) => INDEX_HINTS.has(key));
  if (build.length > 0) {
    const params = Object.fromEntries(build.map(([key, value]) => [key, typedText(value)]));
    pairs.push({ key: 'params', value: JSON.stringify(params) });
  }
  return [...pairs, ...hints.map(([key, value]) => ({ key, value }))];
}

/** Numbers and flags as such: what clients send in `params`. */
function typedText(text: string): string | number | boolean {
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value)) return value;
  return text === 'true' ? true : text === 'false' ? false : text;
}

/** Of what a client sends with a search, what an index of this type reads. Milvus passes over the rest. Errors: `PARAMETER_INVALID`. */
export function searchParamsOf(
  type: string,
  given: Readonly<Record<string, string | number | boolean>>,
): Readonly<Record<string, string | number | boolean>> {
  const names = indexTypeSpec(type)?.search ?? [];
  const known = searchParameters(1);
  const read = Object.entries(given).filter(([key]) => names.includes(key));
  for (const [key, value] of read) {
    const wrong = complaintAbout(known[key]!, key, value);
    if (wrong !== null) throw new MishardsError('PARAMETER_INVALID', wrong);
  }
  return Object.fromEntries(read);
}

/** AlterIndex changes hints only; anything else would need a rebuild. */
export function checkAlterableIndexKey(key: string): void {
  if (!INDEX_HINTS.has(key)) throw invalid(`${key} is not configable index param`);
}

function invalid(message: string): MishardsError {
  return new MishardsError('INDEX_INVALID', message);
}
