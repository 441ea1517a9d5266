import { compareBytes } from './evaluate/string-kernels.ts';
import type { GeometryBounds } from '../geometry/index.ts';
import type { LikePattern } from './compile/like-pattern.ts';
import { valuesOfSet } from './compile/value-sets.ts';
import type { Bounds, FilterPlan, Operand, Predicate, StringBounds, ValueSet } from './plan.ts';

/** The least and greatest value of a field over some rows, nulls aside. Numbers in decimal, texts as they are, of geometries the corners of what surrounds them. */
export interface ValueRange {
  readonly min: string;
  readonly max: string;
  readonly nullCount: number;
}

/** What a condition can be of a row of the range: for the rows it is unknown of, neither. */
interface Possible {
  readonly true: boolean;
  readonly false: boolean;
}

const EITHER: Possible = { true: true, false: true };
const encoder = new TextEncoder();
/** Values of a list compared with each range; of longer lists some value lies in most ranges anyway. */
const VALUES_MAX = 1_024;

/**
 * Whether the filter can be true of any row whose values lie in these ranges; a field without one (null) may have any value.
 * It errs on the side of true only.
 */
export function mayPass(plan: FilterPlan, rangeOf: (fieldId: number) => ValueRange | null): boolean {
  return possible(plan.predicate, rangeOf).true;
}

/** Comparisons that `mayPass` makes at most. */
export function pruningCost(plan: FilterPlan): number {
  return costOf(plan.predicate);
}

function costOf(predicate: Predicate): number {
  switch (predicate.kind) {
    case 'and':
    case 'or':
      return predicate.operands.reduce((sum, operand) => sum + costOf(operand), 1);
    case 'not':
      return 1 + costOf(predicate.operand);
    case 'in':
      return Math.min(predicate.set.set.size, VALUES_MAX);
    default:
      return 1;
  }
}

function possible(predicate: Predicate, rangeOf: (fieldId: number) => ValueRange | null): Possible {
  switch (predicate.kind) {
    case 'constant':
      return { true: predicate.value, false: !predicate.value };
    case 'not': {
      const operand = possible(predicate.operand, rangeOf);
      return { true: operand.false, false: operand.true };
    }
    case 'and': {
      const operands = predicate.operands.map((operand) => possible(operand, rangeOf));
      return { true: operands.every((one) => one.true), false: operands.some((one) => one.false) };
    }
    case 'or': {
      const operands = predicate.operands.map((operand) => possible(operand, rangeOf));
      return { true: operands.some((one) => one.true), false: operands.every((one) => one.false) };
    }
    case 'isNull': {
      const range = rangeOf(predicate.fieldId);
      return range === null ? EITHER : { true: range.nullCount > 0, false: true };
    }
    case 'between':
    case 'in':
    case 'like': {
      const range = columnRange(predicate.operand, rangeOf);
      if (range === null) return EITHER;
      if (predicate.kind === 'between') return between(predicate.bounds, range);
      if (predicate.kind === 'in') return within(predicate.set, range);
      return range.kind === 'text' ? like(predicate.pattern, range) : EITHER;
    }
    case 'geometry': {
      const range = rangeOf(predicate.fieldId);
      const { mayPass } = predicate.test;
      return range === null || mayPass === null ? EITHER : { true: mayPass(boundsOf(range)), false: true };
    }
    default:
      return EITHER;
  }
}

type Range =
  | { readonly kind: 'number'; readonly min: number; readonly max: number }
  | { readonly kind: 'int64'; readonly min: bigint; readonly max: bigint }
  | TextRange;

interface TextRange {
  readonly kind: 'text';
  readonly min: Uint8Array;
  readonly max: Uint8Array;
}

/** Corners, of which each is two numbers. */
function boundsOf({ min, max }: ValueRange): GeometryBounds {
  const [lowX, lowY] = min.split(' ').map(Number) as [number, number];
  const [highX, highY] = max.split(' ').map(Number) as [number, number];
  return { lowX, lowY, highX, highY };
}

function columnRange(operand: Operand, rangeOf: (fieldId: number) => ValueRange | null): Range | null {
  if (operand.kind !== 'column') return null;
  const range = rangeOf(operand.fieldId);
  if (range === null) return null;
  const { min, max } = range;
  switch (operand.type) {
    case 'VarChar':
      return { kind: 'text', min: encoder.encode(min), max: encoder.encode(max) };
    case 'Int64':
    case 'Timestamptz':
      return { kind: 'int64', min: BigInt(min), max: BigInt(max) };
    default:
      return { kind: 'number', min: Number(min), max: Number(max) };
  }
}

function between(bounds: Bounds, range: Range): Possible {
  if (bounds.kind === 'string') return range.kind === 'text' ? betweenTexts(bounds, range) : EITHER;
  if (bounds.kind === 'int64')
    return range.kind === 'int64' ? overlap(bounds.low, bounds.high, range.min, range.max) : EITHER;
  return range.kind === 'number' ? overlap(bounds.low, bounds.high, range.min, range.max) : EITHER;
}

/** Bounds of NaN hold nothing. A float that is NaN lies in no bounds, but a field with one has no range. */
function overlap<Value extends number | bigint>(low: Value, high: Value, min: Value, max: Value): Possible {
  return {
    true: low <= high && low <= max && high >= min,
    false: !(low <= min && max <= high),
  };
}

function betweenTexts({ low, high }: StringBounds, { min, max }: TextRange): Possible {
  const maxToLow = low === null ? 1 : compare(max, low.bytes);
  const minToHigh = high === null ? -1 : compare(min, high.bytes);
  return {
    true:
      (maxToLow > 0 || (maxToLow === 0 && !low!.open)) && (minToHigh < 0 || (minToHigh === 0 && !high!.open)),
    false: true,
  };
}

function within(set: ValueSet, range: Range): Possible {
  if (set.set.size > VALUES_MAX) return EITHER;
  const isInside = (value: bigint | number | string): boolean => {
    if (range.kind === 'text') {
      const bytes = encoder.encode(String(value));
      return compare(bytes, range.min) >= 0 && compare(bytes, range.max) <= 0;
    }
    return typeof value !== 'string' && value >= range.min && value <= range.max;
  };
  return { true: valuesOfSet(set).some(isInside), false: true };
}

function like({ runs }: LikePattern, { min, max }: TextRange): Possible {
  const prefix = runs[0]![0];
  if (prefix === undefined || prefix === null) return EITHER;
  return {
    true: compare(max, prefix) >= 0 && compare(min.subarray(0, prefix.length), prefix) <= 0,
    false: true,
  };
}

function compare(left: Uint8Array, right: Uint8Array): number {
  return compareBytes(left, 0, left.length, right, 0, right.length);
}
