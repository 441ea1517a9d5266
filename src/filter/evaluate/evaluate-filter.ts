import { newBitmap } from '../../columns/bitmap.ts';
import { canonicalNumber } from '../compile/value-sets.ts';
import type {
  BetweenPredicate,
  Bounds,
  ComparePredicate,
  DynamicPredicate,
  FilterPlan,
  JsonPredicate,
  Predicate,
} from '../plan.ts';
import { assert, unreachable } from '../../util/assert.ts';
import { arrayContains, arrayEquals } from './array-kernels.ts';
import { evaluateDynamic, type JsonRow } from './dynamic.ts';
import { int64Between, int64Compare } from './int64-kernels.ts';
import { findJson, MISSING } from './json-scan.ts';
import { isNumberBetween, testJson, type Answer } from './json-test.ts';
import { floatsBetween, floatsCompare, integersBetween } from './number-kernels.ts';
import {
  anyColumnOf,
  columnOf,
  evaluateOperand,
  toFloats,
  toInt64,
  type ColumnSource,
  type Rows,
} from './operand.ts';
import { stringsBetween, stringsCompare, stringsLike } from './string-kernels.ts';
import {
  andTruth,
  constantTruth,
  notTruth,
  orTruth,
  truthOf,
  unknownTruth,
  bothKnown,
  type Truth,
} from './truth.ts';
import type { Vector } from './vector.ts';
import { vectorIn } from './vector-in.ts';

/**
 * Which rows pass: a bitmap of `rowCount` bits (least significant first, bits past the end 0), 1 = the filter is true of
 * the row; false and unknown are both 0. Every column the source gives has `rowCount` rows and the type of its field.
 */
export function evaluateFilter(plan: FilterPlan, source: ColumnSource, rowCount: number): Uint8Array {
  return evaluate(plan.predicate, { source, count: rowCount }).isTrue;
}

function evaluate(predicate: Predicate, rows: Rows): Truth {
  switch (predicate.kind) {
    case 'constant':
      return constantTruth(predicate.value, rows.count);
    case 'and':
      return predicate.operands
        .map((operand) => evaluate(operand, rows))
        .reduce((left, right) => andTruth(left, right, rows.count));
    case 'or':
      return predicate.operands
        .map((operand) => evaluate(operand, rows))
        .reduce((left, right) => orTruth(left, right, rows.count));
    case 'not':
      return notTruth(evaluate(predicate.operand, rows), rows.count);
    case 'between':
      return between(predicate, rows);
    case 'in':
      return onVector(evaluateOperand(predicate.operand, rows), rows, (vector) =>
        vectorIn(vector, predicate.set),
      );
    case 'like':
      return onVector(evaluateOperand(predicate.operand, rows), rows, (vector) => {
        assert(vector.kind === 'string', 'the plan matches a pattern with text only');
        return stringsLike(vector, predicate.pattern);
      });
    case 'compare':
      return compare(predicate, rows);
    case 'isNull':
      return isNull(predicate.fieldId, rows);
    case 'arrayContains':
    case 'arrayEquals':
      return onArray(predicate, rows);
    case 'json':
      return onJson(predicate, rows);
    case 'dynamic':
      return onDynamic(predicate, rows);
    default:
      return unreachable(predicate);
  }
}

function onVector(vector: Vector | null, rows: Rows, ask: (vector: Vector) => Uint8Array): Truth {
  return vector === null ? unknownTruth(rows.count) : truthOf(ask(vector), vector.known);
}

function between(predicate: BetweenPredicate, rows: Rows): Truth {
  return onVector(evaluateOperand(predicate.operand, rows), rows, (vector) =>
    inBounds(vector, predicate.bounds),
  );
}

function inBounds(vector: Vector, bounds: Bounds): Uint8Array {
  if (vector.kind === 'int64' && bounds.kind === 'int64')
    return int64Between(vector.values, bounds.low, bounds.high);
  if (vector.kind === 'string' && bounds.kind === 'string') return stringsBetween(vector, bounds);
  assert(bounds.kind === 'number', 'the plan has bounds of the type of its operand');
  if (vector.kind === 'integer') return integersBetween(vector.values, bounds.low, bounds.high);
  assert(vector.kind === 'float', 'the plan has bounds of the type of its operand');
  return floatsBetween(vector.values, bounds.low, bounds.high);
}

