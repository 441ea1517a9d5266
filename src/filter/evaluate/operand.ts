import { newBitmap } from '../../columns/bitmap.ts';
import type { ArrayColumn, Column, TimestamptzColumn } from '../../columns/column.ts';
import { assert, unreachable } from '../../util/assert.ts';
import { addDuration, type Duration } from '../../util/iso-duration.ts';
import type { ArithmeticOperand, Operand } from '../plan.ts';
import { calculateInt64 } from './int64-arithmetic.ts';
import { calculateNumbers } from './number-arithmetic.ts';
import { bothKnown } from './truth.ts';
import { vectorOf, type FloatArray, type Vector } from './vector.ts';

/** Rows to filter. null: the rows have no such column, e.g. because the field was added later; all are null in it. */
export interface ColumnSource {
  column(fieldId: number): Column | null;
}

/** The rows a filter runs over. */
export interface Rows {
  readonly source: ColumnSource;
  readonly count: number;
  /** What the source is a part of: rows of a segment from `from` on, or those at `places`. Indexes answer for the whole. */
  readonly part: { readonly from: number } | { readonly places: Uint32Array };
  /** Bitmap of the rows whose answer still matters; null: all. Of the others anything may be said. */
  readonly wanted: Uint8Array | null;
}

/** The column of a field, checked against what the plan was made for. */
export function columnOf<Type extends Column['type']>(
  rows: Rows,
  fieldId: number,
  type: Type,
): (Column & { readonly type: Type }) | null {
  const column = anyColumnOf(rows, fieldId);
  assert(
    column === null || column.type === type,
    `column ${fieldId} is ${column?.type}, the plan expects ${type}`,
  );
  return column as (Column & { readonly type: Type }) | null;
}

export function anyColumnOf(rows: Rows, fieldId: number): Column | null {
  const column = rows.source.column(fieldId);
  assert(
    column === null || column.length === rows.count,
    `column ${fieldId} has ${column?.length} rows, not ${rows.count}`,
  );
  return column;
}

/** The operand's value in every row; null when it is null in all of them. */
export function evaluateOperand(operand: Operand, rows: Rows): Vector | null {
  switch (operand.kind) {
    case 'column': {
      const column = columnOf(rows, operand.fieldId, operand.type as Column['type']);
      return column === null ? null : vectorOf(column);
    }
    case 'element': {
      const column = columnOf(rows, operand.fieldId, 'Array');
      return column === null ? null : elementsAt(column, operand.index);
    }
    case 'length': {
      const column = columnOf(rows, operand.fieldId, 'Array');
      return column === null ? null : lengthsOf(column);
    }
    case 'later': {
      const column = columnOf(rows, operand.fieldId, 'Timestamptz');
      return column === null ? null : laterVector(column, operand.by);
    }
    case 'constant':
      return constantVector(operand.value, rows.count);
    case 'arithmetic':
      return calculate(operand, rows);
    default:
      return unreachable(operand);
  }
}

function constantVector(value: bigint | number, count: number): Vector {
  return typeof value === 'bigint'
    ? { kind: 'int64', values: new BigInt64Array(count).fill(value), known: null }
    : { kind: 'float', values: new Float64Array(count).fill(value), known: null };
}

/** Row by row, because months differ in length. */
function laterVector({ values, validity }: TimestamptzColumn, by: Duration): Vector {
  return { kind: 'int64', values: values.map((instant) => addDuration(instant, by)), known: validity };
}

function lengthsOf(column: ArrayColumn): Vector {
  const values = new Int32Array(column.length);
  for (let row = 0; row < column.length; row++) values[row] = column.offsets[row + 1]! - column.offsets[row]!;
  return { kind: 'integer', values, known: column.validity };
}

/** One element of every row; rows whose array is too short have none. */
function elementsAt(column: ArrayColumn, index: number): Vector {
  const { offsets, length } = column;
  const places = new Int32Array(length);
  const known = column.validity?.slice() ?? newBitmap(length, 1);
  for (let row = 0; row < length; row++) {
    const place = offsets[row]! + index;
    if (place < offsets[row + 1]!) places[row] = place;
    else known[row >>> 3]! &= ~(1 << (row & 7));
  }
  return gather(vectorOf(column.elements), places, known);
}

