import type { Column, VectorColumn } from './column.ts';
import { MishardsError } from '../errors/index.ts';
import { isDenseVectorType, isVectorType, type DataType, type ElementType } from '../schema/index.ts';
import { assert } from '../util/assert.ts';
import { viewAs } from '../util/typed-views.ts';

/** What decides a column's layout. A `FieldSchema` is one. */
export interface ColumnShape {
  readonly type: DataType;
  readonly elementType: ElementType | null;
  readonly dim: number | null;
}

type NumericArrayConstructor =
  | typeof Uint8Array
  | typeof Int8Array
  | typeof Int16Array
  | typeof Uint16Array
  | typeof Int32Array
  | typeof BigInt64Array
  | typeof Float32Array
  | typeof Float64Array;

/** The typed array of each type whose rows all weigh the same. */
export const FIXED_ARRAYS = {
  Bool: Uint8Array,
  Int8: Int8Array,
  Int16: Int16Array,
  Int32: Int32Array,
  Int64: BigInt64Array,
  Float: Float32Array,
  Double: Float64Array,
  Timestamptz: BigInt64Array,
  FloatVector: Float32Array,
  Float16Vector: Uint16Array,
  BFloat16Vector: Uint16Array,
  Int8Vector: Int8Array,
  BinaryVector: Uint8Array,
} as const satisfies Partial<Record<DataType, NumericArrayConstructor>>;

export type FixedType = keyof typeof FIXED_ARRAYS;
export type FixedColumn = Extract<Column, { readonly type: FixedType }>;

export function isFixedType(type: DataType): type is FixedType {
  return Object.hasOwn(FIXED_ARRAYS, type);
}

export function isFixedColumn(column: Column): column is FixedColumn {
  return isFixedType(column.type);
}

export function isVectorColumn(column: Column): column is VectorColumn {
  return isVectorType(column.type);
}

export function scalarShape(type: ElementType): ColumnShape {
  return { type, elementType: null, dim: null };
}

export function shapeOfColumn(column: Column): ColumnShape {
  return {
    type: column.type,
    elementType: column.type === 'Array' ? column.elementType : null,
    dim: 'dim' in column ? column.dim : null,
  };
}

export function sameShape(a: ColumnShape, b: ColumnShape): boolean {
  return a.type === b.type && a.elementType === b.elementType && a.dim === b.dim;
}

/** Typed-array elements that one row takes. */
export function elementsPerRow(shape: ColumnShape): number {
  if (!isDenseVectorType(shape.type)) return 1;
  assert(shape.dim !== null, 'a dense vector has a dimension');
  return shape.type === 'BinaryVector' ? shape.dim / 8 : shape.dim;
}

export function bytesPerRow(shape: ColumnShape & { readonly type: FixedType }): number {
  return FIXED_ARRAYS[shape.type].BYTES_PER_ELEMENT * elementsPerRow(shape);
}

/** A column over `bytes`, as a view where they are aligned. `CORRUPT_DATA` when they are not exactly `length` rows. */
export function fixedColumn(
  shape: ColumnShape & { readonly type: FixedType },
  bytes: Uint8Array,
  length: number,
  validity: Uint8Array | null,
): FixedColumn {
  const values = viewAs<{ readonly length: number }>(FIXED_ARRAYS[shape.type], bytes);
  const perRow = elementsPerRow(shape);
  if (values.length !== length * perRow) {
    const problem = `${values.length} values instead of ${length * perRow} in a column of ${shape.type}`;
    throw new MishardsError('CORRUPT_DATA', problem);
  }
  const dim = isDenseVectorType(shape.type) ? { dim: shape.dim } : {};
  return { type: shape.type, ...dim, values, length, validity } as FixedColumn;
}
