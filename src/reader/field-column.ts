import { hasOnes } from './bitmaps.ts';
import type { ReadSource } from './read-source.ts';
import { defaultColumn, nullColumn, takeBits, takeColumn, type Column } from '../columns/index.ts';
import { isVectorType, type FieldSchema } from '../schema/index.ts';

/** A scalar field of all rows of a source; rows older than the field have its default. */
export async function fieldColumn(source: ReadSource, field: FieldSchema): Promise<Column> {
  if (field.isPrimaryKey) return source.keys;
  return (await source.rows.column(field.id)) ?? defaultColumn(field, source.rowCount);
}

/** A field of some rows of a source, in their order. */
export async function fieldOfRows(
  source: ReadSource,
  field: FieldSchema,
  rows: Uint32Array,
): Promise<Column> {
  if (!isVectorType(field.type)) return takeColumn(await fieldColumn(source, field), rows);
  const validity = source.rows.vectorValidity(field.id);
  // Rows older than the field have no vectors that could be read.
  if (validity !== null && !hasOnes(takeBits(validity, rows))) return nullColumn(field, rows.length);
  return source.rows.readVectors(field.id, rows);
}
