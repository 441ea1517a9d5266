import type { FieldNode, FilterNode } from '../ast.ts';
import { LEVELS, PREFIX_LEVEL, TIGHTEST_LEVEL } from './operators.ts';

const OR_LEVEL = -2;
const AND_LEVEL = -1;
const NOT_LEVEL = 0;

/**
 * Canonical text of a filter: lowercase keywords, one blank around operators, the fewest parentheses. Parsing it again
 * gives the same tree, positions apart.
 */
export function formatFilter(node: FilterNode): string {
  switch (node.kind) {
    case 'literal':
      return formatLiteral(node.value);
    case 'list':
      return `[${node.items.map(formatFilter).join(', ')}]`;
    case 'template':
      return `{${node.name}}`;
    case 'instant':
      return `ISO ${formatString(node.text)}`;
    case 'interval':
      return `INTERVAL ${formatString(node.text)}`;
    case 'field':
      return formatField(node);
    case 'call':
      return `${node.name}(${node.arguments.map(formatFilter).join(', ')})`;
    case 'isNull':
      return `${formatField(node.operand)} ${node.negated ? 'is not null' : 'is null'}`;
    case 'exists':
      return `exists ${above(node.operand, TIGHTEST_LEVEL)}`;
    case 'not':
      return `not ${above(node.operand, NOT_LEVEL)}`;
    case 'unary':
      return formatUnary(node.operator, above(node.operand, PREFIX_LEVEL + 1));
    case 'and':
    case 'or':
      return node.operands.map((operand) => above(operand, levelOf(node) + 1)).join(` ${node.kind} `);
    default:
      return formatInfix(node);
  }
}

type InfixNode = Extract<FilterNode, { kind: 'arithmetic' | 'compare' | 'range' | 'in' | 'like' }>;

function formatInfix(node: InfixNode): string {
  const level = levelOf(node);
  switch (node.kind) {
    case 'arithmetic':
      return `${above(node.left, level)} ${node.operator} ${above(node.right, level + 1)}`;
    case 'compare':
      // An order compared again would read as a chain.
      return `${above(node.left, level === LEVELS['<'] ? level + 1 : level)} ${node.operator} ${above(node.right, level + 1)}`;
    case 'range':
      return [
        above(node.first, level + 1),
        node.firstOperator,
        above(node.operand, level + 1),
        node.secondOperator,
        above(node.second, level + 1),
      ].join(' ');
    case 'in':
      return `${above(node.operand, level)} ${node.negated ? 'not in' : 'in'} ${above(node.list, level + 1)}`;
    case 'like':
      return `${above(node.operand, level)} ${node.negated ? 'not like' : 'like'} ${above(node.pattern, level + 1)}`;
  }
}

/** The operand's text, in parentheses when it binds looser than `level`. */
function above(node: FilterNode, level: number): string {
  const text = formatFilter(node);
  return levelOf(node) < level ? `(${text})` : text;
}

function levelOf(node: FilterNode): number {
  switch (node.kind) {
    case 'or':
      return OR_LEVEL;
    case 'and':
      return AND_LEVEL;
    case 'not':
      return NOT_LEVEL;
    case 'arithmetic':
    case 'compare':
      return LEVELS[node.operator];
    case 'range':
      return LEVELS['<'];
    case 'in':
    case 'like':
      return LEVELS[node.kind];
    case 'unary':
    case 'exists':
      return PREFIX_LEVEL;
    case 'literal':
      return isNegative(node.value) ? PREFIX_LEVEL : TIGHTEST_LEVEL;
    default:
      return TIGHTEST_LEVEL;
  }
}

/** A minus directly before digits would be read as part of the number. */
function formatUnary(operator: string, operand: string): string {
  return operator === '-' && /^[0-9.]/.test(operand) ? `-(${operand})` : operator + operand;
}

function formatField(node: FieldNode): string {
  return (
    node.name +
    node.path.map((segment) => `[${typeof segment === 'string' ? formatString(segment) : segment}]`).join('')
  );
}

function formatLiteral(value: boolean | bigint | number | string): string {
  if (typeof value === 'string') return formatString(value);
  if (typeof value !== 'number') return String(value);
  if (Object.is(value, -0)) return '-0.0';
  const text = String(value);
  return /[.e]/.test(text) ? text : `${text}.0`;
}

/** JSON escapes what needs escaping in a way the lexer reads, but for the two separators JavaScript leaves bare. */
function formatString(value: string): string {
  return JSON.stringify(value);
}

function isNegative(value: boolean | bigint | number | string): boolean {
  return (typeof value === 'bigint' || typeof value === 'number') && (value < 0 || Object.is(value, -0));
}
