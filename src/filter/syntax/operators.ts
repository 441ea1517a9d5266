import type { Token } from './lexer.ts';

/**
 * How tightly the operators bind, as in Milvus's grammar: a higher level binds first, all are left-associative. `or`, `and`
 * and `not` bind looser than these and are read by the parser itself.
 */
export const LEVELS = {
  '|': 1,
  '^': 2,
  '&': 3,
  '==': 4,
  '!=': 4,
  '<': 5,
  '<=': 5,
  '>': 5,
  '>=': 5,
  in: 6,
  '<<': 7,
  '>>': 7,
  '+': 8,
  '-': 8,
  '*': 9,
  '/': 9,
  '%': 9,
  '**': 11,
  like: 12,
} as const;
/** Signs and `~`: looser than `**`, so that `-2 ** 2` is -4. */
export const PREFIX_LEVEL = 10;
export const LOOSEST_LEVEL = 1;
export const TIGHTEST_LEVEL = 13;

export type InfixOperator = keyof typeof LEVELS;

/** `not` stands before `in` and `like` as part of the operator. */
export interface Infix {
  readonly operator: InfixOperator;
  readonly negated: boolean;
  readonly level: number;
}

/** The operator two tokens begin with, or null when the expression ends here. */
export function infixOf(token: Token, following: () => Token): Infix | null {
  if (token.kind === 'symbol') {
    return isInfix(token.text) ? { operator: token.text, negated: false, level: LEVELS[token.text] } : null;
  }
  const word = keywordOf(token);
  if (word === 'in' || word === 'like') return { operator: word, negated: false, level: LEVELS[word] };
  if (word !== 'not') return null;
  const next = keywordOf(following());
  return next === 'in' || next === 'like' ? { operator: next, negated: true, level: LEVELS[next] } : null;
}

function isInfix(text: string): text is InfixOperator {
  return Object.hasOwn(LEVELS, text);
}

export type Keyword = 'and' | 'or' | 'not' | 'in' | 'like' | 'exists';
const KEYWORDS: ReadonlySet<string> = new Set<Keyword>(['and', 'or', 'not', 'in', 'like', 'exists']);

/** Keywords are all lowercase or all uppercase, as in Milvus; `And` is a name. */
export function keywordOf(token: Token): Keyword | null {
  if (token.kind !== 'name') return null;
  const lower = token.text.toLowerCase();
  if (!KEYWORDS.has(lower)) return null;
  return token.text === lower || token.text === token.text.toUpperCase() ? (lower as Keyword) : null;
}