function compare(predicate: ComparePredicate, rows: Rows): Truth {
  const left = evaluateOperand(predicate.left, rows);
  const right = evaluateOperand(predicate.right, rows);
  if (left === null || right === null) return unknownTruth(rows.count);
  return truthOf(compareVectors(predicate.operator, left, right), bothKnown(left.known, right.known));
}

/** Integers compare exactly; an integer with a float as floats. */
function compareVectors(operator: ComparePredicate['operator'], left: Vector, right: Vector): Uint8Array {
  if (left.kind === 'string' && right.kind === 'string') return stringsCompare(operator, left, right);
  const isExact = left.kind !== 'float' && right.kind !== 'float';
  if (isExact && (left.kind === 'int64' || right.kind === 'int64')) {
    return int64Compare(operator, toInt64(left), toInt64(right));
  }
  return floatsCompare(operator, toFloats(left, false), toFloats(right, false));
}

function isNull(fieldId: number, rows: Rows): Truth {
  const column = anyColumnOf(rows, fieldId);
  if (column === null) return constantTruth(true, rows.count);
  if (column.validity === null) return constantTruth(false, rows.count);
  return notTruth({ isTrue: column.validity, known: null }, rows.count);
}

function onArray(
  predicate: Extract<Predicate, { kind: 'arrayContains' | 'arrayEquals' }>,
  rows: Rows,
): Truth {
  const column = columnOf(rows, predicate.fieldId, 'Array');
  if (column === null) return unknownTruth(rows.count);
  const bitmap =
    predicate.kind === 'arrayEquals'
      ? arrayEquals(column, predicate.sets)
      : arrayContains(column, predicate.quantifier, predicate.sets);
  return truthOf(bitmap, column.validity);
}

/** A key that is missing or null makes everything unknown but `exists`, which is false of it. */
function onJson({ source, test }: JsonPredicate, rows: Rows): Truth {
  const column = columnOf(rows, source.fieldId, 'JSON');
  const absent: Answer = test.kind === 'exists' ? false : null;
  if (column === null) return absent === null ? unknownTruth(rows.count) : constantTruth(false, rows.count);
  const { bytes, offsets, validity } = column;
  return rowByRow(rows, (row) => {
    if (validity !== null && ((validity[row >>> 3]! >>> (row & 7)) & 1) === 0) return absent;
    const end = offsets[row + 1]!;
    const at = findJson(bytes, offsets[row]!, end, source.path);
    return at === MISSING ? absent : testJson(test, bytes, at, end);
  });
}

function onDynamic({ expression, test }: DynamicPredicate, rows: Rows): Truth {
  const columns = new Map<number, ReturnType<typeof columnOf<'JSON'>>>();
  let current = 0;
  const rowOf: JsonRow = (fieldId) => {
    if (!columns.has(fieldId)) columns.set(fieldId, columnOf(rows, fieldId, 'JSON'));
    const column = columns.get(fieldId)!;
    if (column === null) return null;
    const { validity } = column;
    const isValid = validity === null || ((validity[current >>> 3]! >>> (current & 7)) & 1) === 1;
    return isValid ? { column, row: current } : null;
  };
  return rowByRow(rows, (row) => {
    current = row;
    const value = evaluateDynamic(expression, rowOf);
    if (value === null) return null;
    return test.kind === 'in'
      ? (test.set.numbers?.has(canonicalNumber(value)) ?? false)
      : isNumberBetween(test.low, test.high, value);
  });
}

function rowByRow(rows: Rows, answer: (row: number) => Answer): Truth {
  const isTrue = newBitmap(rows.count, 0);
  const known = newBitmap(rows.count, 0);
  for (let row = 0; row < rows.count; row++) {
    const given = answer(row);
    if (given === null) continue;
    known[row >>> 3]! |= 1 << (row & 7);
    if (given) isTrue[row >>> 3]! |= 1 << (row & 7);
  }
  return { isTrue, known };
}
