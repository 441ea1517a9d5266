import { MishardsError } from '../errors/index.ts';
import type { Transaction } from './metastore.ts';

export const KEY_BYTES_MAX = 1024;
export const VALUE_BYTES_MAX = 1024 * 1024;
export const COMPARES_MAX = 512;
export const WRITES_MAX = 512;
const LEASE_TTL_MS_MAX = 24 * 3_600_000;

/** Throws `PARAMETER_TOO_LARGE` or `PARAMETER_INVALID` unless the transaction is within the contract. */
export function checkTransaction(transaction: Transaction): void {
  checkCount('compares', transaction.compares.length, COMPARES_MAX);
  checkCount('operations', transaction.then.length, WRITES_MAX);
  for (const compare of transaction.compares) checkKey(compare.key);
  const written = new Set<string>();
  for (const write of transaction.then) {
    checkKey(write.key);
    if (written.has(write.key))
      throw invalid(`the key "${write.key}" is written twice; write it once a transaction`);
    written.add(write.key);
    if (write.kind === 'put') checkValue(write.key, write.value);
  }
}

export function checkKey(key: string): void {
  if (key === '') throw invalid('the metadata key is empty');
  checkPrefix(key);
}

/** A prefix may be empty: it means every key. */
export function checkPrefix(prefix: string): void {
  if (!prefix.isWellFormed()) throw invalid('the metadata key is not well-formed Unicode');
  const sizeBytes = Buffer.byteLength(prefix);
  if (sizeBytes > KEY_BYTES_MAX) {
    throw tooLarge(
      `the metadata key has ${sizeBytes} bytes, above the limit of ${KEY_BYTES_MAX}; shorten it`,
    );
  }
}

export function checkLeaseTtl(ttlMs: number): void {
  if (!Number.isSafeInteger(ttlMs) || ttlMs < 1 || ttlMs > LEASE_TTL_MS_MAX) {
    throw invalid(`the lease time of ${ttlMs} ms is out of range; use 1 to ${LEASE_TTL_MS_MAX}`);
  }
}

export function leaseExpired(leaseId: string): MishardsError {
  return new MishardsError('FENCED', `the lease ${leaseId} has expired or was revoked; grant a new one`);
}

export function metastoreClosed(driver: string): MishardsError {
  return new MishardsError('METASTORE_UNAVAILABLE', `the ${driver} metastore is closed`);
}

/** The smallest string above every key that starts with `prefix`, by code points; undefined when there is none. */
export function prefixEnd(prefix: string): string | undefined {
  const points = Array.from(prefix, (character) => character.codePointAt(0)!);
  for (let last = points.pop(); last !== undefined; last = points.pop()) {
    if (last === 0x10ffff) continue;
    // The code points of surrogates are no characters.
    const next = last === 0xd7ff ? 0xe000 : last + 1;
    return String.fromCodePoint(...points, next);
  }
  return undefined;
}

/** Order of UTF-8 bytes, which is that of code points, and not that of JavaScript's `<`. */
export function compareKeys(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index++) {
    const [left, right] = [a.charCodeAt(index), b.charCodeAt(index)];
    if (left === right) continue;
    const [isLeftHigh, isRightHigh] = [isSurrogate(left), isSurrogate(right)];
    if (isLeftHigh === isRightHigh) return left - right;
    return isLeftHigh ? 1 : -1;
  }
  return a.length - b.length;
}

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff;
}

function checkValue(key: string, value: string): void {
  if (!value.isWellFormed()) throw invalid(`the value of "${key}" is not well-formed Unicode`);
  const sizeBytes = Buffer.byteLength(value);
  if (sizeBytes > VALUE_BYTES_MAX) {
    throw tooLarge(
      `the value of "${key}" has ${sizeBytes} bytes, above the limit of ${VALUE_BYTES_MAX}; split it`,
    );
  }
}

function checkCount(what: string, count: number, max: number): void {
  if (count > max) {
    throw tooLarge(`the transaction has ${count} ${what}, above the limit of ${max}; split it into several`);
  }
}

function invalid(message: string): MishardsError {
  return new MishardsError('PARAMETER_INVALID', message);
}

function tooLarge(message: string): MishardsError {
  return new MishardsError('PARAMETER_TOO_LARGE', message);
}
