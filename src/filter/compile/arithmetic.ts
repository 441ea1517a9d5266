import { negated, type Duration } from '../../util/iso-duration.ts';
import type { ArithmeticOperator } from '../ast.ts';
import { filterError } from '../filter-error.ts';
import { INT64_MAX, INT64_MIN } from '../filter-value.ts';
import type { ArithmeticType, DynamicExpression, Operand } from '../plan.ts';
import { assertShift, foldArithmetic } from './fold.ts';
import {
  describe,
  isFloatType,
  isIntegerType,
  mismatch,
  type IntegerRange,
  type Typed,
  type TypedNode,
} from './typed.ts';

type RowOperator = Exclude<ArithmeticOperator, '**'>;

const SAFE_MAX = BigInt(Number.MAX_SAFE_INTEGER);
const INT32_MAX = 2n ** 31n - 1n;
const INTEGER_OPERATORS: ReadonlySet<ArithmeticOperator> = new Set(['%', '&', '|', '^', '<<', '>>']);

/** Constants are folded; over fields, the narrowest type that gives exact results is chosen. */
export function compileArithmetic(
  at: number,
  operator: ArithmeticOperator,
  left: TypedNode,
  right: TypedNode,
): Typed {
  if (left.typed.kind === 'constant' && right.typed.kind === 'constant') {
    return { kind: 'constant', value: foldArithmetic(at, operator, left.typed.value, right.typed.value) };
  }
  if (right.typed.kind === 'interval') return compileLater(at, operator, left, right, right.typed.duration);
  if (operator === '**')
    throw filterError(at, `'**' takes constants only, not ${describe(left)} and ${describe(right)}`);
  assertRightConstant(at, operator, right);
  const dynamic = [dynamicOf(left.typed), dynamicOf(right.typed)] as const;
  if (isDynamic(left.typed) || isDynamic(right.typed)) {
    if (dynamic[0] === null || dynamic[1] === null) throw mismatch(at, 'calculated with', left, right);
    const expression: DynamicExpression = {
      kind: 'arithmetic',
      operator,
      left: dynamic[0],
      right: dynamic[1],
    };
    return { kind: 'dynamic', expression };
  }
  return staticArithmetic(at, operator, left, right);
}

/** `field + INTERVAL 'P1D'`. */
function compileLater(
  at: number,
  operator: ArithmeticOperator,
  left: TypedNode,
  right: TypedNode,
  duration: Duration,
): Typed {
  const { typed } = left;
  const isTime =
    typed.kind === 'operand' && typed.operand.kind === 'column' && typed.operand.type === 'Timestamptz';
  if (!isTime || (operator !== '+' && operator !== '-')) throw mismatch(at, 'calculated with', left, right);
  const by = operator === '+' ? duration : negated(duration);
  const { fieldId } = typed.operand as Extract<Operand, { kind: 'column' }>;
  return { ...typed, operand: { kind: 'later', fieldId, type: 'Timestamptz', by } };
}

/** Zero divisors and wild shifts are refused here, not found row by row. */
function assertRightConstant(at: number, operator: RowOperator, right: TypedNode): void {
  const value = right.typed.kind === 'constant' ? right.typed.value : null;
  if ((operator === '/' || operator === '%') && (value === 0n || value === 0)) {
    throw filterError(at, `'${operator}' by zero`);
  }
  if (INTEGER_OPERATORS.has(operator) && typeof value === 'number') {
    throw filterError(at, `'${operator}' takes integers, not ${describe(right)}`);
  }
  if (operator !== '<<' && operator !== '>>') return;
  if (typeof value !== 'bigint')
    throw filterError(at, `'${operator}' shifts by a constant, not by ${describe(right)}`);
  assertShift(at, value);
}

function isDynamic(typed: Typed): boolean {
  return typed.kind === 'json' || typed.kind === 'dynamic';
}

function dynamicOf(typed: Typed): DynamicExpression | null {
  if (typed.kind === 'dynamic') return typed.expression;
  if (typed.kind === 'json') return { kind: 'json', source: typed.source };
  if (typed.kind !== 'constant') return null;
  const { value } = typed;
  return typeof value === 'bigint' || typeof value === 'number' ? { kind: 'constant', value } : null;
}

