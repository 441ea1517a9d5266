import type { CompareOperator } from '../ast.ts';
import type { Instant } from '../../util/instant.ts';
import { filterError } from '../filter-error.ts';
import { isNumeric, type FilterValue } from '../filter-value.ts';
import type { Bounds, ComparePredicate, JsonTest, Operand, Predicate } from '../plan.ts';
import {
  floatInterval,
  integerInterval,
  intersect,
  intersectStrings,
  stringInterval,
  type IntervalOperator,
} from './bounds.ts';
import { foldCompare } from './fold.ts';
import { describe, isFloatType, mismatch, type Typed, type TypedNode } from './typed.ts';
import { jsonConstant } from './json-constant.ts';
import { arrayItemSet, jsonSet, valueSet } from './value-sets.ts';

const encoder = new TextEncoder();
const MIRRORED: Readonly<Record<CompareOperator, CompareOperator>> = {
  '==': '==',
  '!=': '!=',
  '<': '>',
  '<=': '>=',
  '>': '<',
  '>=': '<=',
};

export function compileComparison(
  at: number,
  operator: CompareOperator,
  left: TypedNode,
  right: TypedNode,
): Typed {
  if (left.typed.kind === 'constant' && right.typed.kind === 'constant') {
    return { kind: 'constant', value: foldCompare(at, operator, left.typed.value, right.typed.value) };
  }
  if (isConstant(left.typed) && !isConstant(right.typed))
    return compileComparison(at, MIRRORED[operator], right, left);
  if (operator === '!=') {
    const equal = comparison(at, '==', left, right);
    return { kind: 'predicate', predicate: { kind: 'not', operand: equal } };
  }
  return { kind: 'predicate', predicate: comparison(at, operator, left, right) };
}

function comparison(at: number, operator: IntervalOperator, left: TypedNode, right: TypedNode): Predicate {
  if (!isConstant(right.typed)) return compareOperands(at, operator, left, right);
  const predicate =
    right.typed.kind === 'constant'
      ? withConstant(operator, left.typed, right.typed.value)
      : withInstant(operator, left.typed, right.typed.instant);
  if (predicate === null) throw mismatch(at, `compared (${operator}) with`, left, right);
  return predicate;
}

function isConstant(typed: Typed): typed is Extract<Typed, { kind: 'constant' | 'instant' }> {
  return typed.kind === 'constant' || typed.kind === 'instant';
}

/**
 * null: the types do not fit. A span without months is the same for every row, so it is taken from the instant instead, and the
 * field is compared as it is.
 */
function withInstant(operator: IntervalOperator, typed: Typed, instant: Instant): Predicate | null {
  if (typed.kind !== 'operand' || typed.operand.type !== 'Timestamptz') return null;
  const { operand } = typed;
  const isFixed = operand.kind === 'later' && operand.by.months === 0;
  const { low, high } = integerInterval(
    operator,
    isFixed ? instant - operand.by.micros : instant,
    typed.range!,
  );
  return {
    kind: 'between',
    operand: isFixed ? { kind: 'column', fieldId: operand.fieldId, type: 'Timestamptz' } : operand,
    bounds: { kind: 'int64', low, high },
  };
}

/** null: the types do not fit. */
function withConstant(operator: IntervalOperator, typed: Typed, value: FilterValue): Predicate | null {
  switch (typed.kind) {
    case 'operand':
      return operandWithConstant(operator, typed.operand, typed.range, value);
    case 'json': {
      const test = jsonTest(operator, value);
      return test === null ? null : { kind: 'json', source: typed.source, test };
    }
    case 'dynamic': {
      const test = isNumeric(value) ? jsonTest(operator, value) : null;
      if (test === null || (test.kind !== 'numberBetween' && test.kind !== 'in')) return null;
      return { kind: 'dynamic', expression: typed.expression, test };
    }
    case 'array': {
      if (operator !== '==' || typeof value !== 'object') return null;
      const sets = value.map((item) => arrayItemSet(typed.field.elementType!, item));
      const allFit = sets.every((set) => set !== null);
      return allFit ? { kind: 'arrayEquals', fieldId: typed.field.id, sets } : null;
    }
    default:
      return null;
  }
}

