import { integerParam, jsonParams, mapOfPairs } from './key-values.ts';
import {
  FunctionType,
  type FunctionScore,
  type FunctionSchema,
  type KeyValuePair,
} from './generated/milvus.js';
import { checkWindow, roundDecimalOf } from './search-params.ts';
import type { Ranking } from '../ranking.ts';
import { MishardsError } from '../../errors/index.ts';

/** What a hybrid search's `rank_params` ask for. */
export interface RankParams {
  readonly ranking: Ranking;
  readonly limit: number;
  readonly offset: number;
  /** -1 = as computed. */
  readonly roundDecimal: number;
}

const ARRANGING = ['group_by_field', 'group_by_fields', 'order_by_fields'];
const K_DEFAULT = 60;
const K_END = 16_384;

/** `searchCount`: how many searches are ranked. A rerank function counts more than a strategy, as in Milvus. */
export function rankParamsFromWire(
  pairs: readonly KeyValuePair[],
  functionScore: FunctionScore | null,
  searchCount: number,
): RankParams {
  const params = mapOfPairs(pairs);
  for (const key of ARRANGING) {
    if ((params.get(key) ?? '') === '') continue;
    throw new MishardsError('NOT_SUPPORTED', `${key} of a hybrid search is not supported yet`);
  }
  const limit = integerParam(params, 'limit');
  if (limit === undefined) throw invalid('limit not found in rank_params');
  const offset = integerParam(params, 'offset') ?? 0;
  checkWindow(limit, offset);
  const [first, second] = functionScore?.functions ?? [];
  if (second !== undefined) {
    throw new MishardsError('NOT_SUPPORTED', 'more than one rerank function is not supported yet');
  }
  const ranking = first === undefined ? legacyRanking(params) : functionRanking(first);
  if (ranking.kind === 'weighted' && ranking.weights.length !== searchCount) {
    throw invalid(
      `the length of weights param mismatch with ann search requests: invalid parameter[expected=${searchCount}][actual=${ranking.weights.length}]`,
    );
  }
  return { ranking, limit, offset, roundDecimal: roundDecimalOf(params) };
}

/** `strategy`, and its parameters as JSON under `params`. Weighted scores are normalized unless the client says no. */
function legacyRanking(params: ReadonlyMap<string, string>): Ranking {
  const strategy = params.get('strategy') || 'rrf';
  const nested = jsonParams('params', params.get('params') || '{}');
  return rankingOf(strategy, nested, true, () => invalid(`unsupported rank type ${strategy}`));
}

/** Weighted scores are taken as they are unless the client says otherwise. */
function functionRanking(func: FunctionSchema): Ranking {
  const refused = (what: string): MishardsError =>
    new MishardsError('NOT_SUPPORTED', `${what} is not supported yet; use rrf or weighted`);
  if (func.type !== FunctionType.Rerank) throw refused(`function ${func.name} of type ${func.type}`);
  const params = mapOfPairs(func.params);
  const name = (params.get('reranker') ?? '').toLowerCase();
  return rankingOf(name, params, false, () => refused(`reranker ${name}`));
}

function rankingOf(
  name: string,
  params: ReadonlyMap<string, string | number | boolean>,
  isNormalizedByDefault: boolean,
  unknown: () => MishardsError,
): Ranking {
  if (name === 'rrf') return { kind: 'rrf', k: kOf(params.get('k') ?? K_DEFAULT) };
  if (name !== 'weighted') throw unknown();
  const norm = String(params.get('norm_score') ?? isNormalizedByDefault).toLowerCase();
  if (norm !== 'true' && norm !== 'false') {
    throw invalid(`norm_score params must be true/false, but got ${norm}`);
  }
  return { kind: 'weighted', weights: weightsOf(params.get('weights')), isNormalized: norm === 'true' };
}

function kOf(given: string | number | boolean): number {
  const k = typeof given === 'string' && given.trim() !== '' ? Number(given) : given;
  if (typeof k !== 'number' || Number.isNaN(k)) throw invalid('The type of rank param k should be float');
  if (k > 0 && k < K_END) return k;
  throw invalid(`The rank params k should be in range (0, ${K_END})`);
}

function weightsOf(given: string | number | boolean | undefined): readonly number[] {
  if (given === undefined) throw invalid('weights not found in rank_params');
  const weights = listOf(String(given));
  if (weights === null) throw invalid('The weights param should be an array');
  for (const weight of weights) {
    if (typeof weight !== 'number') throw invalid('The type of rank param weight should be float');
    if (weight < 0 || weight > 1) throw invalid('rank param weight should be in range [0, 1]');
  }
  return weights as readonly number[];
}

function listOf(text: string): readonly unknown[] | null {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}

function invalid(message: string): MishardsError {
  return new MishardsError('PARAMETER_INVALID', message);
}
