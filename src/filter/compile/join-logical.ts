import type { Predicate } from '../plan.ts';
import { intersect } from './bounds.ts';
import { exactValuesOf } from './exact-values.ts';
import { jsonSet, valueSet, valuesOfJsonSet } from './value-sets.ts';

/**
 * A chain of `and` or of `or`: constants are taken out, bounds of one column joined by `and` become one interval, equalities
 * of one value joined by `or` one set, and what
 * is quick to evaluate comes first, so that the slow runs on fewer rows.
 */
export function joinLogical(kind: 'and' | 'or', operands: readonly Predicate[]): Predicate {
  const decisive = kind === 'or';
  if (operands.some((operand) => operand.kind === 'constant' && operand.value === decisive)) {
    return { kind: 'constant', value: decisive };
  }
  const open = operands.filter((operand) => operand.kind !== 'constant');
  const joined = kind === 'or' ? withEqualitiesJoined(open) : withBoundsJoined(open);
  if (joined.length === 0) return { kind: 'constant', value: !decisive };
  if (joined.length === 1) return joined[0]!;
  return { kind, operands: joined.toSorted((left, right) => costOf(left) - costOf(right)) };
}

/** `a > 1 and a < 5` is one question, and for an index one piece of its values. */
function withBoundsJoined(operands: readonly Predicate[]): readonly Predicate[] {
  const joined: Predicate[] = [];
  const places = new Map<number, number>();
  for (const operand of operands) {
    const fieldId =
      operand.kind === 'between' && operand.operand.kind === 'column' ? operand.operand.fieldId : null;
    const place = fieldId === null ? undefined : places.get(fieldId);
    const both = place === undefined ? null : bothBounds(joined[place]!, operand);
    if (both !== null) {
      joined[place!] = both;
      continue;
    }
    if (fieldId !== null) places.set(fieldId, joined.length);
    joined.push(operand);
  }
  return joined;
}

/** Of one column. null: texts with two bounds on one side. */
function bothBounds(left: Predicate, right: Predicate): Predicate | null {
  if (left.kind !== 'between' || right.kind !== 'between') return null;
  const bounds = intersect(left.bounds, right.bounds);
  return bounds === null ? null : { ...left, bounds };
}

function withEqualitiesJoined(operands: readonly Predicate[]): readonly Predicate[] {
  const kept: Predicate[] = [];
  const groups = new Map<string, Predicate[]>();
  for (const operand of operands) {
    const key = groupOf(operand);
    const group = key === null ? kept : (groups.get(key) ?? []);
    group.push(operand);
    if (key !== null) groups.set(key, group);
  }
  for (const group of groups.values()) kept.push(group.length === 1 ? group[0]! : union(group));
  return kept;
}

/**
 * Equalities of one group are one set. Of a JSON value, that needs sets of the same types: whether an equality is known
 * depends on them. null: not an equality.
 */
function groupOf(predicate: Predicate): string | null {
  const exact = exactValuesOf(predicate);
  if (exact !== null) return `column ${exact.operand.fieldId}`;
  if (predicate.kind !== 'json' || predicate.test.kind !== 'in') return null;
  const { source, test } = predicate;
  const types = Object.entries(test.set).map(([name, values]) => (values === null ? '' : name));
  return `json ${source.fieldId} ${JSON.stringify([types, source.path.map((segment) => [...segment.key])])}`;
}

function union(group: readonly Predicate[]): Predicate {
  const [first] = group;
  if (first!.kind === 'json') {
    const values = group.flatMap((predicate) => {
      return predicate.kind === 'json' && predicate.test.kind === 'in'
        ? valuesOfJsonSet(predicate.test.set)
        : [];
    });
    return { ...first, test: { kind: 'in', set: jsonSet(values) } };
  }
  const exact = group.map((predicate) => exactValuesOf(predicate)!);
  const { operand } = exact[0]!;
  return {
    kind: 'in',
    operand,
    set: valueSet(
      operand.type,
      exact.flatMap(({ values }) => values),
    ),
  };
}

const COSTS = {
  constant: 0,
  indexed: 0,
  isNull: 0,
  between: 1,
  in: 2,
  compare: 3,
  arrayEquals: 4,
  arrayContains: 4,
  like: 5,
  json: 8,
  dynamic: 9,
  geometry: 10,
} as const;

/** A rough rank, not a measure; a compound is as slow as its slowest part. */
function costOf(predicate: Predicate): number {
  if (predicate.kind === 'not') return costOf(predicate.operand);
  if (predicate.kind === 'and' || predicate.kind === 'or')
    return predicate.operands.reduce((most, operand) => Math.max(most, costOf(operand)), 0);
  return COSTS[predicate.kind];
}
