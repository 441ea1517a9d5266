import { filterError, quoted } from '../filter-error.ts';
import { isInt64, type FilterValue } from '../filter-value.ts';
import type { JsonValue } from '../../util/packet.ts';

const NESTING_MAX = 8;

/**
 * Values for the `{name}` parameters of a filter: constants, or their JSON form (`templateToJson`). A whole number within
 * ±2^53 counts as an integer.
 */
export interface TemplateValues {
  readonly [name: string]: unknown;
}

/** A constant in JSON, exact for 64-bit integers and for floats that happen to be whole. */
export function templateToJson(value: FilterValue): JsonValue {
  if (typeof value === 'bigint') return { int: String(value) };
  if (typeof value === 'number') return { float: value };
  return typeof value === 'object' ? value.map(templateToJson) : value;
}

export function templateValue(at: number, name: string, values: TemplateValues): FilterValue {
  if (!Object.hasOwn(values, name) || values[name] === undefined) {
    throw filterError(at, `parameter ${quoted(name)} has no value; send one with the filter`);
  }
  return constantOf(at, name, values[name], 0);
}

function constantOf(at: number, name: string, value: unknown, depth: number): FilterValue {
  if (typeof value === 'boolean') return value;
  if (typeof value === 'string') return wellFormed(at, name, value);
  if (typeof value === 'bigint') return int64(at, name, value);
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : finite(at, name, value);
  if (Array.isArray(value)) {
    if (depth >= NESTING_MAX)
      throw filterError(at, `parameter ${quoted(name)} nests deeper than ${NESTING_MAX} lists`);
    return value.map((item: unknown) => constantOf(at, name, item, depth + 1));
  }
  return tagged(at, name, value);
}

function tagged(at: number, name: string, value: unknown): FilterValue {
  if (typeof value === 'object' && value !== null) {
    if ('int' in value && typeof value.int === 'string' && /^-?[0-9]{1,20}$/.test(value.int)) {
      return int64(at, name, BigInt(value.int));
    }
    if ('float' in value && typeof value.float === 'number') return finite(at, name, value.float);
  }
  throw filterError(
    at,
    `parameter ${quoted(name)} is neither a boolean, a number, a string nor a list of these`,
  );
}

function int64(at: number, name: string, value: bigint): bigint {
  if (isInt64(value)) return value;
  throw filterError(at, `parameter ${quoted(name)} is ${value}, outside the 64 bits of a signed integer`);
}

function finite(at: number, name: string, value: number): number {
  if (Number.isFinite(value)) return value;
  throw filterError(at, `parameter ${quoted(name)} is ${value}, which is not a finite number`);
}

function wellFormed(at: number, name: string, value: string): string {
  if (value.isWellFormed()) return value;
  throw filterError(at, `parameter ${quoted(name)} has half of a surrogate pair; send well-formed Unicode`);
}
