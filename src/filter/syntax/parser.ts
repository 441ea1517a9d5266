import {
  FILTER_FUNCTIONS,
  type FieldNode,
  type FilterFunction,
  type FilterNode,
  type OrderOperator,
  type UnaryOperator,
} from '../ast.ts';
import { filterError, quoted } from '../filter-error.ts';
import type { FilterLimits } from '../filter-limits.ts';
import { INT64_MAX, INT64_MIN } from '../filter-value.ts';
import { describeToken, Lexer, type Token } from './lexer.ts';
import { infixOf, keywordOf, LEVELS, LOOSEST_LEVEL, PREFIX_LEVEL, type Infix } from './operators.ts';

const TRUE_WORDS: ReadonlySet<string> = new Set(['true', 'True', 'TRUE']);
const FALSE_WORDS: ReadonlySet<string> = new Set(['false', 'False', 'FALSE']);
const FUNCTIONS: ReadonlySet<string> = new Set(FILTER_FUNCTIONS);
const FOREIGN_SYMBOLS: Readonly<Record<string, string>> = {
  '=': "'=' does not compare; write '=='",
  '=~': "regular expressions are not offered; use 'like'",
  '!~': "regular expressions are not offered; use 'not like'",
};

/** A recursive-descent parser. Every recursion passes through `#nested`, which bounds it. */
export class Parser {
  readonly #lexer: Lexer;
  readonly #limits: FilterLimits;
  #depth = 0;
  #nodes = 0;

  constructor(text: string, limits: FilterLimits) {
    this.#lexer = new Lexer(text);
    this.#limits = limits;
  }

  /** The whole text as one expression. */
  parse(): FilterNode {
    const node = this.#or();
    const rest = this.#lexer.peek();
    if (rest.kind !== 'end') throw unexpected(rest, 'an operator or the end');
    return node;
  }

