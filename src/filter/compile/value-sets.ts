import type { ElementType } from '../../schema/index.ts';
import { isNumeric, type FilterValue } from '../filter-value.ts';
import type { JsonSet, OperandType, ValueSet } from '../plan.ts';
import { BytesSet } from './bytes-set.ts';
import { integerInterval } from './bounds.ts';
import { canonicalNumber } from './canonical-number.ts';
import { Int64Set } from './int64-set.ts';
import { IntegerSet } from './integer-set.ts';
import { rangeOf } from './resolve-field.ts';

/** A set in the form that operands of `type` are looked up in. The values already fit the type. */
export function valueSet(type: OperandType, values: readonly FilterValue[]): ValueSet {
  switch (type) {
    case 'VarChar':
      return { kind: 'string', set: new BytesSet(values as readonly string[]) };
    case 'Int64':
    case 'Timestamptz':
      return { kind: 'int64', set: new Int64Set(values as readonly bigint[]) };
    case 'Float':
      return { kind: 'number', set: new Set(values.map((value) => Math.fround(Number(value)))) };
    case 'Double':
    case 'SafeInt':
      return { kind: 'number', set: new Set(values.map(Number)) };
    default:
      return { kind: 'integer', set: new IntegerSet(values.map(Number)) };
  }
}

/** The set of one value that an element of an array may equal; empty when none can; null when the types do not fit. */
export function arrayItemSet(type: ElementType, value: FilterValue): ValueSet | null {
  if (type === 'VarChar') return typeof value === 'string' ? valueSet(type, [value]) : null;
  if (type === 'Bool') return typeof value === 'boolean' ? valueSet(type, [value]) : null;
  if (!isNumeric(value)) return null;
  const range = rangeOf(type);
  if (range === null) return valueSet(type, [value]);
  const { low, high } = integerInterval('==', value, range);
  return valueSet(type, low <= high ? [low] : []);
}

/** Scalars of any types. Whole floats become integers, so that 1 and 1.0 are one number. */
export function jsonSet(values: readonly FilterValue[]): JsonSet {
  const booleans = values.filter((value) => typeof value === 'boolean');
  const numbers = values.filter(isNumeric).map((value) => canonicalNumber(value));
  const strings = values.filter((value) => typeof value === 'string');
  return {
    booleans: booleans.length > 0 ? new Set(booleans) : null,
    numbers: numbers.length > 0 ? new Set(numbers) : null,
    strings: strings.length > 0 ? new BytesSet(strings) : null,
  };
}

/** All sets are of `type`. */
export function unionOfSets(type: OperandType, sets: readonly ValueSet[]): ValueSet {
  return valueSet(type, sets.flatMap(valuesOfSet));
}

export function valuesOfSet({ kind, set }: ValueSet): readonly (bigint | number | string)[] {
  return kind === 'number' ? [...set] : set.values();
}

export function valuesOfJsonSet({ booleans, numbers, strings }: JsonSet): readonly FilterValue[] {
  return [...(booleans ?? []), ...(numbers ?? []), ...(strings?.values() ?? [])];
}