/** Rows without a place read element 0, which may not exist; their values mean nothing. */
function gather(elements: Vector, places: Int32Array, known: Uint8Array): Vector {
  switch (elements.kind) {
    case 'integer': {
      const values = new Int32Array(places.length);
      for (let row = 0; row < values.length; row++) values[row] = elements.values[places[row]!]!;
      return { kind: 'integer', values, known };
    }
    case 'float': {
      const values = new Float64Array(places.length);
      for (let row = 0; row < values.length; row++) values[row] = elements.values[places[row]!]!;
      return { kind: 'float', values, known };
    }
    case 'int64':
      return { kind: 'int64', values: gatherInt64(elements.values, places), known };
    case 'string': {
      const starts = new Int32Array(places.length);
      const ends = new Int32Array(places.length);
      for (let row = 0; row < places.length; row++) {
        starts[row] = elements.starts[places[row]!]!;
        ends[row] = elements.ends[places[row]!]!;
      }
      return { kind: 'string', bytes: elements.bytes, starts, ends, known };
    }
  }
}

/** By halves: a bigint a row would be made on the heap. */
function gatherInt64(values: BigInt64Array, places: Int32Array): BigInt64Array {
  const gathered = new BigInt64Array(places.length);
  const from = new Int32Array(values.buffer, values.byteOffset, 2 * values.length);
  const to = new Int32Array(gathered.buffer);
  for (let row = 0; row < places.length; row++) {
    to[2 * row] = from[2 * places[row]!]!;
    to[2 * row + 1] = from[2 * places[row]! + 1]!;
  }
  return gathered;
}

function calculate(operand: ArithmeticOperand, rows: Rows): Vector | null {
  const left = evaluateOperand(operand.left, rows);
  const right = evaluateOperand(operand.right, rows);
  if (left === null || right === null) return null;
  const bothSides = bothKnown(left.known, right.known);
  const mayFail =
    (operand.operator === '/' || operand.operator === '%') &&
    operand.type !== 'Float' &&
    operand.type !== 'Double';
  const known = mayFail ? (bothSides?.slice() ?? newBitmap(rows.count, 1)) : bothSides;
  const failures = known ?? NO_FAILURES;
  if (operand.type === 'Int64') {
    const values = new BigInt64Array(rows.count);
    calculateInt64(operand.operator, toInt64(left), toInt64(right), values, failures);
    return { kind: 'int64', values, known };
  }
  const single = operand.type === 'Float';
  const values = single ? new Float32Array(rows.count) : new Float64Array(rows.count);
  const whole = operand.type === 'SafeInt';
  calculateNumbers(
    operand.operator,
    toFloats(left, single),
    toFloats(right, single),
    values,
    whole,
    failures,
  );
  return { kind: 'float', values, known };
}

/** Stands in for the bitmap of an operation that cannot fail, and so is never written. */
const NO_FAILURES = new Uint8Array(0);

export function toInt64(vector: Vector): BigInt64Array {
  if (vector.kind === 'int64') return vector.values;
  assert(vector.kind !== 'string', 'a string is not a number');
  const values = new BigInt64Array(vector.values.length);
  for (let row = 0; row < values.length; row++) values[row] = BigInt(vector.values[row]!);
  return values;
}

/** 32-bit or 64-bit floats; integers beyond 2^53 lose digits, as in any mix of integers and floats. */
export function toFloats(vector: Vector, single: boolean): FloatArray {
  assert(vector.kind !== 'string', 'a string is not a number');
  if (vector.kind === 'float' && single === vector.values instanceof Float32Array) return vector.values;
  const values = single ? new Float32Array(vector.values.length) : new Float64Array(vector.values.length);
  for (let row = 0; row < values.length; row++) values[row] = Number(vector.values[row]!);
  return values;
}
