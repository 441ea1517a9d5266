import type { ArithmeticOperator } from './ast.ts';

/** Without bounds: the caller refuses or wraps what 64 bits do not hold, and keeps zero from being a divisor. */
export function onIntegers(operator: Exclude<ArithmeticOperator, '**'>, left: bigint, right: bigint): bigint {
  switch (operator) {
    case '+':
      return left + right;
    case '-':
      return left - right;
    case '*':
      return left * right;
    case '/':
      return left / right;
    case '%':
      return left % right;
    case '&':
      return left & right;
    case '|':
      return left | right;
    case '^':
      return left ^ right;
    case '<<':
      return left << right;
    case '>>':
      return left >> right;
  }
}
