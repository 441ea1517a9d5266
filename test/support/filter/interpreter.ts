import type { ColumnValue } from '../../../src/columns/index.ts';
import type {
  ArithmeticNode,
  CallNode,
  CompareOperator,
  FieldNode,
  FilterNode,
} from '../../../src/filter/ast.ts';
import { assert } from '../../../src/util/assert.ts';
import { findField, type CollectionSchema } from '../../../src/schema/index.ts';

/*
 * What a filter means, one row at a time and in the plainest way: the reference that the engine is tested against. It
 * walks the tree as parsed, knows nothing of plans, bitmaps or sets, and expects a filter that type-checks.
 */

/** A field name's value in a row. */
export type Row = Readonly<Record<string, ColumnValue>>;
/** null: unknown. */
type Answer = boolean | null;
/** A 32-bit float, which rounds after every step; plain numbers are 64-bit floats. */
class Single {
  readonly value: number;
  constructor(value: number) {
    this.value = Math.fround(value);
  }
}
type Value = null | boolean | bigint | number | string | Single | readonly Value[] | JsonObject;
interface JsonObject {
  readonly object: ReadonlyMap<string, Value>;
}

export function passes(node: FilterNode, schema: CollectionSchema, row: Row): boolean {
  return new Interpreter(schema, row).answer(node) === true;
}

class Interpreter {
  readonly #schema: CollectionSchema;
  readonly #row: Row;

  constructor(schema: CollectionSchema, row: Row) {
    this.#schema = schema;
    this.#row = row;
  }

