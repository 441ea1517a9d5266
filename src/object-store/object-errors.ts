import { MishardsError } from '../errors/index.ts';
import type { ObjectStat, PutCondition } from './object-store.ts';

export function objectNotFound(key: string): MishardsError {
  return new MishardsError('OBJECT_NOT_FOUND', `there is no object "${key}"`);
}

export function keyContinuesAnother(key: string, other: string): MishardsError {
  return new MishardsError(
    'PARAMETER_INVALID',
    `the object key "${key}" cannot stand beside "${other}": a key must not continue another; choose a sibling name`,
  );
}

export function storeClosed(driver: string): MishardsError {
  return new MishardsError('STORAGE_UNAVAILABLE', `the ${driver} object store is closed`);
}

/** Throws `OBJECT_CONFLICT` unless `condition` holds for what is stored now (`undefined` = nothing). */
export function checkCondition(
  key: string,
  current: ObjectStat | undefined,
  condition: PutCondition | undefined,
): void {
  if (condition === undefined) return;
  if (condition.kind === 'if-absent') {
    if (current !== undefined)
      throw new MishardsError('OBJECT_CONFLICT', `the object "${key}" exists already`);
    return;
  }
  if (current === undefined) {
    throw new MishardsError(
      'OBJECT_CONFLICT',
      `the object "${key}" does not exist, so its etag cannot match`,
    );
  }
  if (current.etag !== condition.etag) {
    throw new MishardsError(
      'OBJECT_CONFLICT',
      `the object "${key}" has the etag ${current.etag}, not ${condition.etag}; read it anew`,
    );
  }
}
