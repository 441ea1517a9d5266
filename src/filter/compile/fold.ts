import { onIntegers } from '../integer-arithmetic.ts';
import type { ArithmeticOperator, CompareOperator, UnaryOperator } from '../ast.ts';
import { filterError } from '../filter-error.ts';
import { isInt64, isNumeric, kindOf, type FilterValue } from '../filter-value.ts';

const SHIFT_MAX = 63n;

/** Arithmetic on constants. Two integers give an integer (division drops the remainder) but for `**`, which gives a float. */
export function foldArithmetic(
  at: number,
  operator: ArithmeticOperator,
  left: FilterValue,
  right: FilterValue,
): bigint | number {
  if (!isNumeric(left) || !isNumeric(right)) {
    throw filterError(at, `'${operator}' takes numbers, not ${kindOf(left)} and ${kindOf(right)}`);
  }
  if ((operator === '/' || operator === '%') && Number(right) === 0) {
    throw filterError(at, `'${operator}' by zero`);
  }
  if (operator === '**') return finite(at, operator, Number(left) ** Number(right));
  if (typeof left === 'bigint' && typeof right === 'bigint') return foldIntegers(at, operator, left, right);
  return finite(at, operator, foldFloats(at, operator, Number(left), Number(right)));
}

function foldIntegers(
  at: number,
  operator: Exclude<ArithmeticOperator, '**'>,
  left: bigint,
  right: bigint,
): bigint {
  if (operator === '<<' || operator === '>>') assertShift(at, right);
  const result = onIntegers(operator, left, right);
  // The shift drops high bits on purpose; the others would give a wrong number.
  if (operator === '<<') return BigInt.asIntN(64, result);
  if (isInt64(result)) return result;
  throw filterError(at, `${left} ${operator} ${right} is outside the 64 bits of a signed integer`);
}

function foldFloats(at: number, operator: ArithmeticOperator, left: number, right: number): number {
  switch (operator) {
    case '+':
      return left + right;
    case '-':
      return left - right;
    case '*':
      return left * right;
    case '/':
      return left / right;
    default:
      throw filterError(at, `'${operator}' takes integers, not ${left} and ${right}`);
  }
}

export function foldUnary(at: number, operator: UnaryOperator, value: FilterValue): bigint | number {
  if (!isNumeric(value)) throw filterError(at, `'${operator}' takes a number, not ${kindOf(value)}`);
  if (operator === '+') return value;
  if (operator === '-') return typeof value === 'bigint' ? foldIntegers(at, '-', 0n, value) : -value;
  if (typeof value === 'bigint') return ~value;
  throw filterError(at, `'~' takes an integer, not ${value}`);
}

/** A comparison of two constants. Numbers of both kinds compare exactly; other kinds only with themselves. */
export function foldCompare(
  at: number,
  operator: CompareOperator,
  left: FilterValue,
  right: FilterValue,
): boolean {
  const comparable = (isNumeric(left) && isNumeric(right)) || kindOf(left) === kindOf(right);
  const ordered = operator !== '==' && operator !== '!=';
  if (!comparable || typeof left === 'object' || (ordered && typeof left === 'boolean')) {
    throw filterError(at, `'${operator}' does not compare ${kindOf(left)} with ${kindOf(right)}`);
  }
  const order =
    typeof left === 'string'
      ? compareText(left, right as string)
      : compareScalars(left, right as typeof left);
  return holds(operator, order);
}

function compareScalars(left: boolean | bigint | number, right: boolean | bigint | number): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

/** By code point, which is the order of UTF-8 bytes; JavaScript's own order differs outside the basic plane. */
function compareText(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
}

function holds(operator: CompareOperator, order: number): boolean {
  switch (operator) {
    case '==':
      return order === 0;
    case '!=':
      return order !== 0;
    case '<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    case '>=':
      return order >= 0;
  }
}

export function assertShift(at: number, amount: bigint): void {
  if (amount < 0n || amount > SHIFT_MAX)
    throw filterError(at, `a shift by ${amount} is not between 0 and ${SHIFT_MAX}`);
}

function finite(at: number, operator: string, value: number): number {
  if (Number.isFinite(value)) return value;
  throw filterError(at, `the result of '${operator}' is too large for a 64-bit float`);
}
