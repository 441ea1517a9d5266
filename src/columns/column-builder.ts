import { ArrayColumnBuilder } from './array-column-builder.ts';
import { BytesColumnBuilder } from './bytes-column-builder.ts';
import type { Column } from './column.ts';
import { isFixedType, type ColumnShape } from './column-shape.ts';
import { FixedColumnBuilder } from './fixed-column-builder.ts';
import { SparseColumnBuilder } from './sparse-column-builder.ts';

/** A column that grows at the end. Appended columns must have its shape. */
export interface ColumnBuilder {
  readonly length: number;
  /** Memory held, spare capacity included. */
  readonly sizeBytes: number;
  /** Appends rows [from, to), by default all. */
  append(column: Column, from?: number, to?: number): void;
  /** Appends the rows at these indexes, in this order. */
  appendRows(column: Column, rows: Uint32Array): void;
  appendNulls(count: number): void;
  /** What was appended so far, without copying the values. It stays as it is while more is appended. */
  view(): Column;
}

/**
 * `capacityRows` is a hint. Columns of text, arrays and sparse vectors hold up to 2 147 483 647 bytes or elements; more fails with
 * `PARAMETER_TOO_LARGE`.
 */
export function createColumnBuilder(shape: ColumnShape, capacityRows = 0): ColumnBuilder {
  const { type } = shape;
  if (isFixedType(type)) return new FixedColumnBuilder({ ...shape, type }, capacityRows);
  if (type === 'SparseFloatVector') return new SparseColumnBuilder(capacityRows);
  if (type !== 'Array') return new BytesColumnBuilder(type, capacityRows);
  return new ArrayColumnBuilder(shape.elementType, capacityRows, createColumnBuilder);
}
