import type { FieldSchema } from '../../schema/index.ts';
import type { FilterNode } from '../ast.ts';
import { filterError, quoted } from '../filter-error.ts';
import { kindOf, type FilterValue } from '../filter-value.ts';
import type { Instant } from '../../util/instant.ts';
import type { Duration } from '../../util/iso-duration.ts';
import type { DynamicExpression, JsonSource, Operand, OperandType, Predicate } from '../plan.ts';
import { formatFilter } from '../syntax/format-filter.ts';

/** What a node of the tree turned out to be once names and parameters are known. */
export type Typed =
  /** A condition: true, false or unknown of a row. */
  | { readonly kind: 'predicate'; readonly predicate: Predicate }
  | { readonly kind: 'constant'; readonly value: FilterValue }
  | { readonly kind: 'instant'; readonly instant: Instant }
  | { readonly kind: 'interval'; readonly duration: Duration }
  | { readonly kind: 'operand'; readonly operand: Operand; readonly range: IntegerRange | null }
  | { readonly kind: 'array'; readonly field: FieldSchema }
  | { readonly kind: 'geometry'; readonly field: FieldSchema }
  | { readonly kind: 'vector'; readonly field: FieldSchema }
  | { readonly kind: 'json'; readonly source: JsonSource }
  | { readonly kind: 'dynamic'; readonly expression: DynamicExpression };

/** The values an integer operand can take, both ends included. */
export interface IntegerRange {
  readonly low: bigint;
  readonly high: bigint;
}

/** A node and what it is, kept together so that messages can show the client's own words. */
export interface TypedNode {
  readonly node: FilterNode;
  readonly typed: Typed;
}

/** E.g. `'age' (Int64)`, `'"x"' (string)`. */
export function describe({ node, typed }: TypedNode): string {
  return `${quoted(formatFilter(node))} (${typeName(typed)})`;
}

function typeName(typed: Typed): string {
  switch (typed.kind) {
    case 'predicate':
      return 'a condition';
    case 'constant':
      return kindOf(typed.value);
    case 'instant':
      return 'a point in time';
    case 'interval':
      return 'a span of time';
    case 'operand':
      return operandTypeName(typed.operand.type);
    case 'array':
      return `Array of ${typed.field.elementType}`;
    case 'geometry':
    case 'vector':
      return typed.field.type;
    case 'json':
      return 'JSON';
    case 'dynamic':
      return 'JSON arithmetic';
  }
}

function operandTypeName(type: OperandType): string {
  return type === 'SafeInt' ? 'Int64' : type;
}

export function mismatch(at: number, action: string, left: TypedNode, right: TypedNode) {
  return filterError(at, `${describe(left)} cannot be ${action} ${describe(right)}`);
}

export function isFloatType(type: OperandType): boolean {
  return type === 'Float' || type === 'Double';
}

export function isIntegerType(type: OperandType): boolean {
  return type !== 'Bool' && type !== 'VarChar' && type !== 'Timestamptz' && !isFloatType(type);
}
