import type { KeyValuePair, KeyValuePairInit } from './generated/milvus.js';
import { MishardsError } from '../../errors/index.ts';

/** Milvus's key-value lists as a map. A key given twice is refused. */
export function mapOfPairs(pairs: readonly KeyValuePair[]): ReadonlyMap<string, string> {
  const map = new Map<string, string>();
  for (const { key, value } of pairs) {
    if (map.has(key)) throw new MishardsError('PARAMETER_INVALID', `duplicated param key: ${key}`);
    map.set(key, value);
  }
  return map;
}

export function recordOfPairs(pairs: readonly KeyValuePair[]): Readonly<Record<string, string>> {
  return Object.fromEntries(mapOfPairs(pairs));
}

export function pairsOf(record: Readonly<Record<string, string>>): KeyValuePairInit[] {
  return Object.entries(record).map(([key, value]) => ({ key, value }));
}

/** A whole number from text, or `undefined` where the key is absent. */
export function integerParam(params: ReadonlyMap<string, string>, key: string): number | undefined {
  const text = params.get(key);
  if (text === undefined || text === '') return undefined;
  if (/^[+-]?\d+$/.test(text.trim())) return Number(text);
  throw new MishardsError('PARAMETER_INVALID', `${key} [${text}] is invalid, it should be a whole number`);
}

export function booleanParam(params: ReadonlyMap<string, string>, key: string): boolean {
  const text = params.get(key)?.toLowerCase();
  if (text === undefined || text === '' || text === 'false' || text === '0') return false;
  if (text === 'true' || text === '1') return true;
  throw new MishardsError('PARAMETER_INVALID', `${key} [${text}] is invalid, it should be true or false`);
}

/** A JSON object whose values are scalars, as index and search parameters are. */
export function jsonParams(key: string, text: string): ReadonlyMap<string, string | number | boolean> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new MishardsError('PARAMETER_INVALID', `${key} [${text}] is not JSON`, { cause: error });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new MishardsError('PARAMETER_INVALID', `${key} [${text}] is not a JSON object`);
  }
  const params = new Map<string, string | number | boolean>();
  for (const [name, one] of Object.entries(value)) {
    if (one === null) continue;
    const scalar = typeof one === 'string' || typeof one === 'number' || typeof one === 'boolean';
    params.set(name, scalar ? one : JSON.stringify(one));
  }
  return params;
}
