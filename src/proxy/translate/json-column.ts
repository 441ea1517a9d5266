import { checkJson } from './field-data-checks.ts';
import { byteRow, byteRowCount, byteRowsOf, type ByteRows } from './protobuf/byte-rows.ts';
import { bytesColumn } from './scalar-column.ts';
import { newBitmap, setBit, type BytesColumn } from '../../columns/index.ts';
import type { FieldSchema } from '../../schema/index.ts';

const JSON_NULL = new TextEncoder().encode('null');

/**
 * JSON values of one field. Some clients send no bytes at all for null: that is a null row where the field is nullable, and
 * JSON's own null elsewhere.
 */
export function jsonColumn(field: FieldSchema, sent: ByteRows): BytesColumn {
  const count = byteRowCount(sent);
  const isEmpty = (row: number): boolean => sent.offsets[row] === sent.offsets[row + 1];
  const hasEmpty = Array.from({ length: count }, (_, row) => row).some(isEmpty);
  const rows = hasEmpty ? filled(sent) : sent;
  checkJson(rows, field);
  const column = bytesColumn('JSON', rows);
  if (!hasEmpty || !field.nullable) return column;
  const validity = newBitmap(count, 0);
  for (let row = 0; row < count; row++) if (!isEmpty(row)) setBit(validity, row);
  return { ...column, validity };
}

function filled(sent: ByteRows): ByteRows {
  return byteRowsOf(
    Array.from({ length: byteRowCount(sent) }, (_, index) => {
      const row = byteRow(sent, index);
      return row.length === 0 ? JSON_NULL : row;
    }),
  );
}
