import { denseColumn, type RowContext } from './dense-column.ts';
import type { FieldData } from './generated/milvus.js';
import {
  constantColumn,
  createColumnBuilder,
  defaultColumn,
  emptyColumn,
  type Column,
} from '../../columns/index.ts';
import { MishardsError } from '../../errors/index.ts';
import type { FieldSchema } from '../../schema/index.ts';

/**
 * One field of an insert as a column of `rowCount` rows. Clients leave null rows out of the values and mark them in
 * `valid_data`; where the field has a default they get it. Throws `PARAMETER_INVALID` with Milvus's reasons.
 */
export function columnFromWire(
  field: FieldSchema,
  data: FieldData,
  rowCount: number,
  context: RowContext,
): Column {
  const validCount = validRowCount(field, data.validData, rowCount);
  const dense = denseColumn(field, data, context) ?? (validCount === 0 ? emptyColumn(field) : null);
  if (dense === null) {
    throw mismatch(
      `need ${field.type} array`,
      'got nil',
      `field '${field.name}' is illegal, array type mismatch`,
    );
  }
  if (dense.length !== validCount) {
    throw mismatch(
      validCount,
      dense.length,
      `the num_rows (${dense.length}) of field (${field.name}) is not equal to passed num_rows (${validCount})`,
    );
  }
  return validCount === rowCount ? dense : spread(field, dense, data.validData);
}

function validRowCount(field: FieldSchema, validData: Uint8Array, rowCount: number): number {
  if (validData.length === 0) return rowCount;
  if (validData.length !== rowCount) {
    throw mismatch(rowCount, validData.length, `the length of valid_data of field(${field.name}) is wrong`);
  }
  let count = 0;
  for (let row = 0; row < rowCount; row++) count += validData[row]!;
  if (count < rowCount && !field.nullable && field.defaultValue === null) {
    throw new MishardsError(
      'PARAMETER_INVALID',
      `row ${validData.indexOf(0)} of field ${field.name} is null, but the field is not nullable and has no default`,
    );
  }
  return count;
}

function spread(field: FieldSchema, dense: Column, validData: Uint8Array): Column {
  const builder = createColumnBuilder(field, validData.length);
  let taken = 0;
  for (let from = 0; from < validData.length;) {
    const valid = validData[from]!;
    let to = from + 1;
    while (to < validData.length && validData[to] === valid) to++;
    const length = to - from;
    if (valid === 1) {
      builder.append(dense, taken, taken + length);
      taken += length;
    } else if (field.defaultValue !== null) builder.append(defaultColumn(field, length));
    else builder.appendNulls(length);
    from = to;
  }
  return builder.view();
}

/** A field the client did not send at all. */
export function absentColumn(field: FieldSchema, rowCount: number): Column {
  if (field.isDynamic) return constantColumn(field, '{}', rowCount);
  if (field.nullable || field.defaultValue !== null) return defaultColumn(field, rowCount);
  throw new MishardsError(
    'PARAMETER_INVALID',
    `fieldSchema(${field.name}) has no corresponding fieldData pass in`,
  );
}

function mismatch(expected: string | number, actual: string | number, message: string): MishardsError {
  return new MishardsError(
    'PARAMETER_INVALID',
    `${message}: invalid parameter[expected=${expected}][actual=${actual}]`,
  );
}
