import { primaryKeyField, type CollectionSchema, type FieldSchema } from '../schema/index.ts';
import type { FilterPlan, InPredicate, Operand, Predicate } from './plan.ts';

/** The keys when the filter is nothing but `pk == x` or `pk in [...]`, each once; else null. */
export function primaryKeysOf(plan: FilterPlan, schema: CollectionSchema): bigint[] | string[] | null {
  const values = exactValues(plan.predicate, primaryKeyField(schema).id);
  return values as bigint[] | string[] | null;
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

function exactValues(predicate: Predicate, fieldId: number): (bigint | string)[] | null {
  if (predicate.kind === 'in') return isColumn(predicate.operand, fieldId) ? valuesOf(predicate) : null;
  if (predicate.kind !== 'between' || !isColumn(predicate.operand, fieldId)) return null;
  const { bounds } = predicate;
  if (bounds.kind !== 'int64' || bounds.low < bounds.high) return null;
  return bounds.low === bounds.high ? [bounds.low] : [];
}

function valuesOf({ set }: InPredicate): (bigint | string)[] | null {
  return set.kind === 'number' ? null : set.set.values();
}

function isColumn(operand: Operand, fieldId: number): boolean {
  return operand.kind === 'column' && operand.fieldId === fieldId;
}
