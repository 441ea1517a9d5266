import type { ArithmeticOperator } from '../ast.ts';
import type { FloatArray } from './vector.ts';

/**
 * Writes `left operator right` to `out`, row by row. On floats as IEEE 754; on integers (`whole`), whose results a double
 * holds exactly, division drops the remainder and a row divided by zero is cleared in `known`.
 */
export function calculateNumbers(
  operator: Exclude<ArithmeticOperator, '**'>,
  left: FloatArray,
  right: FloatArray,
  out: FloatArray,
  whole: boolean,
  known: Uint8Array,
): void {
  const count = out.length;
  switch (operator) {
    case '+':
      for (let row = 0; row < count; row++) out[row] = left[row]! + right[row]!;
      return;
    case '-':
      for (let row = 0; row < count; row++) out[row] = left[row]! - right[row]!;
      return;
    case '*':
      if (whole) return multiplyWhole(left, right, out);
      for (let row = 0; row < count; row++) out[row] = left[row]! * right[row]!;
      return;
    case '/':
      if (whole) return divideWhole(left, right, out, known);
      for (let row = 0; row < count; row++) out[row] = left[row]! / right[row]!;
      return;
    case '%':
      return remainderWhole(left, right, out, known);
    case '&':
      for (let row = 0; row < count; row++) out[row] = left[row]! & right[row]!;
      return;
    case '|':
      for (let row = 0; row < count; row++) out[row] = left[row]! | right[row]!;
      return;
    case '^':
      for (let row = 0; row < count; row++) out[row] = left[row]! ^ right[row]!;
      return;
    case '<<':
      for (let row = 0; row < count; row++) out[row] = left[row]! * 2 ** right[row]!;
      return;
    case '>>':
      for (let row = 0; row < count; row++) out[row] = Math.floor(left[row]! / 2 ** right[row]!);
  }
}

/* Integers have no -0, which a float division later would turn into the wrong infinity: adding 0 takes the sign off. */

function multiplyWhole(left: FloatArray, right: FloatArray, out: FloatArray): void {
  for (let row = 0; row < out.length; row++) out[row] = left[row]! * right[row]! + 0;
}

function divideWhole(left: FloatArray, right: FloatArray, out: FloatArray, known: Uint8Array): void {
  for (let row = 0; row < out.length; row++) {
    if (right[row] === 0) known[row >>> 3]! &= ~(1 << (row & 7));
    else out[row] = Math.trunc(left[row]! / right[row]!) + 0;
  }
}

function remainderWhole(left: FloatArray, right: FloatArray, out: FloatArray, known: Uint8Array): void {
  for (let row = 0; row < out.length; row++) {
    if (right[row] === 0) known[row >>> 3]! &= ~(1 << (row & 7));
    else out[row] = (left[row]! % right[row]!) + 0;
  }
}