function operandWithConstant(
  operator: IntervalOperator,
  operand: Operand,
  range: { readonly low: bigint; readonly high: bigint } | null,
  value: FilterValue,
): Predicate | null {
  const { type } = operand;
  if (type === 'VarChar') {
    if (typeof value !== 'string') return null;
    if (operator === '==') return { kind: 'in', operand, set: valueSet(type, [value]) };
    return { kind: 'between', operand, bounds: stringInterval(operator, encoder.encode(value)) };
  }
  if (type === 'Bool') {
    if (typeof value !== 'boolean' || operator !== '==') return null;
    return { kind: 'in', operand, set: valueSet(type, [value]) };
  }
  if (!isNumeric(value) || type === 'Timestamptz') return null;
  if (isFloatType(type)) {
    return { kind: 'between', operand, bounds: floatInterval(operator, Number(value), type === 'Float') };
  }
  const { low, high } = integerInterval(operator, value, range!);
  const bounds: Bounds =
    type === 'Int64'
      ? { kind: 'int64', low, high }
      : { kind: 'number', low: Number(low), high: Number(high) };
  return { kind: 'between', operand, bounds };
}

function jsonTest(operator: IntervalOperator, value: FilterValue): JsonTest | null {
  if (operator === '==') {
    return typeof value === 'object'
      ? { kind: 'equalsArray', items: value.map(jsonConstant) }
      : { kind: 'in', set: jsonSet([value]) };
  }
  if (typeof value === 'string') {
    return { kind: 'stringBetween', bounds: stringInterval(operator, encoder.encode(value)) };
  }
  if (!isNumeric(value)) return null;
  const bound = { value, open: operator === '<' || operator === '>' };
  const isLow = operator === '>' || operator === '>=';
  return { kind: 'numberBetween', low: isLow ? bound : null, high: isLow ? null : bound };
}

/** Two values of each row. JSON takes no part: its type is not known, so neither is how to compare. */
function compareOperands(
  at: number,
  operator: IntervalOperator,
  left: TypedNode,
  right: TypedNode,
): ComparePredicate {
  if (left.typed.kind !== 'operand' || right.typed.kind !== 'operand') {
    throw mismatch(at, `compared (${operator}) with`, left, right);
  }
  const [first, second] = [left.typed.operand, right.typed.operand];
  const kinds = new Set([first, second].map((operand) => familyOf(operand)));
  if (kinds.size > 1 || (kinds.has('bool') && operator !== '==')) {
    throw mismatch(at, `compared (${operator}) with`, left, right);
  }
  if (operator === '>') return { kind: 'compare', operator: '<', left: second, right: first };
  if (operator === '>=') return { kind: 'compare', operator: '<=', left: second, right: first };
  return { kind: 'compare', operator, left: first, right: second };
}

function familyOf(operand: Operand): 'bool' | 'string' | 'time' | 'number' {
  if (operand.type === 'Bool') return 'bool';
  if (operand.type === 'Timestamptz') return 'time';
  return operand.type === 'VarChar' ? 'string' : 'number';
}

/** `first op operand op second`: both comparisons hold; one pass over the rows where both bounds are constant. */
export function joinRange(at: number, lower: Typed, upper: Typed, operand: TypedNode): Typed {
  if (lower.kind === 'constant' && upper.kind === 'constant') {
    return { kind: 'constant', value: lower.value === true && upper.value === true };
  }
  if (lower.kind !== 'predicate' || upper.kind !== 'predicate') {
    throw filterError(at, `a chained comparison needs a field in the middle, not ${describe(operand)}`);
  }
  const merged = merge(lower.predicate, upper.predicate);
  return {
    kind: 'predicate',
    predicate: merged ?? { kind: 'and', operands: [lower.predicate, upper.predicate] },
  };
}

function merge(lower: Predicate, upper: Predicate): Predicate | null {
  if (lower.kind === 'between' && upper.kind === 'between') {
    const bounds = intersect(lower.bounds, upper.bounds);
    return bounds === null ? null : { ...lower, bounds };
  }
  if (lower.kind === 'json' && upper.kind === 'json') {
    const test = mergeTests(lower.test, upper.test);
    return test === null ? null : { ...lower, test };
  }
  if (lower.kind !== 'dynamic' || upper.kind !== 'dynamic') return null;
  const test = mergeTests(lower.test, upper.test);
  return test === null || test.kind !== 'numberBetween' ? null : { ...lower, test };
}

function mergeTests(lower: JsonTest, upper: JsonTest): JsonTest | null {
  if (lower.kind === 'stringBetween' && upper.kind === 'stringBetween') {
    const bounds = intersectStrings(lower.bounds, upper.bounds);
    return bounds === null ? null : { kind: 'stringBetween', bounds };
  }
  if (lower.kind !== 'numberBetween' || upper.kind !== 'numberBetween') return null;
  return { kind: 'numberBetween', low: lower.low ?? upper.low, high: lower.high ?? upper.high };
}
