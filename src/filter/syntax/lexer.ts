import { filterError, quoted } from '../filter-error.ts';
import { scanNumber } from './number-literal.ts';
import { scanRawString, scanString } from './string-literal.ts';

export type Token =
  | { readonly kind: 'number'; readonly at: number; readonly value: bigint | number }
  | { readonly kind: 'string'; readonly at: number; readonly value: string }
  /** Field names, keywords and functions alike; the parser tells them apart. */
  | { readonly kind: 'name'; readonly at: number; readonly text: string }
  | { readonly kind: 'symbol'; readonly at: number; readonly text: string }
  | { readonly kind: 'end'; readonly at: number };

const BLANK = /[ \t\r\n]*/y;
const NAME = /\$meta(?![\p{L}\p{N}_])|[\p{L}_][\p{L}\p{N}\p{M}_]*/uy;
const SYMBOL = /\*\*|<<|>>|<=|>=|==|!=|&&|\|\||=~|!~|[()[\]{},+\-*/%<>!~&|^=]/y;

/** Cuts the text into tokens on demand, two ahead at most, so that a long list never stands twice in memory. */
export class Lexer {
  readonly #text: string;
  #offset = 0;
  readonly #ahead: Token[] = [];

  constructor(text: string) {
    this.#text = text;
  }

  /** The token `distance` after the current one. */
  peek(distance: 0 | 1 = 0): Token {
    while (this.#ahead.length <= distance) this.#ahead.push(this.#scan());
    return this.#ahead[distance]!;
  }

  take(): Token {
    const token = this.peek();
    this.#ahead.shift();
    return token;
  }

  #scan(): Token {
    const text = this.#text;
    BLANK.lastIndex = this.#offset;
    BLANK.exec(text);
    const at = BLANK.lastIndex;
    this.#offset = at;
    if (at >= text.length) return { kind: 'end', at: text.length };
    const first = text[at]!;
    if (first === '"' || first === "'") return this.#string(at, scanString(text, at));
    const second = text[at + 1];
    if ((first === 'r' || first === 'R') && (second === '"' || second === "'")) {
      return this.#string(at, scanRawString(text, at + 1));
    }
    if (isDigit(first) || (first === '.' && second !== undefined && isDigit(second))) {
      const { value, end } = scanNumber(text, at);
      this.#offset = end;
      return { kind: 'number', at, value };
    }
    return this.#word(at, NAME, 'name') ?? this.#word(at, SYMBOL, 'symbol') ?? this.#fail(at);
  }

  #string(at: number, scanned: { readonly value: string; readonly end: number }): Token {
    this.#offset = scanned.end;
    return { kind: 'string', at, value: scanned.value };
  }

  #word(at: number, pattern: RegExp, kind: 'name' | 'symbol'): Token | null {
    pattern.lastIndex = at;
    const match = pattern.exec(this.#text);
    if (match === null) return null;
    this.#offset = pattern.lastIndex;
    return { kind, at, text: match[0] };
  }

  #fail(at: number): never {
    const character = String.fromCodePoint(this.#text.codePointAt(at)!);
    throw filterError(at, `${quoted(character)} is not part of the filter language`);
  }
}

/** How a token is named in messages. */
export function describeToken(token: Token): string {
  switch (token.kind) {
    case 'end':
      return 'the end';
    case 'string':
      return `string ${quoted(token.value)}`;
    case 'number':
      return `number ${token.value}`;
    default:
      return quoted(token.text);
  }
}

function isDigit(character: string): boolean {
  return character >= '0' && character <= '9';
}
