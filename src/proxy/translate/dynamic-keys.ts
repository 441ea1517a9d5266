import { byteRowsOfTexts } from './protobuf/byte-rows.ts';
import { bitAt, textAt, type BytesColumn } from '../../columns/index.ts';

/** The dynamic field with only these keys left in each row's object. */
export function pickKeys(column: BytesColumn, keys: readonly string[]): BytesColumn {
  const texts = Array.from({ length: column.length }, (_, row) => {
    if (column.validity !== null && !bitAt(column.validity, row)) return '{}';
    const value = JSON.parse(textAt(column, row), keepNumbers) as Record<string, unknown>;
    const picked = keys.filter((key) => Object.hasOwn(value, key)).map((key) => [key, value[key]] as const);
    return JSON.stringify(Object.fromEntries(picked));
  });
  return { ...column, validity: null, ...byteRowsOfTexts(texts) };
}

/** One object of both: keys of the second win. */
export function mergedObjects(first: string, second: string): string {
  const [before, after] = [first, second].map((text) => JSON.parse(text, keepNumbers) as object);
  return JSON.stringify({ ...before, ...after });
}

interface ReviveContext {
  readonly source?: string;
}
/** Numbers go through as they were written, because a double would spoil 64-bit integers. */
function keepNumbers(_key: string, value: unknown, context?: ReviveContext): unknown {
  if (typeof value !== 'number' || context?.source === undefined) return value;
  return rawJson(context.source);
}

const rawJson = (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON;
