import type { ElementType } from '../schema/index.ts';

/**
 * One field of n rows, in memory. Layouts follow Arrow, so that segment files are views, not conversions.
 *
 * `validity`: bitmap of ceil(n / 8) bytes, least significant bit first, 1 = the row has a value; null = all rows have one.
 * Values under a 0 bit are unspecified. `length` is the number of rows.
 */
interface ColumnBase {
  readonly length: number;
  readonly validity: Uint8Array | null;
}

/** One byte a row, 0 or 1. */
export interface BoolColumn extends ColumnBase {
  readonly type: 'Bool';
  readonly values: Uint8Array;
}
export interface Int8Column extends ColumnBase {
  readonly type: 'Int8';
  readonly values: Int8Array;
}
export interface Int16Column extends ColumnBase {
  readonly type: 'Int16';
  readonly values: Int16Array;
}
export interface Int32Column extends ColumnBase {
  readonly type: 'Int32';
  readonly values: Int32Array;
}
export interface Int64Column extends ColumnBase {
  readonly type: 'Int64';
  readonly values: BigInt64Array;
}
export interface FloatColumn extends ColumnBase {
  readonly type: 'Float';
  readonly values: Float32Array;
}
export interface DoubleColumn extends ColumnBase {
  readonly type: 'Double';
  readonly values: Float64Array;
}

/** Microseconds since 1970 in UTC. */
export interface TimestamptzColumn extends ColumnBase {
  readonly type: 'Timestamptz';
  readonly values: BigInt64Array;
}

/** UTF-8 bytes; row i is `bytes[offsets[i] .. offsets[i + 1])`. `offsets` has length + 1 entries and may start above 0. JSON holds one JSON text a row, Geometry Well-Known Binary instead of text. */
export interface BytesColumn extends ColumnBase {
  readonly type: 'VarChar' | 'JSON' | 'Geometry';
  readonly offsets: Int32Array;
  readonly bytes: Uint8Array;
}

/** Row i is `elements[offsets[i] .. offsets[i + 1])`. Elements are never null. */
export interface ArrayColumn extends ColumnBase {
  readonly type: 'Array';
  readonly elementType: ElementType;
  readonly offsets: Int32Array;
  readonly elements: ScalarColumn;
}

/** Row i is `values[i * dim .. (i + 1) * dim)`; a null row keeps its place, filled with zeros. */
export interface FloatVectorColumn extends ColumnBase {
  readonly type: 'FloatVector';
  readonly dim: number;
  readonly values: Float32Array;
}
/** As FloatVector, each value as its 16 bits: IEEE 754 half, or the upper half of a 32-bit float. */
export interface HalfVectorColumn extends ColumnBase {
  readonly type: 'Float16Vector' | 'BFloat16Vector';
  readonly dim: number;
  readonly values: Uint16Array;
}
export interface Int8VectorColumn extends ColumnBase {
  readonly type: 'Int8Vector';
  readonly dim: number;
  readonly values: Int8Array;
}
/** `dim` counts bits and is a multiple of 8: row i is `values[i * dim / 8 .. (i + 1) * dim / 8)`. */
export interface BinaryVectorColumn extends ColumnBase {
  readonly type: 'BinaryVector';
  readonly dim: number;
  readonly values: Uint8Array;
}
/**
 * Row i is entries offsets[i] … offsets[i + 1] of `indices`, strictly ascending and below 2^32 - 1, and `values`, finite.
 * `offsets` has length + 1 entries and may start above 0; a null row has no entries.
 */
export interface SparseVectorColumn extends ColumnBase {
  readonly type: 'SparseFloatVector';
  readonly offsets: Int32Array;
  readonly indices: Uint32Array;
  readonly values: Float32Array;
}

export type NumberColumn = Int8Column | Int16Column | Int32Column | FloatColumn | DoubleColumn;
export type ScalarColumn =
  BoolColumn | NumberColumn | Int64Column | TimestamptzColumn | BytesColumn | ArrayColumn;
export type DenseVectorColumn = FloatVectorColumn | HalfVectorColumn | Int8VectorColumn | BinaryVectorColumn;
export type VectorColumn = DenseVectorColumn | SparseVectorColumn;
export type Column = ScalarColumn | VectorColumn;
/** What a primary key column can be. */
export type PrimaryKeyColumn = Int64Column | (BytesColumn & { readonly type: 'VarChar' });

/** Rows of a collection, by field id. Every column has `rowCount` rows. */
export interface RowBatch {
  readonly rowCount: number;
  readonly columns: ReadonlyMap<number, Column>;
}
