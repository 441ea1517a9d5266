import { copyBits, newBitmap } from './bitmap.ts';
import type { Column, RowBatch } from './column.ts';
import { createColumnBuilder } from './column-builder.ts';
import { elementsPerRow, shapeOfColumn, type ColumnShape } from './column-shape.ts';
import { columnFromValues, type ColumnValue } from './column-values.ts';
import type { DefaultValue, FieldSchema } from '../schema/index.ts';
import { assert, unreachable } from '../util/assert.ts';

/** The rows at these indexes (in any order, repeats allowed), copied. */
export function takeColumn(column: Column, rows: Uint32Array): Column {
  const builder = createColumnBuilder(shapeOfColumn(column), rows.length);
  builder.appendRows(column, rows);
  return builder.view();
}

export function takeRows(batch: RowBatch, rows: Uint32Array): RowBatch {
  return mapColumns(batch, rows.length, (column) => takeColumn(column, rows));
}

/** Rows [from, to): a view of the values and a copy of the validity bitmap. */
export function sliceColumn(column: Column, from: number, to: number): Column {
  assert(0 <= from && from <= to && to <= column.length, `rows [${from}, ${to}) of ${column.length}`);
  const length = to - from;
  const validity = sliceBitmap(column.validity, from, length);
  switch (column.type) {
    case 'VarChar':
    case 'JSON':
    case 'Geometry':
    case 'Array':
    case 'SparseFloatVector':
      return { ...column, length, validity, offsets: column.offsets.subarray(from, to + 1) };
    default: {
      const perRow = elementsPerRow(shapeOfColumn(column));
      const values = column.values.subarray(from * perRow, to * perRow);
      return { ...column, length, validity, values } as Column;
    }
  }
}

export function sliceRows(batch: RowBatch, from: number, to: number): RowBatch {
  return mapColumns(batch, to - from, (column) => sliceColumn(column, from, to));
}

/** All rows one after another. The columns must be of one shape; at least one is needed. */
export function concatColumns(columns: readonly Column[]): Column {
  const [first] = columns;
  assert(first !== undefined, 'concatenation needs a column');
  if (columns.length === 1) return first;
  const length = columns.reduce((sum, column) => sum + column.length, 0);
  const builder = createColumnBuilder(shapeOfColumn(first), length);
  for (const column of columns) builder.append(column);
  return builder.view();
}

/** All rows one after another. The batches must have the same fields; at least one is needed. */
export function concatRows(batches: readonly RowBatch[]): RowBatch {
  const [first] = batches;
  assert(first !== undefined, 'concatenation needs a batch');
  const rowCount = batches.reduce((sum, batch) => sum + batch.rowCount, 0);
  const columns = new Map<number, Column>();
  for (const fieldId of first.columns.keys()) {
    columns.set(fieldId, concatColumns(batches.map((batch) => columnOf(batch, fieldId))));
  }
  for (const batch of batches) {
    assert(batch.columns.size === columns.size, 'batches to concatenate have the same fields');
  }
  return { rowCount, columns };
}

/** The column of a field that the batch is known to have. */
export function columnOf(batch: RowBatch, fieldId: number): Column {
  const column = batch.columns.get(fieldId);
  assert(column !== undefined, `the batch has field ${fieldId}`);
  return column;
}

export function emptyColumn(field: ColumnShape): Column {
  return createColumnBuilder(field).view();
}

export function nullColumn(field: ColumnShape, length: number): Column {
  const builder = createColumnBuilder(field, length);
  builder.appendNulls(length);
  return builder.view();
}

/**
 * What rows hold that do not name the field: its default, `{}` for the dynamic field, else null. A field with none of them
 * cannot be left out, so asking is a defect.
 */
export function defaultColumn(field: FieldSchema, length: number): Column {
  const value = field.defaultValue === null ? undefined : defaultOf(field, field.defaultValue);
  if (value !== undefined) return constantColumn(field, value, length);
  if (field.isDynamic) return constantColumn(field, '{}', length);
  assert(field.nullable, `field ${field.name} has a default or is nullable`);
  return nullColumn(field, length);
}

export function constantColumn(field: ColumnShape, value: ColumnValue, length: number): Column {
  return takeColumn(columnFromValues(field, [value]), new Uint32Array(length));
}

function defaultOf(field: FieldSchema, stored: DefaultValue): ColumnValue {
  switch (stored.kind) {
    case 'bool':
    case 'float':
    case 'string':
      return stored.value;
    case 'int':
      return field.type === 'Int64' || field.type === 'Timestamptz'
        ? BigInt(stored.value)
        : Number(stored.value);
    default:
      return unreachable(stored);
  }
}

function sliceBitmap(bitmap: Uint8Array | null, from: number, length: number): Uint8Array | null {
  if (bitmap === null) return null;
  const slice = newBitmap(length, 0);
  copyBits(bitmap, from, slice, 0, length);
  return slice;
}

function mapColumns(batch: RowBatch, rowCount: number, change: (column: Column) => Column): RowBatch {
  const columns = new Map<number, Column>();
  for (const [fieldId, column] of batch.columns) columns.set(fieldId, change(column));
  return { rowCount, columns };
}