interface NumericOperand {
  readonly operand: Operand;
  /** null: a float. */
  readonly range: IntegerRange | null;
}

function staticArithmetic(at: number, operator: RowOperator, left: TypedNode, right: TypedNode): Typed {
  const [first, second] = [numericOf(left.typed), numericOf(right.typed)];
  if (first === null || second === null) throw mismatch(at, 'calculated with', left, right);
  const type = typeOf(operator, first, second);
  if (isFloatType(type)) {
    if (INTEGER_OPERATORS.has(operator)) {
      throw filterError(
        at,
        `'${operator}' takes integers, not ${describe(first.range === null ? left : right)}`,
      );
    }
    return { kind: 'operand', operand: arithmetic(operator, first, second, type), range: null };
  }
  const range =
    type === 'Int64'
      ? { low: INT64_MIN, high: INT64_MAX }
      : resultRange(operator, first.range!, second.range!)!;
  return { kind: 'operand', operand: arithmetic(operator, first, second, type), range };
}

function arithmetic(
  operator: RowOperator,
  left: NumericOperand,
  right: NumericOperand,
  type: ArithmeticType,
): Operand {
  return { kind: 'arithmetic', operator, left: left.operand, right: right.operand, type };
}

function numericOf(typed: Typed): NumericOperand | null {
  if (typed.kind === 'operand') {
    const { type } = typed.operand;
    return isIntegerType(type) || isFloatType(type) ? typed : null;
  }
  if (typed.kind !== 'constant') return null;
  const { value } = typed;
  if (typeof value === 'number') return { operand: { kind: 'constant', type: 'Double', value }, range: null };
  if (typeof value !== 'bigint') return null;
  const isSafe = fits({ low: value, high: value }, SAFE_MAX);
  return {
    operand: isSafe
      ? { kind: 'constant', type: 'SafeInt', value: Number(value) }
      : { kind: 'constant', type: 'Int64', value },
    range: { low: value, high: value },
  };
}

/** 32-bit floats stay so with constants and each other; integers leave doubles only when a double could lose a digit. */
function typeOf(operator: RowOperator, left: NumericOperand, right: NumericOperand): ArithmeticType {
  if (left.range === null || right.range === null) {
    const singles = [left.operand, right.operand].filter((operand) => operand.kind !== 'constant');
    return singles.every((operand) => operand.type === 'Float') ? 'Float' : 'Double';
  }
  if (left.operand.type === 'Int64' || right.operand.type === 'Int64') return 'Int64';
  return resultRange(operator, left.range, right.range) === null ? 'Int64' : 'SafeInt';
}

/** The results possible when a double holds all of them exactly, else null. */
function resultRange(operator: RowOperator, left: IntegerRange, right: IntegerRange): IntegerRange | null {
  if (operator === '&' || operator === '|' || operator === '^') {
    const int32 = { low: -INT32_MAX - 1n, high: INT32_MAX };
    return fits(left, INT32_MAX) && fits(right, INT32_MAX) ? int32 : null;
  }
  const range =
    operator === '/' || operator === '%' ? quotientRange(left) : cornerRange(operator, left, right);
  return fits(range, SAFE_MAX) ? range : null;
}

/** Dividing by an integer never grows a number, and a remainder is no larger than what was divided. */
function quotientRange(left: IntegerRange): IntegerRange {
  const magnitude = -left.low > left.high ? -left.low : left.high;
  return { low: -magnitude, high: magnitude };
}

function cornerRange(operator: RowOperator, left: IntegerRange, right: IntegerRange): IntegerRange {
  const corners = [left.low, left.high].flatMap((a) =>
    [right.low, right.high].map((b) => corner(operator, a, b)),
  );
  return {
    low: corners.reduce((least, value) => (value < least ? value : least)),
    high: corners.reduce((most, value) => (value > most ? value : most)),
  };
}

function corner(operator: RowOperator, left: bigint, right: bigint): bigint {
  switch (operator) {
    case '+':
      return left + right;
    case '-':
      return left - right;
    case '<<':
      return left << right;
    case '>>':
      return left >> right;
    default:
      return left * right;
  }
}

/** Two's complement reaches one further below zero than above. */
function fits(range: IntegerRange, max: bigint): boolean {
  return range.low >= -max - 1n && range.high <= max;
}
