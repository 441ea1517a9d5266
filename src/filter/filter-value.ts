/** A constant of the language. Integers are `bigint` (64 bits, signed), floating-point numbers are `number`. */
export type FilterValue = boolean | bigint | number | string | readonly FilterValue[];
export type ValueKind = 'bool' | 'int' | 'float' | 'string' | 'array';

export const INT64_MIN = -(2n ** 63n);
export const INT64_MAX = 2n ** 63n - 1n;

export function kindOf(value: FilterValue): ValueKind {
  switch (typeof value) {
    case 'boolean':
      return 'bool';
    case 'bigint':
      return 'int';
    case 'number':
      return 'float';
    case 'string':
      return 'string';
    default:
      return 'array';
  }
}

export function isInt64(value: bigint): boolean {
  return value >= INT64_MIN && value <= INT64_MAX;
}

export function isNumeric(value: FilterValue): value is bigint | number {
  return typeof value === 'bigint' || typeof value === 'number';
}
