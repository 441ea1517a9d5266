import { newBitmap } from '../../columns/bitmap.ts';
import type { BetweenPredicate, Bounds, ComparePredicate, FilterPlan, Predicate } from '../plan.ts';
import { assert, unreachable } from '../../util/assert.ts';
import { arrayContains, arrayEquals } from './array-kernels.ts';
import { evaluateGeometry } from './geometry-rows.ts';
import { int64Between, int64Compare } from './int64-kernels.ts';
import { evaluateDynamicTest, evaluateJson } from './json-predicates.ts';
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
  return evaluate(plan.predicate, { source, count: rowCount, wanted: null }).isTrue;
}

function evaluate(predicate: Predicate, rows: Rows): Truth {
  switch (predicate.kind) {
    case 'constant':
      return constantTruth(predicate.value, rows.count);
    case 'and':
      return evaluateAll(predicate.operands, rows, 'and');
    case 'or':
      return evaluateAll(predicate.operands, rows, 'or');
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
      return evaluateJson(predicate, rows);
    case 'dynamic':
      return evaluateDynamicTest(predicate, rows);
    case 'geometry':
      return evaluateGeometry(predicate, rows);
    default:
      return unreachable(predicate);
  }
}

/**
 * In turn, and each only on the rows that those before left open: what is false stays so whatever is joined by `and`, what
 * is true whatever is joined by `or`. The compiler puts what is quick to tell first.
 */
function evaluateAll(operands: readonly Predicate[], rows: Rows, kind: 'and' | 'or'): Truth {
  let truth = evaluate(operands[0]!, rows);
  for (let index = 1; index < operands.length; index++) {
    const wanted = bothKnown(rows.wanted, openRows(truth, kind, rows.count));
    if (wanted!.every((byte) => byte === 0)) break;
    const next = evaluate(operands[index]!, { ...rows, wanted });
    truth = kind === 'and' ? andTruth(truth, next, rows.count) : orTruth(truth, next, rows.count);
  }
  return truth;
}

/** Rows that another operand can still change. */
function openRows({ isTrue, known }: Truth, kind: 'and' | 'or', rowCount: number): Uint8Array {
  const all = newBitmap(rowCount, 1);
  if (kind === 'or') return all.map((byte, at) => byte & ~isTrue[at]!);
  return known === null ? isTrue : all.map((byte, at) => byte & (isTrue[at]! | ~known[at]!));
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
