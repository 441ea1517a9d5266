import type { BytesColumn, Column, PrimaryKeyColumn } from './column.ts';
import { columnFromValues, textAt } from './column-values.ts';
import { scalarShape } from './column-shape.ts';
import { MishardsError } from '../errors/index.ts';

/** A primary key in JavaScript: bigint for Int64, string for VarChar. */
export type KeyValue = bigint | string;

export function keyAt(keys: PrimaryKeyColumn, row: number): KeyValue {
  return keys.type === 'Int64' ? keys.values[row]! : textAt(keys, row);
}

export function keysFromValues(
  type: PrimaryKeyColumn['type'],
  values: readonly KeyValue[],
): PrimaryKeyColumn {
  return columnFromValues(scalarShape(type), values) as PrimaryKeyColumn;
}

/** The column as keys; `SCHEMA_MISMATCH` when its type cannot be one. */
export function asKeys(column: Column): PrimaryKeyColumn {
  if (column.type === 'Int64' || column.type === 'VarChar') return column as PrimaryKeyColumn;
  throw new MishardsError('SCHEMA_MISMATCH', `a column of ${column.type} cannot hold primary keys`);
}

/** Below 0, 0 or above 0. Integers by value, texts by their UTF-8 bytes, which is the order of code points. Both columns are of one type. */
export function compareKeys(a: PrimaryKeyColumn, rowA: number, b: PrimaryKeyColumn, rowB: number): number {
  if (a.type === 'Int64') {
    const valueA = a.values[rowA]!;
    const valueB = (b as typeof a).values[rowB]!;
    return valueA < valueB ? -1 : valueA > valueB ? 1 : 0;
  }
  return compareTexts(a, rowA, b as typeof a, rowB);
}

/** First row of ascending `keys` that is not below key `row` of `wanted`; `keys.length` when all are. */
export function lowerBound(keys: PrimaryKeyColumn, wanted: PrimaryKeyColumn, row: number, from = 0): number {
  let low = from;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareKeys(keys, middle, wanted, row) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Whether rows ascend by key, then timestamp. */
export function isSorted(keys: PrimaryKeyColumn, timestamps: BigUint64Array): boolean {
  for (let row = 1; row < keys.length; row++) {
    const order = compareKeys(keys, row - 1, keys, row);
    if (order > 0 || (order === 0 && timestamps[row - 1]! > timestamps[row]!)) return false;
  }
  return true;
}

/** By UTF-8 bytes, which is the order of code points: below 0, 0 or above 0. */
export function compareTexts(a: BytesColumn, rowA: number, b: BytesColumn, rowB: number): number {
  const startA = a.offsets[rowA]!;
  const startB = b.offsets[rowB]!;
  const lengthA = a.offsets[rowA + 1]! - startA;
  const lengthB = b.offsets[rowB + 1]! - startB;
  const common = Math.min(lengthA, lengthB);
  for (let index = 0; index < common; index++) {
    const difference = a.bytes[startA + index]! - b.bytes[startB + index]!;
    if (difference !== 0) return difference;
  }
  return lengthA - lengthB;
}
