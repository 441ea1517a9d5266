import type { ScalarField } from './generated/milvus.js';
import { scalarColumn } from './scalar-column.ts';
import {
  concatColumns,
  emptyColumn,
  type ArrayColumn,
  type Column,
  type ScalarColumn,
} from '../../columns/index.ts';
import { MishardsError } from '../../errors/index.ts';
import type { FieldSchema } from '../../schema/index.ts';

/** One `ScalarField` a row becomes one column of elements and where each row's begin. */
export function arrayColumn(field: FieldSchema, rows: readonly ScalarField[]): ArrayColumn {
  const elementType = field.elementType!;
  const maxCapacity = field.maxCapacity!;
  const offsets = new Int32Array(rows.length + 1);
  const parts: Column[] = [];
  rows.forEach((row, index) => {
    const part = scalarColumn(field, elementType, row, (at) => `row number: ${index}, array index: ${at}`);
    if (part === null && !isEmpty(row)) {
      throw new MishardsError(
        'PARAMETER_INVALID',
        `insert data of array field ${field.name} does not match, row ${index} has no ${elementType} array`,
      );
    }
    const length = part?.length ?? 0;
    if (length > maxCapacity) {
      throw new MishardsError(
        'PARAMETER_INVALID',
        `the length (${length}) of ${index}th array of field ${field.name} exceeds max capacity (${maxCapacity})`,
      );
    }
    offsets[index + 1] = offsets[index]! + length;
    if (part !== null) parts.push(part);
  });
  const shape = { type: elementType, elementType: null, dim: null };
  const elements = parts.length === 0 ? emptyColumn(shape) : concatColumns(parts);
  return {
    type: 'Array',
    elementType,
    length: rows.length,
    validity: null,
    offsets,
    elements: elements as ScalarColumn,
  };
}

function isEmpty(row: ScalarField): boolean {
  return Object.values(row).every((value) => value === null);
}