  answer(node: FilterNode): Answer {
    switch (node.kind) {
      case 'and':
        return all(node.operands.map((operand) => this.answer(operand)));
      case 'or':
        return negated(all(node.operands.map((operand) => negated(this.answer(operand)))));
      case 'not':
        return negated(this.answer(node.operand));
      case 'compare':
        return this.#compare(node.operator, node.left, node.right);
      case 'range':
        return all([
          this.#compare(node.firstOperator, node.first, node.operand),
          this.#compare(node.secondOperator, node.operand, node.second),
        ]);
      case 'in':
        return negatedIf(node.negated, this.#isIn(node.operand, node.list));
      case 'like':
        return negatedIf(node.negated, this.#like(node.operand, node.pattern));
      case 'isNull':
        return negatedIf(node.negated, this.#value(node.operand) === null);
      case 'exists':
        return this.#value(node.operand) !== null;
      case 'call':
        return this.#contains(node);
      default: {
        const value = this.#value(node);
        assert(value === null || typeof value === 'boolean', `a condition, not ${node.kind}`);
        return value;
      }
    }
  }

  #compare(operator: CompareOperator, leftNode: FilterNode, rightNode: FilterNode): Answer {
    let [left, right] = [this.#value(leftNode), this.#value(rightNode)];
    if (left === null || right === null) return null;
    if (left instanceof Single && rightNode.kind === 'literal') right = Math.fround(Number(right));
    if (right instanceof Single && leftNode.kind === 'literal') left = Math.fround(Number(left));
    [left, right] = [widened(left), widened(right)];
    const bothFields = leftNode.kind !== 'literal' && rightNode.kind !== 'literal';
    if (bothFields && isNumber(left) && isNumber(right) && typeof left !== typeof right) {
      [left, right] = [Number(left), Number(right)];
    }
    if (Array.isArray(left) && Array.isArray(right)) {
      const equal = same(left, right);
      return operator === '==' ? equal : !equal;
    }
    return scalarCompare(operator, left, right);
  }

  #isIn(operandNode: FilterNode, listNode: FilterNode): Answer {
    const operand = this.#value(operandNode);
    if (operand === null) return null;
    const values = this.#value(listNode) as readonly Value[];
    const family = familyOf(operand);
    const isTyped = !this.#isJson(operandNode);
    if (values.length > 0 && !isTyped && !values.some((value) => familyOf(value) === family)) return null;
    return values.some((value) =>
      same(operand, operand instanceof Single ? new Single(Number(value)) : value),
    );
  }

  #like(operandNode: FilterNode, patternNode: FilterNode): Answer {
    const operand = this.#value(operandNode);
    if (typeof operand !== 'string') return null;
    return likeAt([...operand], [...(this.#value(patternNode) as string)], 0, 0);
  }

  #contains(node: CallNode): Answer {
    const array = this.#value(node.arguments[0]!);
    if (!Array.isArray(array)) return null;
    const argument = this.#value(node.arguments[1]!);
    const wanted = node.name.endsWith('_contains') ? [argument] : (argument as readonly Value[]);
    const isFound = (value: Value) =>
      array.some((item) => same(item, item instanceof Single ? new Single(Number(value)) : value));
    return node.name.endsWith('_all') ? wanted.every(isFound) : wanted.some(isFound);
  }

  #isJson(node: FilterNode): boolean {
    if (node.kind !== 'field') return false;
    const field = findField(this.#schema, node.name);
    return field === undefined || field.type === 'JSON';
  }

  #value(node: FilterNode): Value {
    switch (node.kind) {
      case 'literal':
        return node.value;
      case 'list':
        return node.items.map((item) => this.#value(item));
      case 'field':
        return this.#field(node);
      case 'call': {
        if (node.name !== 'array_length') return this.answer(node);
        const array = this.#value(node.arguments[0]!);
        return Array.isArray(array) ? BigInt(array.length) : null;
      }
      case 'unary': {
        const zero = { kind: 'literal', at: 0, value: node.operator === '~' ? -1n : 0n } as const;
        const operator = node.operator === '~' ? '^' : node.operator;
        return this.#arithmetic({ kind: 'arithmetic', at: 0, operator, left: zero, right: node.operand });
      }
      case 'arithmetic':
        return this.#arithmetic(node);
      default:
        return this.answer(node);
    }
  }

  #field(node: FieldNode): Value {
    const field = findField(this.#schema, node.name);
    const name = field?.name ?? '$meta';
    const path = field === undefined ? [node.name, ...node.path] : node.path;
    const stored = this.#row[name]!;
    if (stored === null) return null;
    const type = field?.type ?? 'JSON';
    const isSingle = type === 'Float' || field?.elementType === 'Float';
    const isFloat = isSingle || type === 'Double' || field?.elementType === 'Double';
    const value = type === 'JSON' ? parseJson(stored as string) : typed(stored, isSingle, isFloat);
    return path.reduce<Value>(step, value);
  }

  #arithmetic({ operator, left: leftNode, right: rightNode }: ArithmeticNode): Value {
    const [left, right] = [this.#value(leftNode), this.#value(rightNode)];
    const isSingle = [leftNode, rightNode].every(
      (node, index) => node.kind === 'literal' || [left, right][index] instanceof Single,
    );
    const [first, second] = [arithmeticOperand(left), arithmeticOperand(right)];
    if (!isNumber(first) || !isNumber(second)) return null;
    if (typeof first === 'bigint' && typeof second === 'bigint') return wholeResult(operator, first, second);
    if (!isSingle) return floatResult(operator, Number(first), Number(second));
    const result = floatResult(operator, Math.fround(Number(first)), Math.fround(Number(second)));
    return result === null ? null : new Single(result);
  }
}

function typed(stored: ColumnValue, isSingle: boolean, isFloat: boolean): Value {
  if (Array.isArray(stored)) return stored.map((item: ColumnValue) => typed(item, isSingle, isFloat));
  if (typeof stored !== 'number') return stored as Value;
  if (isSingle) return new Single(stored);
  return isFloat ? stored : BigInt(stored);
}

/** One step along a path; null where it leads nowhere. Digits are indexes of arrays and keys of objects. */
function step(value: Value, segment: string | number): Value {
  if (Array.isArray(value)) return /^\d+$/.test(String(segment)) ? (value[Number(segment)] ?? null) : null;
  return isObject(value) ? (value.object.get(String(segment)) ?? null) : null;
}

interface SourceContext {
  readonly source?: string;
}
const parseWithSource = JSON.parse as (
  text: string,
  reviver: (this: unknown, key: string, value: unknown, context: SourceContext) => unknown,
) => Value;

/** Integers as written become `bigint`. */
function parseJson(text: string): Value {
  return parseWithSource(text, (_key, value, context) => {
    if (typeof value === 'number') return /^-?\d+$/.test(context.source!) ? BigInt(context.source!) : value;
    if (typeof value !== 'object' || value === null || Array.isArray(value) || 'object' in value)
      return value;
    return { object: new Map(Object.entries(value)) };
  });
}

function isObject(value: Value): value is JsonObject {
  return typeof value === 'object' && value !== null && 'object' in value;
}

function isNumber(value: Value): value is bigint | number {
  return typeof value === 'bigint' || typeof value === 'number';
}

function widened(value: Value): Value {
  return value instanceof Single ? value.value : value;
}

/** JSON integers beyond 64 bits count as floats. */
function arithmeticOperand(value: Value): Value {
  const plain = widened(value);
  return typeof plain === 'bigint' && BigInt.asIntN(64, plain) !== plain ? Number(plain) : plain;
}

function familyOf(value: Value): string {
  const plain = widened(value);
  if (isNumber(plain)) return 'number';
  return Array.isArray(plain) ? 'array' : typeof plain;
}

function same(left: Value, right: Value): boolean {
  const [first, second] = [widened(left), widened(right)];
  if (Array.isArray(first) && Array.isArray(second)) {
    return (
      first.length === second.length &&
      first.every((item, index) => {
        const other = second[index]!;
        return same(item, item instanceof Single ? new Single(Number(other)) : other);
      })
    );
  }
  if (familyOf(first) !== familyOf(second)) return false;
  return typeof first !== 'object' && first == second;
}

function scalarCompare(operator: CompareOperator, left: Value, right: Value): Answer {
  if (familyOf(left) !== familyOf(right) || typeof left === 'object' || typeof right === 'object')
    return null;
  if (operator === '==') return same(left, right);
  if (operator === '!=') return !same(left, right);
  const [first, second] =
    typeof left === 'string'
      ? [Buffer.compare(Buffer.from(left), Buffer.from(right as string)), 0]
      : [left, right];
  if (operator === '<') return first < second;
  if (operator === '<=') return first <= second;
  return operator === '>' ? first > second : first >= second;
}

function wholeResult(operator: ArithmeticNode['operator'], left: bigint, right: bigint): bigint | null {
  if ((operator === '/' || operator === '%') && right === 0n) return null;
  const results: Partial<Record<ArithmeticNode['operator'], () => bigint>> = {
    '+': () => left + right,
    '-': () => left - right,
    '*': () => left * right,
    '/': () => left / right,
    '%': () => left % right,
    '&': () => left & right,
    '|': () => left | right,
    '^': () => left ^ right,
    '<<': () => left << right,
    '>>': () => left >> right,
  };
  return BigInt.asIntN(64, results[operator]!());
}

function floatResult(operator: ArithmeticNode['operator'], left: number, right: number): number | null {
  if (operator === '+') return left + right;
  if (operator === '-') return left - right;
  if (operator === '*') return left * right;
  return operator === '/' ? left / right : null;
}

/** By trying every length for every `%`. */
function likeAt(text: readonly string[], pattern: readonly string[], at: number, from: number): boolean {
  if (from === pattern.length) return at === text.length;
  const character = pattern[from]!;
  if (character === '%') {
    for (let next = at; next <= text.length; next++) if (likeAt(text, pattern, next, from + 1)) return true;
    return false;
  }
  if (at === text.length) return false;
  if (character === '_') return likeAt(text, pattern, at + 1, from + 1);
  const isEscape = character === '\\' && from + 1 < pattern.length;
  const plain = isEscape ? pattern[from + 1] : character;
  return text[at] === plain && likeAt(text, pattern, at + 1, from + (isEscape ? 2 : 1));
}

function all(answers: readonly Answer[]): Answer {
  if (answers.includes(false)) return false;
  return answers.includes(null) ? null : true;
}

function negated(answer: Answer): Answer {
  return answer === null ? null : !answer;
}

function negatedIf(isNegated: boolean, answer: Answer): Answer {
  return isNegated ? negated(answer) : answer;
}
