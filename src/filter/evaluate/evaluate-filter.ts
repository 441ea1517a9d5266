import { bitAt, copyBits, countOnes, newBitmap, setBit } from '../../columns/bitmap.ts';
import { takeColumn } from '../../columns/row-batch.ts';
import type {
  BetweenPredicate,
  Bounds,
  ComparePredicate,
  FilterPlan,
  IndexedPredicate,
  Predicate,
} from '../plan.ts';
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

/** When so few of the rows are left open, copying them costs less than asking all. */
const NARROWING_PART = 8;

/**
 * Which rows pass: a bitmap of `rowCount` bits (least significant first, bits past the end 0), 1 = the filter is true of
 * the row; false and unknown are both 0. Every column the source gives has `rowCount` rows and the type of its field.
 */
export function evaluateFilter(plan: FilterPlan, source: ColumnSource, rowCount: number): Uint8Array {
  return evaluateSlice(plan, source, 0, rowCount);
}

/** The same for `count` rows of a larger source from row `from` on, a multiple of 8; its columns have those rows only. */
export function evaluateSlice(
  plan: FilterPlan,
  source: ColumnSource,
  from: number,
  count: number,
): Uint8Array {
  assert(from % 8 === 0, `a slice begins at a whole byte of a bitmap, not at row ${from}`);
  return evaluate(plan.predicate, { source, count, part: { from }, wanted: null }).isTrue;
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
    case 'indexed':
      return partOf(predicate, rows);
    default:
      return unreachable(predicate);
  }
}

/**
 * In turn, and each only on the rows that those before left open: what is false stays so whatever is joined by `and`, what
 * is true whatever is joined by `or`. The compiler puts what is quick to tell first.
 */
function evaluateAll(operands: readonly Predicate[], rows: Rows, kind: 'and' | 'or'): Truth {
  const join = kind === 'and' ? andTruth : orTruth;
  let truth = evaluate(operands[0]!, rows);
  for (let index = 1; index < operands.length; index++) {
    const wanted = bothKnown(rows.wanted, openRows(truth, kind, rows.count))!;
    const wantedCount = countOnes(wanted);
    if (wantedCount === 0) break;
    if (wantedCount * NARROWING_PART <= rows.count) {
      const rest = onFewRows(operands.slice(index), rows, placesOf(wanted, wantedCount), kind);
      return join(truth, rest, rows.count);
    }
    truth = join(truth, evaluate(operands[index]!, { ...rows, wanted }), rows.count);
  }
  return truth;
}

/** The rest of a chain on copies of those rows alone; of the others nothing is said. */
function onFewRows(
  operands: readonly Predicate[],
  rows: Rows,
  places: Uint32Array,
  kind: 'and' | 'or',
): Truth {
  const { part } = rows;
  const few: Rows = {
    source: {
      column: (fieldId) => {
        const column = rows.source.column(fieldId);
        return column === null ? null : takeColumn(column, places);
      },
    },
    count: places.length,
    part: {
      places: places.map((place) => ('places' in part ? part.places[place]! : part.from + place)),
    },
    wanted: null,
  };
  const { isTrue, known } = evaluateAll(operands, few, kind);
  return {
    isTrue: scattered(isTrue, places, rows.count),
    known: known === null ? null : scattered(known, places, rows.count),
  };
}

function placesOf(bitmap: Uint8Array, count: number): Uint32Array {
  const places = new Uint32Array(count);
  let next = 0;
  for (let at = 0; at < bitmap.length; at++) {
    for (let rest = bitmap[at]!; rest !== 0; rest &= rest - 1)
      places[next++] = at * 8 + (31 - Math.clz32(rest & -rest));
  }
  return places;
}

function scattered(bitmap: Uint8Array, places: Uint32Array, rowCount: number): Uint8Array {
  const whole = newBitmap(rowCount, 0);
  for (let index = 0; index < places.length; index++) if (bitAt(bitmap, index)) setBit(whole, places[index]!);
  return whole;
}

/** What an index told of a whole segment, for the rows at hand. */
function partOf({ isTrue, known }: IndexedPredicate, rows: Rows): Truth {
  return {
    isTrue: bitsOf(isTrue, rows),
    known: known === null ? null : bitsOf(known, rows),
  };
}

function bitsOf(bitmap: Uint8Array, { part, count }: Rows): Uint8Array {
  const bits = newBitmap(count, 0);
  if ('from' in part) {
    copyBits(bitmap, part.from, bits, 0, count);
    return bits;
  }
  for (let index = 0; index < count; index++) if (bitAt(bitmap, part.places[index]!)) setBit(bits, index);
  return bits;
}

/** Rows that another operand can still change. */
function openRows({ isTrue, known }: Truth, kind: 'and' | 'or', rowCount: number): Uint8Array {
  if (kind === 'and' && known === null) return isTrue;
  const open = newBitmap(rowCount, 1);
  for (let at = 0; at < open.length; at++)
    open[at]! &= kind === 'or' ? ~isTrue[at]! : isTrue[at]! | ~known![at]!;
  return open;
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