  #or(): FilterNode {
    return this.#chain('or', '||', () => this.#and());
  }

  #and(): FilterNode {
    return this.#chain('and', '&&', () => this.#not());
  }

  #chain(kind: 'and' | 'or', symbol: string, operand: () => FilterNode): FilterNode {
    const first = operand();
    const operator = this.#lexer.peek();
    if (!isLogical(operator, kind, symbol)) return first;
    const operands = [first];
    while (isLogical(this.#lexer.peek(), kind, symbol)) {
      this.#lexer.take();
      operands.push(operand());
    }
    return this.#made({ kind, at: operator.at, operands });
  }

  /** `not` reaches as far as the next `and` or `or`: `not a > 1` means `not (a > 1)`. */
  #not(): FilterNode {
    if (!isNot(this.#lexer.peek())) return this.#infix(LOOSEST_LEVEL);
    const { at } = this.#lexer.take();
    return this.#made({ kind: 'not', at, operand: this.#nested(at, () => this.#not()) });
  }

  #infix(level: number): FilterNode {
    let left = this.#prefix();
    for (;;) {
      const infix = infixOf(this.#lexer.peek(), () => this.#lexer.peek(1));
      if (infix === null || infix.level < level) return left;
      left = this.#combine(left, infix);
    }
  }

  #combine(left: FilterNode, infix: Infix): FilterNode {
    const { at } = this.#lexer.take();
    if (infix.negated) this.#lexer.take();
    const right = this.#infix(infix.level + 1);
    switch (infix.operator) {
      case 'in':
        return this.#made({ kind: 'in', at, negated: infix.negated, operand: left, list: right });
      case 'like':
        return this.#made({ kind: 'like', at, negated: infix.negated, operand: left, pattern: right });
      case '==':
      case '!=':
        return this.#made({ kind: 'compare', at, operator: infix.operator, left, right });
      case '<':
      case '<=':
      case '>':
      case '>=':
        return this.#relation(at, left, infix.operator, right);
      default:
        return this.#made({ kind: 'arithmetic', at, operator: infix.operator, left, right });
    }
  }

  #relation(at: number, first: FilterNode, firstOperator: OrderOperator, operand: FilterNode): FilterNode {
    const next = this.#lexer.peek();
    if (next.kind !== 'symbol' || !isOrder(next.text)) {
      return this.#made({ kind: 'compare', at, operator: firstOperator, left: first, right: operand });
    }
    if (firstOperator[0] !== next.text[0]) {
      throw filterError(
        next.at,
        `'${firstOperator}' and '${next.text}' cannot be chained; join two comparisons with 'and'`,
      );
    }
    this.#lexer.take();
    const second = this.#infix(LEVELS[next.text] + 1);
    return this.#made({
      kind: 'range',
      at,
      first,
      firstOperator,
      operand,
      secondOperator: next.text,
      second,
    });
  }

  #prefix(): FilterNode {
    const token = this.#lexer.peek();
    if (token.kind === 'symbol' && (token.text === '+' || token.text === '-' || token.text === '~')) {
      return this.#sign(token.at, token.text);
    }
    if (isNot(token)) return this.#nested(token.at, () => this.#not());
    if (keywordOf(token) !== 'exists') return this.#primary();
    this.#lexer.take();
    return this.#made({
      kind: 'exists',
      at: token.at,
      operand: this.#nested(token.at, () => this.#primary()),
    });
  }

  /** A minus and the integer after it are one literal, else the smallest integer could not be written. */
  #sign(at: number, operator: UnaryOperator): FilterNode {
    this.#lexer.take();
    const token = this.#lexer.peek();
    const following = token.kind === 'number' ? this.#lexer.peek(1) : null;
    const bindsTighter = following !== null && following.kind === 'symbol' && following.text === '**';
    if (operator === '-' && token.kind === 'number' && !bindsTighter) {
      this.#lexer.take();
      return this.#number(at, -token.value);
    }
    const operand = this.#nested(at, () => this.#infix(PREFIX_LEVEL + 1));
    return this.#made({ kind: 'unary', at, operator, operand });
  }

  #primary(): FilterNode {
    const token = this.#lexer.take();
    switch (token.kind) {
      case 'string':
        return this.#made({ kind: 'literal', at: token.at, value: token.value });
      case 'number':
        return this.#number(token.at, token.value);
      case 'name':
        return this.#name(token);
      case 'symbol':
        if (token.text === '(') return this.#group(token.at);
        if (token.text === '[') return this.#list(token.at);
        if (token.text === '{') return this.#template(token.at);
    }
    throw unexpected(token, 'a field, a constant or a parenthesis');
  }

  #number(at: number, value: bigint | number): FilterNode {
    if (typeof value === 'bigint' && (value < INT64_MIN || value > INT64_MAX)) {
      throw filterError(at, `integer ${quoted(String(value))} is outside the 64 bits of a signed integer`);
    }
    return this.#made({ kind: 'literal', at, value });
  }

  #group(at: number): FilterNode {
    const node = this.#nested(at, () => this.#or());
    this.#expect(')');
    return node;
  }

  #list(at: number): FilterNode {
    const items = this.#nested(at, () => this.#items(']'));
    return this.#made({ kind: 'list', at, items });
  }

  /** Expressions up to `close`, which is taken. A comma may stand after the last. */
  #items(close: ']' | ')'): FilterNode[] {
    const items: FilterNode[] = [];
    while (!isSymbol(this.#lexer.peek(), close)) {
      items.push(this.#or());
      if (!isSymbol(this.#lexer.peek(), ',')) break;
      this.#lexer.take();
    }
    this.#expect(close);
    return items;
  }

  #template(at: number): FilterNode {
    const token = this.#lexer.take();
    if (token.kind !== 'name') throw unexpected(token, 'the name of a template parameter');
    this.#expect('}');
    return this.#made({ kind: 'template', at, name: token.text });
  }

  #name(token: Token & { kind: 'name' }): FilterNode {
    const { at, text } = token;
    if (TRUE_WORDS.has(text)) return this.#made({ kind: 'literal', at, value: true });
    if (FALSE_WORDS.has(text)) return this.#made({ kind: 'literal', at, value: false });
    if (keywordOf(token) !== null) throw unexpected(token, 'a field, a constant or a parenthesis');
    const time = timeKindOf(text);
    const value = this.#lexer.peek();
    if (time !== null && value.kind === 'string') {
      this.#lexer.take();
      return this.#made({ kind: time, at, text: value.value });
    }
    if (isSymbol(value, '(')) return this.#call(at, text);
    const field = this.#field(at, text);
    return this.#nullTest(field) ?? field;
  }

  #field(at: number, name: string): FieldNode {
    const path: (string | number)[] = [];
    while (isSymbol(this.#lexer.peek(), '[')) {
      this.#lexer.take();
      path.push(this.#pathSegment());
      this.#expect(']');
    }
    if (path.length > this.#limits.depthMax) throw this.#tooDeep(at);
    const field: FieldNode = { kind: 'field', at, name, path };
    this.#made(field);
    return field;
  }

  #pathSegment(): string | number {
    const token = this.#lexer.take();
    if (token.kind === 'string' && token.value !== '') return token.value;
    if (token.kind === 'number' && typeof token.value === 'bigint' && token.value <= 0x7fff_ffffn) {
      return Number(token.value);
    }
    throw unexpected(token, 'a key in quotes or an index');
  }

  #nullTest(operand: FieldNode): FilterNode | null {
    const word = this.#lexer.peek();
    if (!isWord(word, 'is')) return null;
    this.#lexer.take();
    const negated = keywordOf(this.#lexer.peek()) === 'not';
    if (negated) this.#lexer.take();
    const last = this.#lexer.take();
    if (!isWord(last, 'null')) throw unexpected(last, negated ? "'null'" : "'null' or 'not null'");
    return this.#made({ kind: 'isNull', at: word.at, negated, operand });
  }

  #call(at: number, written: string): FilterNode {
    const name = written.toLowerCase();
    if (!FUNCTIONS.has(name)) {
      throw filterError(
        at,
        `function ${quoted(written)} is unknown; there are ${FILTER_FUNCTIONS.join(', ')}`,
      );
    }
    this.#lexer.take();
    const args = this.#nested(at, () => this.#items(')'));
    const count = argumentCount(name as FilterFunction);
    if (args.length !== count) {
      const wanted = count === 1 ? '1 argument' : `${count} arguments`;
      throw filterError(at, `${name} takes ${wanted}, not ${args.length}`);
    }
    return this.#made({ kind: 'call', at, name: name as FilterFunction, arguments: args });
  }

  #nested<T>(at: number, parse: () => T): T {
    if (++this.#depth > this.#limits.depthMax) throw this.#tooDeep(at);
    const result = parse();
    this.#depth--;
    return result;
  }

  #made(node: FilterNode): FilterNode {
    if (++this.#nodes > this.#limits.nodesMax) {
      throw filterError(
        node.at,
        `the filter has more than ${this.#limits.nodesMax} parts; split it or use fewer values`,
      );
    }
    return node;
  }

  #tooDeep(at: number) {
    return filterError(at, `the filter nests deeper than ${this.#limits.depthMax} levels; flatten it`);
  }

  #expect(symbol: string): void {
    const token = this.#lexer.take();
    if (!isSymbol(token, symbol)) throw unexpected(token, `'${symbol}'`);
  }
}

