import { checkDynamic } from './field-data-checks.ts';
import type { FieldData } from './generated/milvus.js';
import { jsonColumn } from './json-column.ts';
import { geometryColumn } from './geometry-column.ts';
import { bytesColumn, scalarColumn } from './scalar-column.ts';
import { timestamptzColumn } from './timestamptz-column.ts';
import { arrayColumn } from './array-column.ts';
import { vectorColumn } from './vector-column.ts';
import type { Column } from '../../columns/index.ts';
import { isVectorType, type FieldSchema } from '../../schema/index.ts';

/** What the values of a request are read with. */
export interface RowContext {
  /** Names of all fields. */
  readonly declared: ReadonlySet<string>;
  /** Whose clocks show times that name no offset. */
  readonly zone: string;
}

/** The values a client sent for one field, checked against its schema, none of them null. */
export function denseColumn(field: FieldSchema, data: FieldData, context: RowContext): Column | null {
  if (isVectorType(field.type)) return vectorColumn(field, data.vectors);
  if (data.scalars === null) return null;
  if (field.type === 'Array') {
    return data.scalars.arrayData === null ? null : arrayColumn(field, data.scalars.arrayData.data);
  }
  if (field.type === 'Timestamptz') return timestamptzColumn(field, data.scalars, context.zone);
  if (field.type === 'Geometry') return geometryColumn(field, data.scalars);
  if (field.type !== 'JSON') return scalarColumn(field, field.type, data.scalars);
  if (data.scalars.jsonData === null) return null;
  const rows = data.scalars.jsonData.data;
  if (!field.isDynamic) return jsonColumn(field, rows);
  checkDynamic(rows, field, context.declared);
  return bytesColumn('JSON', rows);
}
