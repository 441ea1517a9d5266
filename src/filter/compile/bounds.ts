import type { CompareOperator } from '../ast.ts';
import { INT64_MAX, INT64_MIN } from '../filter-value.ts';
import type { Bounds, StringBound, StringBounds } from '../plan.ts';
import type { IntegerRange } from './typed.ts';

/** A comparison with a constant as an interval; `!=` is the negation of `==`. */
export type IntervalOperator = Exclude<CompareOperator, '!='>;

const bits = new DataView(new ArrayBuffer(8));

/** The integers that compare so with `value`, within `range`. Empty: low above high. Exact for any float. */
export function integerInterval(
  operator: IntervalOperator,
  value: bigint | number,
  range: IntegerRange,
): IntegerRange {
  const floor = floorOf(value);
  const isWhole = typeof value === 'bigint' || Number.isInteger(value);
  let { low, high } = range;
  if (operator === '==') [low, high] = isWhole ? [max(low, floor), min(high, floor)] : [1n, 0n];
  if (operator === '<') high = min(high, isWhole ? floor - 1n : floor);
  if (operator === '<=') high = min(high, floor);
  if (operator === '>') low = max(low, floor + 1n);
  if (operator === '>=') low = max(low, isWhole ? floor : floor + 1n);
  return { low, high };
}

/** Floats beyond 64 bits are cut to just outside of them: no integer lies there. */
function floorOf(value: bigint | number): bigint {
  if (typeof value === 'bigint') return value;
  if (value > Number(INT64_MAX)) return INT64_MAX + 1n;
  if (value < Number(INT64_MIN)) return INT64_MIN - 1n;
  return BigInt(Math.floor(value));
}

/** The floats that compare so with `value`; NaN where there are none. `single`: values are 32-bit floats. */
export function floatInterval(
  operator: IntervalOperator,
  value: number,
  single: boolean,
): Bounds & { kind: 'number' } {
  const at = single ? Math.fround(value) : value;
  switch (operator) {
    case '==':
      return { kind: 'number', low: at, high: at };
    case '<':
      return { kind: 'number', low: -Infinity, high: -nextUp(-at, single) };
    case '<=':
      return { kind: 'number', low: -Infinity, high: at };
    case '>':
      return { kind: 'number', low: nextUp(at, single), high: Infinity };
    case '>=':
      return { kind: 'number', low: at, high: Infinity };
  }
}

/** The least float above `value`; NaN above infinity. */
function nextUp(value: number, single: boolean): number {
  if (value === Infinity) return NaN;
  if (value === 0) return single ? 2 ** -149 : Number.MIN_VALUE;
  const step = value > 0 ? 1 : -1;
  if (single) {
    bits.setFloat32(0, value);
    bits.setInt32(0, bits.getInt32(0) + step);
    return bits.getFloat32(0);
  }
  bits.setFloat64(0, value);
  bits.setBigInt64(0, bits.getBigInt64(0) + BigInt(step));
  return bits.getFloat64(0);
}

export function stringInterval(operator: Exclude<IntervalOperator, '=='>, bytes: Uint8Array): StringBounds {
  const bound: StringBound = { bytes, open: operator === '<' || operator === '>' };
  const isLow = operator === '>' || operator === '>=';
  return { kind: 'string', low: isLow ? bound : null, high: isLow ? null : bound };
}

/** What lies in both, or null when they are of different kinds. */
export function intersect(left: Bounds, right: Bounds): Bounds | null {
  if (left.kind === 'int64' && right.kind === 'int64') {
    return { kind: 'int64', low: max(left.low, right.low), high: min(left.high, right.high) };
  }
  if (left.kind === 'number' && right.kind === 'number') {
    return { kind: 'number', low: Math.max(left.low, right.low), high: Math.min(left.high, right.high) };
  }
  if (left.kind !== 'string' || right.kind !== 'string') return null;
  return intersectStrings(left, right);
}

/** Only of bounds that come from different ends, as a chain's do; else null. */
export function intersectStrings(left: StringBounds, right: StringBounds): StringBounds | null {
  if (left.low !== null && right.low !== null) return null;
  if (left.high !== null && right.high !== null) return null;
  return { kind: 'string', low: left.low ?? right.low, high: left.high ?? right.high };
}

function max(left: bigint, right: bigint): bigint {
  return left > right ? left : right;
}

function min(left: bigint, right: bigint): bigint {
  return left < right ? left : right;
}
