/** A filter as written, before it meets a schema. `at` is the offset of the node's first or operator token in the text. */
export type FilterNode =
  | LiteralNode
  | ListNode
  | TemplateNode
  | TimeNode
  | FieldNode
  | UnaryNode
  | ArithmeticNode
  | CompareNode
  | RangeNode
  | InNode
  | LikeNode
  | NullNode
  | ExistsNode
  | CallNode
  | NotNode
  | LogicalNode;

export type ArithmeticOperator = '+' | '-' | '*' | '/' | '%' | '**' | '&' | '|' | '^' | '<<' | '>>';
export type UnaryOperator = '+' | '-' | '~';
export type OrderOperator = '<' | '<=' | '>' | '>=';
export type CompareOperator = OrderOperator | '==' | '!=';

export const FILTER_FUNCTIONS = [
  'array_contains',
  'array_contains_all',
  'array_contains_any',
  'array_length',
  'json_contains',
  'json_contains_all',
  'json_contains_any',
  'st_contains',
  'st_crosses',
  'st_dwithin',
  'st_equals',
  'st_intersects',
  'st_isvalid',
  'st_overlaps',
  'st_touches',
  'st_within',
] as const;
export type FilterFunction = (typeof FILTER_FUNCTIONS)[number];

interface NodeBase {
  readonly at: number;
}

/** Integers are `bigint` within 64 bits, floats are finite. */
export interface LiteralNode extends NodeBase {
  readonly kind: 'literal';
  readonly value: boolean | bigint | number | string;
}
export interface ListNode extends NodeBase {
  readonly kind: 'list';
  readonly items: readonly FilterNode[];
}
/** `{name}`: a constant that comes with the request. */
export interface TemplateNode extends NodeBase {
  readonly kind: 'template';
  readonly name: string;
}
/** `ISO '2025-01-03T00:00:00Z'`, a point in time, or `INTERVAL 'P1D'`, a span of it. */
export interface TimeNode extends NodeBase {
  readonly kind: 'instant' | 'interval';
  readonly text: string;
}
/** `name`, or `name["key"][0]`: strings are keys, numbers are indexes. */
export interface FieldNode extends NodeBase {
  readonly kind: 'field';
  readonly name: string;
  readonly path: readonly (string | number)[];
}
export interface UnaryNode extends NodeBase {
  readonly kind: 'unary';
  readonly operator: UnaryOperator;
  readonly operand: FilterNode;
}
export interface ArithmeticNode extends NodeBase {
  readonly kind: 'arithmetic';
  readonly operator: ArithmeticOperator;
  readonly left: FilterNode;
  readonly right: FilterNode;
}
export interface CompareNode extends NodeBase {
  readonly kind: 'compare';
  readonly operator: CompareOperator;
  readonly left: FilterNode;
  readonly right: FilterNode;
}
/** `first operator1 operand operator2 second`, both operators of one direction: `1 < a <= 5`, `5 >= a > 1`. */
export interface RangeNode extends NodeBase {
  readonly kind: 'range';
  readonly first: FilterNode;
  readonly firstOperator: OrderOperator;
  readonly operand: FilterNode;
  readonly secondOperator: OrderOperator;
  readonly second: FilterNode;
}
export interface InNode extends NodeBase {
  readonly kind: 'in';
  readonly negated: boolean;
  readonly operand: FilterNode;
  readonly list: FilterNode;
}
export interface LikeNode extends NodeBase {
  readonly kind: 'like';
  readonly negated: boolean;
  readonly operand: FilterNode;
  readonly pattern: FilterNode;
}
export interface NullNode extends NodeBase {
  readonly kind: 'isNull';
  readonly negated: boolean;
  readonly operand: FieldNode;
}
export interface ExistsNode extends NodeBase {
  readonly kind: 'exists';
  readonly operand: FilterNode;
}
export interface CallNode extends NodeBase {
  readonly kind: 'call';
  readonly name: FilterFunction;
  readonly arguments: readonly FilterNode[];
}
export interface NotNode extends NodeBase {
  readonly kind: 'not';
  readonly operand: FilterNode;
}
/** A chain of one operator; at least two operands. */
export interface LogicalNode extends NodeBase {
  readonly kind: 'and' | 'or';
  readonly operands: readonly FilterNode[];
}

export function childrenOf(node: FilterNode): readonly FilterNode[] {
  switch (node.kind) {
    case 'literal':
    case 'template':
    case 'instant':
    case 'interval':
    case 'field':
      return [];
    case 'list':
      return node.items;
    case 'call':
      return node.arguments;
    case 'and':
    case 'or':
      return node.operands;
    case 'arithmetic':
    case 'compare':
      return [node.left, node.right];
    case 'range':
      return [node.first, node.operand, node.second];
    case 'in':
      return [node.operand, node.list];
    case 'like':
      return [node.operand, node.pattern];
    default:
      return [node.operand];
  }
}
