import type { Operand, Predicate } from '../plan.ts';
import { valuesOfSet } from './value-sets.ts';

type ColumnOperand = Extract<Operand, { kind: 'column' }>;

/** What a predicate that is nothing but `column == x` or `column in [...]` asks for. */
export interface ExactValues {
  readonly operand: ColumnOperand;
  /** Each once. Booleans are 0 and 1, times microseconds. */
  readonly values: readonly (bigint | number | string)[];
}

export function exactValuesOf(predicate: Predicate): ExactValues | null {
  if (predicate.kind !== 'in' && predicate.kind !== 'between') return null;
  const { operand } = predicate;
  if (operand.kind !== 'column') return null;
  if (predicate.kind === 'in') return { operand, values: valuesOfSet(predicate.set) };
  const { bounds } = predicate;
  if (bounds.kind === 'string') return null;
  if (bounds.low === bounds.high) return { operand, values: [bounds.low] };
  // Also when a bound is NaN: nothing lies between.
  return bounds.low < bounds.high ? null : { operand, values: [] };
}
