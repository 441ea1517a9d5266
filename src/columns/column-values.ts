import { bitAt, newBitmap, setBit } from './bitmap.ts';
import type { ArrayColumn, BytesColumn, Column, ScalarColumn, SparseVectorColumn } from './column.ts';
import { elementsPerRow, FIXED_ARRAYS, isFixedType, scalarShape, type ColumnShape } from './column-shape.ts';
import { isDenseVectorType } from '../schema/index.ts';
import { assert } from '../util/assert.ts';

/**
/**
 * One row's value in JavaScript: Int64 and Timestamptz are bigints, JSON its text (parsing would lose 64-bit integers), a
 * geometry its Well-Known Binary, an array a list, a dense vector an array of its column's kind, a sparse one a map. For the
 * edges and for tests; inner loops read the columns.
 */
export type ColumnValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly ColumnValue[]
  | Float32Array
  | Uint16Array
  | Int8Array
  | Uint8Array
  | SparseVector;
/** Values by dimension, the dimensions ascending. */
export type SparseVector = ReadonlyMap<number, number>;

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

/** Dense vectors and geometries are views. */
export function valueAt(column: Column, row: number): ColumnValue {
  assert(row < column.length, `row ${row} of ${column.length}`);
  if (column.validity !== null && !bitAt(column.validity, row)) return null;
  switch (column.type) {
    case 'Bool':
      return column.values[row] !== 0;
    case 'VarChar':
    case 'JSON':
      return textAt(column, row);
    case 'Geometry':
      return bytesAt(column, row);
    case 'Array':
      return elementsAt(column, row);
    case 'FloatVector':
    case 'Float16Vector':
    case 'BFloat16Vector':
    case 'Int8Vector':
    case 'BinaryVector': {
      const perRow = elementsPerRow({ ...column, elementType: null });
      return column.values.subarray(row * perRow, (row + 1) * perRow);
    }
    case 'SparseFloatVector':
      return sparseAt(column, row);
    default:
      return column.values[row]!;
  }
}

export function valuesOf(column: Column): ColumnValue[] {
  return Array.from({ length: column.length }, (_, row) => valueAt(column, row));
}

/** The text of a row that is not null. */
export function textAt(column: BytesColumn, row: number): string {
  return decoder.decode(bytesAt(column, row));
}

export function bytesAt(column: BytesColumn, row: number): Uint8Array {
  return column.bytes.subarray(column.offsets[row]!, column.offsets[row + 1]!);
}

/** The reverse of `valuesOf`. Values must be of the shape's kind and range; that is the caller's duty. */
export function columnFromValues(shape: ColumnShape, values: readonly ColumnValue[]): Column {
  const { type } = shape;
  const common = { length: values.length, validity: validityOf(values) };
  if (type === 'VarChar' || type === 'JSON' || type === 'Geometry')
    return { ...common, type, ...bytesOf(values) };
  if (type === 'Array') return { ...common, type, ...arraysOf(shape, values) };
  if (type === 'SparseFloatVector') return { ...common, type, ...entriesOf(values) };
  assert(isFixedType(type), `no layout for ${type}`);
  const perRow = elementsPerRow(shape);
  const filled = new FIXED_ARRAYS[type](values.length * perRow);
  values.forEach((value, row) => {
    if (ArrayBuffer.isView(value)) (filled as Float32Array).set(value, row * perRow);
    else if (value !== null) filled[row] = (type === 'Bool' ? Number(value) : value) as never;
  });
  return {
    ...common,
    type,
    values: filled,
    ...(isDenseVectorType(type) ? { dim: shape.dim } : {}),
  } as Column;
}

function sparseAt({ offsets, indices, values }: SparseVectorColumn, row: number): SparseVector {
  const entries = new Map<number, number>();
  for (let at = offsets[row]!; at < offsets[row + 1]!; at++) entries.set(indices[at]!, values[at]!);
  return entries;
}

function entriesOf(rows: readonly ColumnValue[]): Pick<SparseVectorColumn, 'offsets' | 'indices' | 'values'> {
  const offsets = new Int32Array(rows.length + 1);
  const maps = rows.map((row) => (row ?? new Map()) as SparseVector);
  maps.forEach((map, row) => (offsets[row + 1] = offsets[row]! + map.size));
  return {
    offsets,
    indices: Uint32Array.from(maps.flatMap((map) => [...map.keys()])),
    values: Float32Array.from(maps.flatMap((map) => [...map.values()])),
  };
}

function elementsAt(column: ArrayColumn, row: number): ColumnValue[] {
  const values: ColumnValue[] = [];
  for (let at = column.offsets[row]!; at < column.offsets[row + 1]!; at++) {
    values.push(valueAt(column.elements, at));
  }
  return values;
}

function validityOf(values: readonly ColumnValue[]): Uint8Array | null {
  if (!values.includes(null)) return null;
  const validity = newBitmap(values.length, 0);
  values.forEach((value, row) => {
    if (value !== null) setBit(validity, row);
  });
  return validity;
}

/** Of texts, or of bytes as they are. */
function bytesOf(values: readonly ColumnValue[]): Pick<BytesColumn, 'offsets' | 'bytes'> {
  const offsets = new Int32Array(values.length + 1);
  const parts = values.map((value) =>
    value instanceof Uint8Array ? value : encoder.encode((value ?? '') as string),
  );
  parts.forEach((part, row) => (offsets[row + 1] = offsets[row]! + part.byteLength));
  const bytes = new Uint8Array(offsets[values.length]!);
  parts.forEach((part, row) => bytes.set(part, offsets[row]!));
  return { offsets, bytes };
}

function arraysOf(
  shape: ColumnShape,
  values: readonly ColumnValue[],
): Pick<ArrayColumn, 'elementType' | 'offsets' | 'elements'> {
  const { elementType } = shape;
  assert(elementType !== null, 'an array has an element type');
  const offsets = new Int32Array(values.length + 1);
  const lists = values.map((value) => (value ?? []) as readonly ColumnValue[]);
  lists.forEach((list, row) => (offsets[row + 1] = offsets[row]! + list.length));
  return {
    elementType,
    offsets,
    elements: columnFromValues(scalarShape(elementType), lists.flat()) as ScalarColumn,
  };
}
