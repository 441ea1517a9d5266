import { sameBytes } from '../compile/bytes-set.ts';
import type { JsonConstant } from '../compile/json-constant.ts';
import { matchesLike } from '../compile/like-pattern.ts';
import { isInt64 } from '../filter-value.ts';
import type { JsonSet, JsonTest, NumberBound } from '../plan.ts';
import {
  firstElement,
  isJsonInteger,
  jsonBooleanAt,
  jsonKindAt,
  jsonNumberAt,
  jsonStringAt,
  MISSING,
  nextElement,
  type JsonString,
} from './json-scan.ts';
import { isBetween } from './string-kernels.ts';

/** null: unknown, because the value is of a type the test does not speak of. */
export type Answer = boolean | null;

/** Asks a test of the value at `at`, which is there. A JSON null is as good as no value. */
export function testJson(test: JsonTest, bytes: Uint8Array, at: number, end: number): Answer {
  const kind = jsonKindAt(bytes, at);
  if (kind === 'null') return test.kind === 'exists' ? false : null;
  switch (test.kind) {
    case 'exists':
      return true;
    case 'numberBetween':
      return kind === 'number' ? isNumberBetween(test.low, test.high, jsonNumberAt(bytes, at, end)) : null;
    case 'stringBetween':
      return onString(bytes, at, end, (text) => isBetween(test.bounds, text.bytes, text.start, text.end));
    case 'like':
      return onString(bytes, at, end, (text) => matchesLike(test.pattern, text.bytes, text.start, text.end));
    case 'in':
      return isIn(test.set, bytes, at, end);
    case 'equalsArray':
      return kind === 'array' ? equalsArray(test.items, bytes, at, end) : null;
    case 'contains':
      return kind === 'array' ? contains(test, bytes, at, end) : null;
  }
}

/** Exact: JavaScript compares bigint with number by their mathematical values. */
export function isNumberBetween(
  low: NumberBound | null,
  high: NumberBound | null,
  value: bigint | number,
): boolean {
  if (low !== null && !(low.open ? value > low.value : value >= low.value)) return false;
  return high === null || (high.open ? value < high.value : value <= high.value);
}

function onString(bytes: Uint8Array, at: number, end: number, ask: (text: JsonString) => boolean): Answer {
  if (jsonKindAt(bytes, at) !== 'string') return null;
  const text = jsonStringAt(bytes, at, end);
  return text === null ? null : ask(text);
}

/** Unknown when the set has no value of this type; so for an empty set only the presence of a value is known. */
function isIn(set: JsonSet, bytes: Uint8Array, at: number, end: number): Answer {
  if (set.booleans === null && set.numbers === null && set.strings === null) return false;
  switch (jsonKindAt(bytes, at)) {
    case 'boolean':
      return set.booleans?.has(jsonBooleanAt(bytes, at)) ?? null;
    case 'number':
      return set.numbers?.has(jsonNumberAt(bytes, at, end)) ?? null;
    case 'string': {
      const { strings } = set;
      return strings === null
        ? null
        : onString(bytes, at, end, (text) => strings.has(text.bytes, text.start, text.end));
    }
    default:
      return null;
  }
}

function equalsArray(items: readonly JsonConstant[], bytes: Uint8Array, at: number, end: number): boolean {
  let element = firstElement(bytes, at, end);
  for (const item of items) {
    if (element === MISSING || !equals(item, bytes, element, end)) return false;
    element = nextElement(bytes, element, end);
  }
  return element === MISSING;
}

/** Elements of another type than a value do not equal it: inside an array nothing is unknown. */
function contains(
  { quantifier, values }: Extract<JsonTest, { kind: 'contains' }>,
  bytes: Uint8Array,
  at: number,
  end: number,
): boolean {
  for (const value of values) {
    const isFound = hasElement(value, bytes, at, end);
    if (isFound && quantifier === 'any') return true;
    if (!isFound && quantifier === 'all') return false;
  }
  return quantifier === 'all';
}

function hasElement(value: JsonConstant, bytes: Uint8Array, at: number, end: number): boolean {
  let element = firstElement(bytes, at, end);
  while (element !== MISSING) {
    if (equals(value, bytes, element, end)) return true;
    element = nextElement(bytes, element, end);
  }
  return false;
}

function equals(constant: JsonConstant, bytes: Uint8Array, at: number, end: number): boolean {
  if (jsonKindAt(bytes, at) !== constant.kind) return false;
  switch (constant.kind) {
    case 'boolean':
      return jsonBooleanAt(bytes, at) === constant.value;
    case 'number':
      return jsonNumberAt(bytes, at, end) === constant.value;
    case 'string': {
      const text = jsonStringAt(bytes, at, end);
      return text !== null && sameBytes(constant.bytes, text.bytes, text.start, text.end);
    }
    case 'array':
      return equalsArray(constant.items, bytes, at, end);
  }
}

/** A number as arithmetic takes it: integers of 64 bits, written as such, are `bigint`; others floats. null: no number. */
export function jsonOperandAt(bytes: Uint8Array, at: number, end: number): bigint | number | null {
  if (jsonKindAt(bytes, at) !== 'number') return null;
  const value = jsonNumberAt(bytes, at, end);
  if (Number.isNaN(value)) return null;
  if (typeof value === 'number') {
    return Number.isInteger(value) && isJsonInteger(bytes, at, end) ? BigInt(value) : value;
  }
  return isInt64(value) && isJsonInteger(bytes, at, end) ? value : Number(value);
}

/** Elements of the array at `at`; null when it is none. */
export function jsonLengthAt(bytes: Uint8Array, at: number, end: number): bigint | null {
  if (jsonKindAt(bytes, at) !== 'array') return null;
  let length = 0;
  for (
    let element = firstElement(bytes, at, end);
    element !== MISSING;
    element = nextElement(bytes, element, end)
  ) {
    length++;
  }
  return BigInt(length);
}
