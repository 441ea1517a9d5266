import { onIntegers } from '../integer-arithmetic.ts';
import type { BytesColumn } from '../../columns/column.ts';
import type { DynamicExpression, JsonSource } from '../plan.ts';
import { jsonLengthAt, jsonOperandAt } from './json-test.ts';
import { findJson, MISSING } from './json-scan.ts';

/** What the row holds of a JSON field; null: the field is null in this row. */
export type JsonRow = (fieldId: number) => JsonText | null;
export interface JsonText {
  readonly column: BytesColumn;
  readonly row: number;
}

type Arithmetic = Extract<DynamicExpression, { kind: 'arithmetic' }>;

/** The value of an expression in one row; null where it has none: a key is missing, no number, or a divisor is zero. */
export function evaluateDynamic(expression: DynamicExpression, rowOf: JsonRow): bigint | number | null {
  switch (expression.kind) {
    case 'constant':
      return expression.value;
    case 'json':
      return read(expression.source, rowOf, jsonOperandAt);
    case 'length':
      return read(expression.source, rowOf, jsonLengthAt);
    case 'arithmetic': {
      const left = evaluateDynamic(expression.left, rowOf);
      const right = left === null ? null : evaluateDynamic(expression.right, rowOf);
      return left === null || right === null ? null : calculate(expression.operator, left, right);
    }
  }
}

function read(
  source: JsonSource,
  rowOf: JsonRow,
  valueAt: (bytes: Uint8Array, at: number, end: number) => bigint | number | null,
): bigint | number | null {
  const text = rowOf(source.fieldId);
  if (text === null) return null;
  const { bytes, offsets } = text.column;
  const end = offsets[text.row + 1]!;
  const at = findJson(bytes, offsets[text.row]!, end, source.path);
  return at === MISSING ? null : valueAt(bytes, at, end);
}

/** As the typed operators: integers wrap at 64 bits, floats follow IEEE 754, and what is for integers takes no float. */
function calculate(
  operator: Arithmetic['operator'],
  left: bigint | number,
  right: bigint | number,
): bigint | number | null {
  if (typeof left === 'bigint' && typeof right === 'bigint') {
    return (operator === '/' || operator === '%') && right === 0n
      ? null
      : BigInt.asIntN(64, onIntegers(operator, left, right));
  }
  return onFloats(operator, Number(left), Number(right));
}

function onFloats(operator: Arithmetic['operator'], left: number, right: number): number | null {
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
      return null;
  }
}
