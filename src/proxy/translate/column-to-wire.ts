import { wireTypeOf } from './data-types.ts';
import type { FieldDataInit, ScalarFieldInit } from './generated/milvus.js';
import { geometriesToWire } from './geometry-column.ts';
import { timesToWire } from './timestamptz-column.ts';
import type { TimeView } from './times.ts';
import type { ByteRows } from './protobuf/byte-rows.ts';
import { vectorsToWire } from './vectors-to-wire.ts';
import {
  bitAt,
  isVectorColumn,
  sliceColumn,
  type ArrayColumn,
  type BytesColumn,
  type Column,
  type PrimaryKeyColumn,
  type ScalarColumn,
  type TimestamptzColumn,
} from '../../columns/index.ts';
import type { FieldSchema } from '../../schema/index.ts';

/** A column of a result. Null rows are marked in `valid_data` and hold a zero value, which clients pass over. */
export function columnToWire(field: FieldSchema, column: Column, times: TimeView): FieldDataInit {
  const common: FieldDataInit = {
    type: wireTypeOf(field.type),
    fieldName: field.name,
    fieldId: BigInt(field.id),
    isDynamic: field.isDynamic,
    ...(field.nullable ? { validData: validData(column) } : {}),
  };
  if (column.type === 'Timestamptz') return { ...common, ...timesToWire(column, times) };
  if (isVectorColumn(column)) return { ...common, vectors: vectorsToWire(column) };
  return { ...common, scalars: scalarsToWire(column) };
}

type ElementColumn = Exclude<ScalarColumn, TimestamptzColumn>;

/** Values of a field for `scalars`; also one row of an array. */
export function scalarsToWire(column: ElementColumn): ScalarFieldInit {
  switch (column.type) {
    case 'Bool':
      return { boolData: { data: column.values } };
    case 'Int8':
    case 'Int16':
      return { intData: { data: Int32Array.from(column.values) } };
    case 'Int32':
      return { intData: { data: column.values } };
    case 'Int64':
      return { longData: { data: column.values } };
    case 'Float':
      return { floatData: { data: column.values } };
    case 'Double':
      return { doubleData: { data: column.values } };
    case 'VarChar':
      return { stringData: { data: presentBytes(column) } };
    case 'JSON':
      return { jsonData: { data: presentBytes(column) } };
    case 'Geometry':
      return geometriesToWire(column);
    case 'Array':
      return { arrayData: { data: arrayRows(column), elementType: wireTypeOf(column.elementType) } };
  }
}

export function keysToWire(keys: PrimaryKeyColumn): {
  readonly intId?: { readonly data: BigInt64Array };
  readonly strId?: { readonly data: ByteRows };
} {
  return keys.type === 'Int64' ? { intId: { data: keys.values } } : { strId: { data: presentBytes(keys) } };
}

function arrayRows(column: ArrayColumn): ScalarFieldInit[] {
  return Array.from({ length: column.length }, (_, row) => {
    const isNull = column.validity !== null && !bitAt(column.validity, row);
    const from = column.offsets[row]!;
    const to = isNull ? from : column.offsets[row + 1]!;
    return scalarsToWire(sliceColumn(column.elements, from, to) as ElementColumn);
  });
}

/** Whatever lies under a null row is not sent. */
function presentBytes(column: BytesColumn): ByteRows {
  const { validity, offsets, bytes, length } = column;
  const view = { offsets: offsets.subarray(0, length + 1), bytes };
  if (validity === null) return view;
  const isClean = Array.from({ length }, (_, row) => row).every(
    (row) => bitAt(validity, row) || offsets[row] === offsets[row + 1],
  );
  if (isClean) return view;
  const parts = new Int32Array(length + 1);
  for (let row = 0; row < length; row++) {
    parts[row + 1] = parts[row]! + (bitAt(validity, row) ? offsets[row + 1]! - offsets[row]! : 0);
  }
  const kept = new Uint8Array(parts[length]!);
  for (let row = 0; row < length; row++) {
    if (bitAt(validity, row)) kept.set(bytes.subarray(offsets[row]!, offsets[row + 1]!), parts[row]!);
  }
  return { offsets: parts, bytes: kept };
}

function validData(column: Column): Uint8Array {
  const { validity, length } = column;
  if (validity === null) return new Uint8Array(length).fill(1);
  return Uint8Array.from({ length }, (_, row) => (bitAt(validity, row) ? 1 : 0));
}
