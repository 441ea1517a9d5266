import type { TemplateArrayValue, TemplateValue } from './generated/milvus.js';
import { textRows } from './protobuf/byte-rows.ts';
import { MishardsError } from '../../errors/index.ts';
import type { JsonValue } from '../../util/packet.ts';

/** The values of a filter's `{name}` placeholders. */
export function templateValuesFromWire(values: ReadonlyMap<string, TemplateValue>): {
  readonly [name: string]: JsonValue;
} {
  return Object.fromEntries([...values].map(([name, value]) => [name, valueOf(name, value)]));
}

function valueOf(name: string, value: TemplateValue): JsonValue {
  if (value.boolVal !== null) return value.boolVal;
  if (value.int64Val !== null) return integer(value.int64Val);
  if (value.floatVal !== null) return float(value.floatVal);
  if (value.stringVal !== null) return value.stringVal;
  if (value.arrayVal !== null) return arrayOf(value.arrayVal);
  throw new MishardsError('FILTER_INVALID', `the template value of ${name} has no supported type`);
}

function arrayOf(value: TemplateArrayValue): JsonValue {
  if (value.boolData !== null) return Array.from(value.boolData.data, (one) => one === 1);
  if (value.longData !== null) return Array.from(value.longData.data, integer);
  if (value.doubleData !== null) return Array.from(value.doubleData.data, float);
  if (value.stringData !== null) return textRows(value.stringData.data);
  if (value.arrayData !== null) return value.arrayData.data.map(arrayOf);
  if (value.jsonData !== null)
    return textRows(value.jsonData.data).map((text) => JSON.parse(text) as JsonValue);
  return [];
}

/** The filter's own JSON forms: exact for 64 bits, and a float stays one when it is whole. */
function integer(value: bigint): JsonValue {
  return { int: String(value) };
}

function float(value: number): JsonValue {
  return { float: value };
}
