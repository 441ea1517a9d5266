import type { ColumnValue } from '../../../src/columns/index.ts';
import type {
  ArithmeticOperator,
  CompareOperator,
  FieldNode,
  FilterFunction,
  FilterNode,
  OrderOperator,
} from '../../../src/filter/ast.ts';
import type { Random } from '../../../src/host/index.ts';
import {
  isVectorType,
  type CollectionSchema,
  type ElementType,
  type FieldSchema,
} from '../../../src/schema/index.ts';
import { randomValue } from '../random-rows.ts';

/*
 * Random filters that type-check against a schema, and random rows from so small a stock of values that filters and rows
 * often meet: edges of every width, values around 2^53, NaN, characters of one to four bytes, wildcards, nulls.
 */

const INTEGERS = [0n, 1n, -1n, 2n, 3n, -7n, 127n, -128n];
const WIDE_INTEGERS = [2n ** 53n, 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n), -(2n ** 31n), 65_535n];
const FLOATS = [0, -0, 0.5, 1, -1.5, 2, 0.1, 1e10, -2];
const TEXTS = ['', 'a', 'ab', 'b', 'é', 'aé', '😀', 'a😀b', 'a%', '_', '\\', 'A"\'', '\uffff', '漢字', '\n'];
const PATTERN_PIECES = ['a', 'b', 'é', '😀', '%', '%', '_', '\\%', '\\_', '\\\\', '漢'];
const KEYS = ['k', 'é"', '0', 'list'];
const BITS: Readonly<Partial<Record<ElementType, bigint>>> = { Int8: 7n, Int16: 15n, Int32: 31n, Int64: 63n };
const ORDERS: readonly OrderOperator[] = ['<', '<=', '>', '>='];
const COMPARES: readonly CompareOperator[] = ['==', '!=', ...ORDERS];
const INTEGER_OPERATORS: readonly ArithmeticOperator[] = ['+', '-', '*', '/', '%', '&', '|', '^', '<<', '>>'];
const FLOAT_OPERATORS: readonly ArithmeticOperator[] = ['+', '-', '*', '/'];

export function randomFilterRows(
  random: Random,
  schema: CollectionSchema,
  rowCount: number,
): Record<string, ColumnValue>[] {
  const value = (field: FieldSchema): ColumnValue =>
    field.nullable && random.below(4) === 0 ? null : randomCell(random, field);
  return Array.from({ length: rowCount }, () =>
    Object.fromEntries(schema.fields.map((field) => [field.name, value(field)])),
  );
}

function randomCell(random: Random, field: FieldSchema): ColumnValue {
  if (field.type === 'JSON') return randomJson(random);
  if (isVectorType(field.type) || field.type === 'Timestamptz' || field.type === 'Geometry')
    return randomValue(random, field);
  if (field.type !== 'Array') return randomScalar(random, field.type);
  return Array.from({ length: random.below(4) }, () => randomScalar(random, field.elementType!));
}

function randomScalar(random: Random, type: ElementType): ColumnValue {
  if (type === 'Bool') return random.below(2) === 1;
  if (type === 'VarChar') return pick(random, TEXTS);
  if (type === 'Float') return Math.fround(pick(random, [...FLOATS, NaN, Infinity]));
  if (type === 'Double') return pick(random, [...FLOATS, NaN, Infinity]);
  const value = BigInt.asIntN(Number(BITS[type]!) + 1, pick(random, [...INTEGERS, ...WIDE_INTEGERS]));
  return type === 'Int64' ? value : Number(value);
}

function randomJson(random: Random): string {
  const blank = pick(random, ['', ' ', '\n\t']);
  const members = KEYS.filter(() => random.below(4) > 0).map(
    (key) => `${blank}${jsonText(random, key)}${blank}:${blank}${jsonValue(random, 2)}${blank}`,
  );
  return `{${members.join(',')}}`;
}

