import { MishardsError } from '../errors/index.ts';

const KEY_BYTES_MAX = 512;
const SEGMENT_BYTES_MAX = 255;
const KEY = /^[A-Za-z0-9_-][A-Za-z0-9._-]*(\/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$/;
const PREFIX = /^([A-Za-z0-9_-][A-Za-z0-9._-]*\/)*([A-Za-z0-9_-][A-Za-z0-9._-]*)?$/;
const LIST_LIMIT_MAX = 1000;

/** Throws `PARAMETER_INVALID` unless `key` follows the rules of the contract. */
export function checkObjectKey(key: string): void {
  if (key.length > KEY_BYTES_MAX) {
    throw invalid(`the object key has ${key.length} bytes, above the limit of ${KEY_BYTES_MAX}; shorten it`);
  }
  if (!KEY.test(key)) {
    throw invalid(
      `the object key "${key}" is invalid; use segments of [A-Za-z0-9._-] that do not begin with a dot, separated by single slashes`,
    );
  }
  if (key.split('/').some((segment) => segment.length > SEGMENT_BYTES_MAX)) {
    throw invalid(
      `a segment of the object key "${key}" is above the limit of ${SEGMENT_BYTES_MAX} bytes; shorten it`,
    );
  }
}

export function checkObjectRange(key: string, offset: number, length: number): void {
  if (!Number.isSafeInteger(offset) || offset < 0 || !Number.isSafeInteger(length) || length < 0) {
    throw invalid(
      `the range of ${length} bytes at ${offset} of object "${key}" is invalid; both must be whole and not negative`,
    );
  }
}

/** Throws `PARAMETER_INVALID` unless the prefix could begin a key; gives the options with their defaults. */
export function checkObjectList(
  prefix: string,
  options: { readonly startAfter?: string; readonly limit?: number } | undefined,
): { readonly startAfter: string; readonly limit: number } {
  if (prefix.length > KEY_BYTES_MAX || !PREFIX.test(prefix)) {
    throw invalid(
      `the object prefix "${prefix}" cannot begin a key; use segments of [A-Za-z0-9._-] and slashes`,
    );
  }
  const limit = options?.limit ?? LIST_LIMIT_MAX;
  if (!Number.isSafeInteger(limit) || limit < 1 || limit > LIST_LIMIT_MAX) {
    throw invalid(`the list limit ${limit} is out of range; use 1 to ${LIST_LIMIT_MAX}`);
  }
  return { startAfter: options?.startAfter ?? '', limit };
}

function invalid(message: string): MishardsError {
  return new MishardsError('PARAMETER_INVALID', message);
}
