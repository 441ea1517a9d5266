import { booleanParam, integerParam, mapOfPairs } from './key-values.ts';
import type { KeyValuePair } from './generated/milvus.js';
import { orderByFromWire } from './order-by.ts';
import { MishardsError } from '../../errors/index.ts';
import type { OrderBy } from '../../protocol/reader-api.ts';
import type { CollectionSchema } from '../../schema/index.ts';

/** Rows of one query, offset included, as in Milvus. */
export const QUERY_WINDOW_MAX = 16_384;

export interface QueryParams {
  /** null = all matching rows. */
  readonly limit: number | null;
  readonly offset: number;
  /** Only rows in segments count (`ignore_growing`). */
  readonly ignoresFresh: boolean;
  /** Empty = by primary key. */
  readonly orderBy: readonly OrderBy[];
}

const UNSUPPORTED: Readonly<Record<string, string>> = {
  group_by_fields: 'aggregation (group_by_fields)',
};

export function queryParamsFromWire(pairs: readonly KeyValuePair[], schema: CollectionSchema): QueryParams {
  const params = mapOfPairs(pairs);
  for (const [key, what] of Object.entries(UNSUPPORTED)) {
    if ((params.get(key) ?? '') !== '') {
      throw new MishardsError('NOT_SUPPORTED', `${what} is not supported yet`);
    }
  }
  const given = integerParam(params, 'limit');
  // Milvus's clients write -1 for "no limit".
  const limit = given === undefined || given === -1 ? null : given;
  const offset = limit === null ? 0 : (integerParam(params, 'offset') ?? 0);
  if (limit !== null) checkWindow(limit, offset);
  const ignoresFresh = booleanParam(params, 'ignore_growing');
  return {
    limit,
    offset,
    ignoresFresh,
    orderBy: orderByFromWire(params.get('order_by_fields') ?? '', schema),
  };
}

/** `count(*)` and nothing else. Other aggregates are refused by name. */
export function isCount(outputFields: readonly string[]): boolean {
  const aggregate = outputFields.find((name) => /^\s*\w+\s*\(.*\)\s*$/.test(name));
  if (aggregate === undefined) return false;
  if (outputFields.length === 1 && aggregate.trim().toLowerCase() === 'count(*)') return true;
  throw new MishardsError(
    'NOT_SUPPORTED',
    `aggregation ${outputFields.join(', ')} is not supported yet, only count(*) alone`,
  );
}

function checkWindow(limit: number, offset: number): void {
  const invalid = (message: string): MishardsError =>
    new MishardsError('PARAMETER_INVALID', `invalid max query result window, ${message}`);
  if (offset < 0) throw invalid(`offset [${offset}] is invalid, should be gte than 0`);
  if (limit <= 0) throw invalid(`limit [${limit}] is invalid, should be greater than 0`);
  if (offset + limit > QUERY_WINDOW_MAX) {
    throw invalid(`(offset+limit) should be in range [1, ${QUERY_WINDOW_MAX}], but got ${offset + limit}`);
  }
}