function isSymbol(token: Token, text: string): boolean {
  return token.kind === 'symbol' && token.text === text;
}

function isWord(token: Token, word: string): boolean {
  return token.kind === 'name' && (token.text === word || token.text === word.toUpperCase());
}

/** What a word before a string makes of it; elsewhere it is a name like any other. */
function timeKindOf(word: string): 'instant' | 'interval' | null {
  if (word === 'ISO' || word === 'iso') return 'instant';
  return word === 'INTERVAL' || word === 'interval' ? 'interval' : null;
}

function argumentCount(name: FilterFunction): number {
  if (name === 'array_length' || name === 'st_isvalid') return 1;
  return name === 'st_dwithin' ? 3 : 2;
}

function isNot(token: Token): boolean {
  return isSymbol(token, '!') || keywordOf(token) === 'not';
}

function isLogical(token: Token, word: 'and' | 'or', symbol: string): boolean {
  return isSymbol(token, symbol) || keywordOf(token) === word;
}

function isOrder(text: string): text is OrderOperator {
  return text === '<' || text === '<=' || text === '>' || text === '>=';
}

function unexpected(token: Token, wanted: string) {
  const hint = token.kind === 'symbol' ? FOREIGN_SYMBOLS[token.text] : undefined;
  return filterError(token.at, hint ?? `${describeToken(token)} stands where ${wanted} is expected`);
}