function jsonValue(random: Random, depth: number): string {
  const kind = random.below(depth > 0 ? 9 : 6);
  if (kind === 0) return 'null';
  if (kind === 1) return pick(random, ['true', 'false']);
  if (kind === 2) return jsonText(random, pick(random, TEXTS));
  if (kind === 3) return pick(random, ['0.5', '1.0', '-1.5', '1e3', '-0', '1E-2', '9007199254740992.0']);
  if (kind < 6) return String(pick(random, [...INTEGERS, ...WIDE_INTEGERS, 2n ** 64n]));
  const items = Array.from({ length: random.below(4) }, () => jsonValue(random, depth - 1));
  if (kind < 8) return `[${items.join(random.below(2) === 0 ? ',' : ' , ')}]`;
  return `{${items.map((item, index) => `${jsonText(random, KEYS[index]!)}:${item}`).join(',')}}`;
}

/** Escaped in one of the ways JSON allows. */
function jsonText(random: Random, text: string): string {
  if (random.below(3) > 0) return JSON.stringify(text);
  const units = Array.from({ length: text.length }, (_, at) =>
    text.charCodeAt(at).toString(16).padStart(4, '0'),
  );
  return `"${units.map((unit) => `\\u${unit}`).join('')}"`;
}

/** A condition up to `depth` operators deep. */
export function randomFilter(random: Random, schema: CollectionSchema, depth: number): FilterNode {
  return new FilterGenerator(random, schema).condition(depth);
}

class FilterGenerator {
  readonly #random: Random;
  readonly #fields: readonly FieldSchema[];

  constructor(random: Random, schema: CollectionSchema) {
    this.#random = random;
    this.#fields = schema.fields;
  }

  condition(depth: number): FilterNode {
    const choice = this.#random.below(depth > 0 ? 14 : 10);
    if (choice > 9) {
      if (choice === 10) return { kind: 'not', at: 0, operand: this.condition(depth - 1) };
      const count = 2 + this.#random.below(2);
      const operands = Array.from({ length: count }, () => this.condition(depth - 1));
      return { kind: choice < 12 ? 'and' : 'or', at: 0, operands };
    }
    const leaves = [
      () => this.#numberTest(depth),
      () => this.#numberTest(depth),
      () => this.#stringTest(),
      () => this.#jsonTest(depth),
      () => this.#jsonTest(depth),
      () => this.#containsTest(),
      () => this.#arrayTest(),
      () => this.#nullTest(),
      () => this.#fieldsTest(depth),
      () => this.#booleanTest(),
    ];
    return leaves[choice]!();
  }

  #numberTest(depth: number): FilterNode {
    const isInteger = this.#chance(2);
    const operand = isInteger ? this.#integer(depth) : this.#float(depth);
    const constant = () => this.#numberLiteral(isInteger);
    if (this.#chance(3)) {
      const items = this.#list(4, () => (isInteger ? this.#integerLiteral() : constant()));
      return { kind: 'in', at: 0, negated: this.#chance(3), operand, list: { kind: 'list', at: 0, items } };
    }
    return this.#comparison(operand, constant);
  }

  /** With a constant on either side, or two around it. */
  #comparison(operand: FilterNode, constant: () => FilterNode): FilterNode {
    const choice = this.#random.below(4);
    if (choice === 0) {
      const [first, second] = this.#chance(2) ? (['<', '<='] as const) : (['>', '>='] as const);
      const operators = [first, second].map(() => (this.#chance(2) ? first : second));
      return {
        kind: 'range',
        at: 0,
        first: constant(),
        firstOperator: operators[0]!,
        operand,
        secondOperator: operators[1]!,
        second: constant(),
      };
    }
    const operator = this.#pick(COMPARES);
    return choice === 1
      ? { kind: 'compare', at: 0, operator, left: constant(), right: operand }
      : { kind: 'compare', at: 0, operator, left: operand, right: constant() };
  }

  #stringTest(): FilterNode {
    return this.#onText(this.#typed('VarChar'));
  }

