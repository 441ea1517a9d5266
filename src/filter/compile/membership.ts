import type { CallNode } from '../ast.ts';
import { filterError, quoted } from '../filter-error.ts';
import { kindOf, type FilterValue } from '../filter-value.ts';
import type { Operand, Predicate } from '../plan.ts';
import { formatFilter } from '../syntax/format-filter.ts';
import { describe, isFloatType, type IntegerRange, type Typed, type TypedNode } from './typed.ts';
import { jsonConstant } from './json-constant.ts';
import { arrayItemSet, jsonSet, unionOfSets, valueSet } from './value-sets.ts';

/** `operand in list`. */
export function compileIn(at: number, operand: TypedNode, list: TypedNode): Predicate {
  const { typed } = operand;
  if (typed.kind === 'operand' && typed.operand.type === 'Timestamptz') {
    throw filterError(at, `'in' takes no Timestamptz field; compare ${describe(operand)} with ISO '...'`);
  }
  const values = listOf(at, "'in'", list);
  if (typed.kind === 'operand') {
    const fitting = values.filter((value, index) => fitsOperand(at, operand, typed, value, index));
    return { kind: 'in', operand: typed.operand, set: valueSet(typed.operand.type, fitting) };
  }
  if (typed.kind !== 'json') {
    throw filterError(at, `'in' looks up a field or a key of a JSON field, not ${describe(operand)}`);
  }
  const nested = values.find((value) => typeof value === 'object');
  if (nested !== undefined) throw filterError(at, `'in' takes a list of scalars; compare arrays with '=='`);
  return { kind: 'json', source: typed.source, test: { kind: 'in', set: jsonSet(values) } };
}

/** Throws on a value of another type; false for an integer that no row can hold. */
function fitsOperand(
  at: number,
  node: TypedNode,
  { operand, range }: { readonly operand: Operand; readonly range: IntegerRange | null },
  value: FilterValue,
  index: number,
): boolean {
  const kind = kindOf(value);
  const wanted = wantedKinds(operand);
  if (!wanted.includes(kind)) {
    throw filterError(
      at,
      `${describe(node)} is looked up among ${wanted.join(' or ')} values, but the one at index ${index} is ${kind}`,
    );
  }
  return typeof value !== 'bigint' || range === null || (value >= range.low && value <= range.high);
}

function wantedKinds(operand: Operand): readonly string[] {
  if (operand.type === 'VarChar') return ['string'];
  if (operand.type === 'Bool') return ['bool'];
  return isFloatType(operand.type) ? ['float', 'int'] : ['int'];
}

/** `json_contains…` and `array_contains…`, which do the same: the field's type decides. */
export function compileContains(node: CallNode, field: TypedNode, argument: TypedNode): Typed {
  const isSingle = node.name.endsWith('_contains');
  const quantifier = node.name.endsWith('_all') ? 'all' : 'any';
  const values = isSingle ? [constantOf(node, argument)] : listOf(node.at, node.name, argument);
  const { typed } = field;
  if (typed.kind === 'json') {
    const test = { kind: 'contains', quantifier, values: values.map(jsonConstant) } as const;
    return { kind: 'predicate', predicate: { kind: 'json', source: typed.source, test } };
  }
  if (typed.kind !== 'array') {
    throw filterError(node.at, `${node.name} looks into an Array or JSON field, not into ${describe(field)}`);
  }
  const type = typed.field.elementType!;
  const sets = values.map((value, index) => {
    const set = arrayItemSet(type, value);
    if (set !== null) return set;
    throw filterError(
      node.at,
      `${describe(field)} cannot contain the value at index ${index}, which is ${kindOf(value)}`,
    );
  });
  const predicate: Predicate = {
    kind: 'arrayContains',
    fieldId: typed.field.id,
    quantifier,
    sets: quantifier === 'all' ? sets : [unionOfSets(type, sets)],
  };
  return { kind: 'predicate', predicate };
}

function constantOf(node: CallNode, argument: TypedNode): FilterValue {
  if (argument.typed.kind === 'constant') return argument.typed.value;
  throw filterError(node.at, `${node.name} looks for a constant, not for ${describe(argument)}`);
}

function listOf(at: number, name: string, argument: TypedNode): readonly FilterValue[] {
  const { typed } = argument;
  if (typed.kind === 'constant' && typeof typed.value === 'object') return typed.value;
  throw filterError(at, `${name} takes a list of constants, not ${quoted(formatFilter(argument.node))}`);
}
