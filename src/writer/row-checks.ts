import type { CollectionMeta } from '../catalog/model.ts';
import {
  countOnes,
  sameShape,
  shapeOfColumn,
  type Column,
  type ColumnShape,
  type PrimaryKeyColumn,
  type RowBatch,
} from '../columns/index.ts';
import { MishardsError } from '../errors/index.ts';
import { primaryKeyField, type FieldSchema } from '../schema/index.ts';

/**
 * Refuses what would damage stored rows: fields missing or unknown, columns of another type, length or dimension. Values
 * were checked by the proxy. The primary key may be left out when `isKeyOptional`. Errors: `SCHEMA_MISMATCH`.
 */
export function checkRows(rows: RowBatch, collection: CollectionMeta, isKeyOptional: boolean): void {
  if (rows.rowCount === 0)
    throw new MishardsError('PARAMETER_INVALID', 'the request has no rows; send at least 1');
  const { fields } = collection.schema;
  for (const field of fields) {
    const column = rows.columns.get(field.id);
    if (column !== undefined) checkColumn(column, field, rows.rowCount);
    else if (!(isKeyOptional && field.isPrimaryKey)) throw mismatch(`field ${field.name} has no column`);
  }
  for (const id of rows.columns.keys()) {
    if (!fields.some((field) => field.id === id)) throw mismatch(`the collection has no field ${id}`);
  }
}

/** Refuses keys of another type than the collection's. */
export function checkKeys(keys: PrimaryKeyColumn, collection: CollectionMeta): void {
  checkColumn(keys, primaryKeyField(collection.schema), keys.length);
}

function checkColumn(column: Column, field: FieldSchema, rowCount: number): void {
  const shape = shapeOfColumn(column);
  if (!sameShape(shape, field)) {
    throw mismatch(
      `the column of field ${field.name} is ${shapeText(shape)}, the field is ${shapeText(field)}`,
    );
  }
  if (column.length !== rowCount) {
    throw mismatch(`the column of field ${field.name} has ${column.length} rows, expected ${rowCount}`);
  }
  if (!field.nullable && column.validity !== null && countOnes(column.validity) < column.length) {
    throw mismatch(`the column of field ${field.name} has nulls, but the field is not nullable`);
  }
}

function shapeText({ type, elementType, dim }: ColumnShape): string {
  const element = elementType === null ? '' : ` of ${elementType}`;
  return `${type}${element}${dim === null ? '' : ` of dimension ${dim}`}`;
}

function mismatch(message: string): MishardsError {
  return new MishardsError('SCHEMA_MISMATCH', message);
}
