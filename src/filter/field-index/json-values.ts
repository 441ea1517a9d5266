import { bitAt, newBitmap, setBit } from '../../columns/bitmap.ts';
import type { ArrayColumn, BytesColumn, ScalarColumn } from '../../columns/column.ts';
import { columnFromValues, scalarShape } from '../../columns/index.ts';
import type { Turns } from '../../host/index.ts';
import type { JsonSegment } from '../plan.ts';
import {
  findJson,
  firstElement,
  jsonBooleanAt,
  jsonKindAt,
  jsonNumberAt,
  jsonStringAt,
  MISSING,
  nextElement,
} from '../evaluate/json-scan.ts';

/** What an index keeps of the values at a path of a JSON field, by Milvus's names. */
export const JSON_CASTS = [
  'BOOL',
  'DOUBLE',
  'VARCHAR',
  'ARRAY_BOOL',
  'ARRAY_DOUBLE',
  'ARRAY_VARCHAR',
] as const;
export type JsonCast = (typeof JSON_CASTS)[number];

export interface JsonTarget {
  /** Keys of objects, and indexes of arrays in decimal. */
  readonly path: readonly string[];
  readonly cast: JsonCast;
}

export type JsonElementType = 'Bool' | 'Double' | 'VarChar';

const ELEMENT_TYPES = { BOOL: 'Bool', DOUBLE: 'Double', VARCHAR: 'VarChar' } as const;
const ROWS_PER_LOOK = 1_024;

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

export function jsonElementType(cast: JsonCast): JsonElementType {
  return ELEMENT_TYPES[cast.replace('ARRAY_', '') as keyof typeof ELEMENT_TYPES];
}

export function isArrayCast(cast: JsonCast): boolean {
  return cast.startsWith('ARRAY_');
}

export function jsonPath(path: readonly string[]): JsonSegment[] {
  return path.map((key) => ({
    key: encoder.encode(key),
    index: /^(0|[1-9][0-9]{0,9})$/.test(key) ? Number(key) : -1,
  }));
}

export interface JsonValues {
  /** Of the type kept; valid are the rows whose value at the path is of that type, or an array where arrays are kept. */
  readonly column: ScalarColumn;
  /** No number among them is beyond what a double holds exactly. */
  readonly isExact: boolean;
}

/** The values at a path, read as filters read them. */
export async function jsonValues(column: BytesColumn, target: JsonTarget, turns: Turns): Promise<JsonValues> {
  const type = jsonElementType(target.cast);
  const path = jsonPath(target.path);
  const values: (boolean | number | string)[] = [];
  const offsets = new Int32Array(column.length + 1);
  const validity = newBitmap(column.length, 0);
  let isExact = true;
  const take = (at: number, end: number): void => {
    const value = valueAt(type, column.bytes, at, end);
    if (typeof value === 'bigint') isExact = false;
    else if (value !== null) values.push(value);
  };
  for (let row = 0; row < column.length; row++) {
    offsets[row] = values.length;
    if (row % ROWS_PER_LOOK === 0 && turns.isOver) await turns.next();
    if (column.validity !== null && !bitAt(column.validity, row)) continue;
    const end = column.offsets[row + 1]!;
    const at = findJson(column.bytes, column.offsets[row]!, end, path);
    if (at === MISSING) continue;
    if (!isArrayCast(target.cast)) {
      take(at, end);
      if (values.length > offsets[row]!) setBit(validity, row);
    } else if (jsonKindAt(column.bytes, at) === 'array') {
      setBit(validity, row);
      eachElement(column.bytes, at, end, (element) => take(element, end));
    }
  }
  offsets[column.length] = values.length;
  const elements = columnFromValues(scalarShape(type), values) as ScalarColumn;
  const array: ArrayColumn = {
    type: 'Array',
    elementType: type,
    elements,
    offsets,
    validity,
    length: column.length,
  };
  return { column: array, isExact };
}

/** null: it is of another type. Numbers that no double holds are `bigint`. */
function valueAt(
  type: JsonElementType,
  bytes: Uint8Array,
  at: number,
  end: number,
): boolean | number | bigint | string | null {
  const kind = jsonKindAt(bytes, at);
  if (type === 'Bool') return kind === 'boolean' ? jsonBooleanAt(bytes, at) : null;
  if (type === 'Double') return kind === 'number' ? jsonNumberAt(bytes, at, end) : null;
  const text = kind === 'string' ? jsonStringAt(bytes, at, end) : null;
  return text === null ? null : decoder.decode(text.bytes.subarray(text.start, text.end));
}

function eachElement(bytes: Uint8Array, array: number, end: number, visit: (at: number) => void): void {
  let element = firstElement(bytes, array, end);
  while (element !== MISSING) {
    visit(element);
    element = nextElement(bytes, element, end);
  }
}
