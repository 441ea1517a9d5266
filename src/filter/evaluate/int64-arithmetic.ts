import type { ArithmeticOperator } from '../ast.ts';

/** Writes `left operator right` to `out`, row by row, wrapping at 64 bits. A row divided by zero is cleared in `known`. */
export function calculateInt64(
  operator: Exclude<ArithmeticOperator, '**'>,
  left: BigInt64Array,
  right: BigInt64Array,
  out: BigInt64Array,
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
      for (let row = 0; row < count; row++) out[row] = left[row]! * right[row]!;
      return;
    case '/':
    case '%':
      return divide(operator, left, right, out, known);
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
      for (let row = 0; row < count; row++) out[row] = left[row]! << right[row]!;
      return;
    case '>>':
      for (let row = 0; row < count; row++) out[row] = left[row]! >> right[row]!;
  }
}

function divide(
  operator: '/' | '%',
  left: BigInt64Array,
  right: BigInt64Array,
  out: BigInt64Array,
  known: Uint8Array,
): void {
  for (let row = 0; row < out.length; row++) {
    const divisor = right[row]!;
    if (divisor === 0n) known[row >>> 3]! &= ~(1 << (row & 7));
    else out[row] = operator === '/' ? left[row]! / divisor : left[row]! % divisor;
  }
}