  #onText(operand: FilterNode): FilterNode {
    const choice = this.#random.below(3);
    const negated = this.#chance(3);
    if (choice === 0) return this.#comparison(operand, () => this.#text());
    if (choice === 1) return { kind: 'in', at: 0, negated, operand, list: this.#texts() };
    const pattern = literal(this.#list(5, () => this.#pick(PATTERN_PIECES)).join(''));
    return { kind: 'like', at: 0, negated, operand, pattern };
  }

  #jsonTest(depth: number): FilterNode {
    const operand = this.#json();
    const choice = this.#random.below(8);
    if (choice === 0) return { kind: 'exists', at: 0, operand };
    if (choice === 1) return this.#onText(operand);
    if (choice === 2) {
      const items = this.#list(4, () => this.#jsonLiteral());
      return { kind: 'in', at: 0, negated: this.#chance(3), operand, list: { kind: 'list', at: 0, items } };
    }
    if (choice === 3) {
      const value = this.#chance(2) ? literal(this.#chance(2)) : this.#jsonList();
      return { kind: 'compare', at: 0, operator: this.#pick(['==', '!=']), left: operand, right: value };
    }
    if (choice === 4) {
      const length: FilterNode = { kind: 'call', at: 0, name: 'array_length', arguments: [operand] };
      return this.#comparison(length, () => this.#integerLiteral());
    }
    if (choice === 5) return this.#comparison(this.#jsonArithmetic(depth), () => this.#numberLiteral(true));
    return this.#comparison(operand, () => this.#numberLiteral(true));
  }

  #jsonArithmetic(depth: number): FilterNode {
    const left = depth > 0 && this.#chance(3) ? this.#jsonArithmetic(depth - 1) : this.#json();
    if (this.#chance(6))
      return { kind: 'unary', at: 0, operator: this.#pick(['-', '~', '+']), operand: left };
    return this.#operation(left, this.#pick(INTEGER_OPERATORS), () => this.#numberLiteral(false));
  }

  #containsTest(): FilterNode {
    const field = this.#pick(this.#fields.filter(({ type }) => type === 'Array' || type === 'JSON'));
    const prefix = this.#chance(2) ? 'array_contains' : 'json_contains';
    const suffix = this.#pick(['', '_any', '_all']);
    const target = field.type === 'Array' ? fieldNode(field.name) : this.#json();
    const value = () =>
      field.type === 'Array' ? this.#literalOf(field.elementType!) : this.#jsonLiteral(true);
    const argument: FilterNode =
      suffix === '' ? value() : { kind: 'list', at: 0, items: this.#list(3, value) };
    return { kind: 'call', at: 0, name: (prefix + suffix) as FilterFunction, arguments: [target, argument] };
  }

  #arrayTest(): FilterNode {
    const field = this.#pick(this.#fields.filter(({ type }) => type === 'Array'));
    const list: FilterNode = {
      kind: 'list',
      at: 0,
      items: this.#list(3, () => this.#literalOf(field.elementType!)),
    };
    return {
      kind: 'compare',
      at: 0,
      operator: this.#pick(['==', '!=']),
      left: fieldNode(field.name),
      right: list,
    };
  }

  #nullTest(): FilterNode {
    const operand = this.#chance(2) ? this.#json() : fieldNode(this.#pick(this.#fields).name);
    return { kind: 'isNull', at: 0, negated: this.#chance(2), operand };
  }

  #fieldsTest(depth: number): FilterNode {
    const choice = this.#random.below(4);
    if (choice === 0) return this.#compare(COMPARES, this.#typed('VarChar'), this.#typed('VarChar'));
    if (choice === 1) return this.#compare(['==', '!='], this.#typed('Bool'), this.#typed('Bool'));
    if (choice === 2) return this.#compare(COMPARES, this.#integer(depth), this.#integer(depth));
    return this.#compare(COMPARES, this.#integer(depth), this.#float(depth));
  }

  #booleanTest(): FilterNode {
    const operand = this.#typed('Bool');
    if (this.#chance(3)) return operand;
    const items = this.#list(2, () => literal(this.#chance(2)));
    if (this.#chance(2))
      return { kind: 'in', at: 0, negated: false, operand, list: { kind: 'list', at: 0, items } };
    return this.#compare(['==', '!='], operand, literal(this.#chance(2)));
  }

  #integer(depth: number): FilterNode {
    if (depth > 0 && this.#chance(2)) {
      const left = this.#integer(depth - 1);
      if (this.#chance(5))
        return { kind: 'unary', at: 0, operator: this.#pick(['-', '~', '+']), operand: left };
      const right = () => (this.#chance(3) ? this.#integer(depth - 1) : this.#integerLiteral());
      return this.#operation(left, this.#pick(INTEGER_OPERATORS), right);
    }
    if (this.#chance(6)) {
      const field = this.#pick(this.#fields.filter(({ type }) => type === 'Array'));
      return { kind: 'call', at: 0, name: 'array_length', arguments: [fieldNode(field.name)] };
    }
    return this.#typed(this.#pick(['Int8', 'Int16', 'Int32', 'Int64']));
  }

  #float(depth: number): FilterNode {
    if (depth === 0 || this.#chance(2)) return this.#typed(this.#pick(['Float', 'Double']));
    const right = () => (this.#chance(2) ? this.#numberLiteral(false) : this.#integer(depth - 1));
    return this.#operation(this.#float(depth - 1), this.#pick(FLOAT_OPERATORS), right);
  }

  /** Shifts by a constant in range, never a division by the constant zero; sides swapped now and then. */
  #operation(left: FilterNode, operator: ArithmeticOperator, operand: () => FilterNode): FilterNode {
    if (operator === '<<' || operator === '>>') {
      return { kind: 'arithmetic', at: 0, operator, left, right: literal(BigInt(this.#random.below(64))) };
    }
    const isWhole = !FLOAT_OPERATORS.includes(operator);
    let right = operand();
    const isFloatLiteral = right.kind === 'literal' && typeof right.value === 'number';
    const isZero = right.kind === 'literal' && Number(right.value) === 0;
    if ((isWhole && isFloatLiteral) || isZero) right = literal(3n);
    if (this.#chance(4)) return { kind: 'arithmetic', at: 0, operator, left: right, right: left };
    return { kind: 'arithmetic', at: 0, operator, left, right };
  }

  /** A field of the type, or an element of an array of it. */
  #typed(type: ElementType): FilterNode {
    const field = this.#pick(
      this.#fields.filter((known) => known.type === type || known.elementType === type),
    );
    return fieldNode(field.name, field.type === 'Array' ? [this.#random.below(4)] : []);
  }

  #json(): FieldNode {
    const path = this.#list(2, () => (this.#chance(3) ? this.#random.below(3) : this.#pick(KEYS)));
    if (this.#chance(4)) return fieldNode('k', path);
    const field = this.#pick(this.#fields.filter(({ type }) => type === 'JSON'));
    return fieldNode(field.name, [this.#pick(KEYS), ...path]);
  }

  #compare(operators: readonly CompareOperator[], left: FilterNode, right: FilterNode): FilterNode {
    return { kind: 'compare', at: 0, operator: this.#pick(operators), left, right };
  }

  #literalOf(type: ElementType): FilterNode {
    if (type === 'Bool') return literal(this.#chance(2));
    return type === 'VarChar' ? this.#text() : this.#numberLiteral(true);
  }

  #jsonLiteral(mayNest = false): FilterNode {
    const choice = this.#random.below(mayNest ? 5 : 4);
    if (choice === 0) return literal(this.#chance(2));
    if (choice === 1) return this.#text();
    return choice < 4 ? this.#numberLiteral(true) : this.#jsonList();
  }

  #jsonList(): FilterNode {
    return { kind: 'list', at: 0, items: this.#list(3, () => this.#jsonLiteral(false)) };
  }

  /** `mayBeWide`: integers a double cannot hold. */
  #numberLiteral(mayBeWide: boolean): FilterNode {
    if (this.#chance(3)) return literal(this.#pick(FLOATS));
    return mayBeWide ? this.#integerLiteral() : literal(this.#pick(INTEGERS));
  }

  #integerLiteral(): FilterNode {
    return literal(this.#pick(this.#chance(3) ? WIDE_INTEGERS : INTEGERS));
  }

  #text(): FilterNode {
    return literal(this.#pick(TEXTS));
  }

  #texts(): FilterNode {
    return { kind: 'list', at: 0, items: this.#list(4, () => this.#text()) };
  }

  #list<T>(max: number, make: () => T): T[] {
    return Array.from({ length: this.#random.below(max + 1) }, make);
  }

  /** One time in `of`. */
  #chance(of: number): boolean {
    return this.#random.below(of) === 0;
  }

  #pick<T>(values: readonly T[]): T {
    return pick(this.#random, values);
  }
}

function pick<T>(random: Random, values: readonly T[]): T {
  return values[random.below(values.length)]!;
}

function literal(value: boolean | bigint | number | string): FilterNode {
  return { kind: 'literal', at: 0, value };
}

function fieldNode(name: string, path: readonly (string | number)[] = []): FieldNode {
  return { kind: 'field', at: 0, name, path };
}
