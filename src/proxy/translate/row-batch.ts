import { absentColumn, columnFromWire } from './column-from-wire.ts';
import type { FieldData } from './generated/milvus.js';
import { asKeys, columnOf, keyAt, KeyIndex, type Column, type RowBatch } from '../../columns/index.ts';
import { MishardsError } from '../../errors/index.ts';
import {
  DYNAMIC_FIELD_NAME,
  primaryKeyField,
  type CollectionSchema,
  type FieldSchema,
} from '../../schema/index.ts';

/** Rows of one request, as in Milvus's quota of a request's size: the message bound comes first in practice. */
export const ROWS_MAX = 10_000_000;

export interface WireRows {
  readonly fieldsData: readonly FieldData[];
  readonly numRows: number;
}

/**
 * The rows of an insert or upsert, checked and complete: a column for each field. An automatic key is left out of inserts
 * and demanded of upserts. `zone`: whose clocks show times that name no offset.
 */
export function rowsFromWire(
  schema: CollectionSchema,
  wire: WireRows,
  kind: 'insert' | 'upsert',
  zone: string,
): RowBatch {
  const rowCount = checkedCount(wire);
  const sent = fieldsByName(schema, wire.fieldsData);
  const context = { declared: declaredNames(schema), zone };
  const columns = new Map<number, Column>();
  for (const field of schema.fields) {
    const data = sent.get(field.name);
    if (isAutomaticKey(field, kind, data)) continue;
    columns.set(
      field.id,
      data === undefined ? absentColumn(field, rowCount) : columnFromWire(field, data, rowCount, context),
    );
  }
  if (kind === 'upsert') refuseRepeatedKeys(schema, { rowCount, columns });
  return { rowCount, columns };
}

/** Only the fields that were sent by an upsert, checked; the primary key must be among them. */
export function sentRowsFromWire(schema: CollectionSchema, wire: WireRows, zone: string): RowBatch {
  const rowCount = checkedCount(wire);
  const sent = fieldsByName(schema, wire.fieldsData);
  const context = { declared: declaredNames(schema), zone };
  const columns = new Map<number, Column>();
  for (const field of schema.fields) {
    const data = sent.get(field.name);
    if (isAutomaticKey(field, 'upsert', data) || data === undefined) continue;
    columns.set(field.id, columnFromWire(field, data, rowCount, context));
  }
  refuseRepeatedKeys(schema, { rowCount, columns });
  return { rowCount, columns };
}

/** Of two new versions of a row in one upsert neither is the later one. */
function refuseRepeatedKeys(schema: CollectionSchema, rows: RowBatch): void {
  const keys = asKeys(columnOf(rows, primaryKeyField(schema).id));
  const index = new KeyIndex(keys);
  if (index.keyCount === keys.length) return;
  let row = 0;
  while (index.older(row) < 0) row++;
  throw new MishardsError(
    'PARAMETER_INVALID',
    `duplicate primary keys are not allowed in the same batch: ${keyAt(keys, row)} comes more than once`,
  );
}

function declaredNames(schema: CollectionSchema): ReadonlySet<string> {
  return new Set(schema.fields.filter((field) => !field.isDynamic).map((field) => field.name));
}

function checkedCount({ numRows: rowCount }: WireRows): number {
  if (rowCount === 0 || rowCount > ROWS_MAX) {
    throw new MishardsError(
      'PARAMETER_INVALID',
      `num_rows should be in range [1, ${ROWS_MAX}], but got ${rowCount}`,
    );
  }
  return rowCount;
}

function isAutomaticKey(field: FieldSchema, kind: 'insert' | 'upsert', data: FieldData | undefined): boolean {
  if (!field.isPrimaryKey) return false;
  if (kind === 'upsert') {
    if (data !== undefined) return false;
    throw new MishardsError('PARAMETER_INVALID', `must assign pk when upsert, primary field: ${field.name}`);
  }
  if (!field.autoId) return false;
  if (data === undefined) return true;
  throw new MishardsError(
    'PARAMETER_INVALID',
    `can not assign primary field data when auto id enabled ${field.name}`,
  );
}

function fieldsByName(
  schema: CollectionSchema,
  fieldsData: readonly FieldData[],
): ReadonlyMap<string, FieldData> {
  const known = new Set(schema.fields.map((field) => field.name));
  const sent = new Map<string, FieldData>();
  for (const data of fieldsData) {
    if (data.structArrays !== null) {
      throw new MishardsError('NOT_SUPPORTED', `struct array field ${data.fieldName} is not supported yet`);
    }
    const name = data.isDynamic ? DYNAMIC_FIELD_NAME : data.fieldName;
    if (sent.has(name)) throw new MishardsError('PARAMETER_INVALID', `duplicated field ${name} found`);
    if (!known.has(name)) {
      const message =
        name === DYNAMIC_FIELD_NAME
          ? `without dynamic schema enabled, the field name cannot be set to ${DYNAMIC_FIELD_NAME}`
          : `fieldName ${name} not exist in collection schema`;
      throw new MishardsError('PARAMETER_INVALID', message);
    }
    sent.set(name, data);
  }
  return sent;
}
