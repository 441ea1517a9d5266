import { primaryKeyField, type CollectionSchema, type FieldSchema } from '../schema/index.ts';
import { exactValuesOf } from './compile/exact-values.ts';
import type { FilterPlan, Predicate } from './plan.ts';

/** The keys when the filter is nothing but `pk == x` or `pk in [...]`, each once; else null. */
export function primaryKeysOf(plan: FilterPlan, schema: CollectionSchema): bigint[] | string[] | null {
  const values = exactValues(plan.predicate, primaryKeyField(schema).id);
  return values === null ? null : ([...values] as bigint[] | string[]);
}

/** Every field the filter reads, ascending. */
export function fieldsOf(plan: FilterPlan): readonly number[] {
  return plan.fieldIds;
}

/**
 * The only values of an Int64 or VarChar field that a passing row can have, each once, when the filter says so with `==` or
 * `in`, alone, in every branch of an `or`, or in any part of an `and`; else null. Empty: no row passes.
 */
export function partitionKeyValues(plan: FilterPlan, field: FieldSchema): bigint[] | string[] | null {
  const values = pinned(plan.predicate, field.id);
  return values === null ? null : ([...values] as bigint[] | string[]);
}

type Values = ReadonlySet<bigint | string>;

function pinned(predicate: Predicate, fieldId: number): Values | null {
  if (predicate.kind === 'and') {
    const known = predicate.operands
      .map((operand) => pinned(operand, fieldId))
      .filter((values) => values !== null);
    return known.length === 0 ? null : known.reduce((left, right) => left.intersection(right));
  }
  if (predicate.kind === 'or') {
    const known = predicate.operands.map((operand) => pinned(operand, fieldId));
    if (known.some((values) => values === null)) return null;
    return known.reduce((left, right) => left!.union(right!));
  }
  if (predicate.kind === 'constant' && !predicate.value) return new Set();
  const values = exactValues(predicate, fieldId);
  return values === null ? null : new Set(values);
}

/** null: the predicate asks for more or for other than values of this field, or the field is of a type that is no key. */
function exactValues(predicate: Predicate, fieldId: number): readonly (bigint | string)[] | null {
  const exact = exactValuesOf(predicate);
  if (exact === null || exact.operand.fieldId !== fieldId) return null;
  const { type } = exact.operand;
  return type === 'Int64' || type === 'VarChar' ? (exact.values as readonly (bigint | string)[]) : null;
}
