import { hasOnes } from './bitmaps.ts';
import type { ReadSource } from './read-source.ts';
import {
  bitAt,
  defaultColumn,
  newBitmap,
  nullColumn,
  setBit,
  takeColumn,
  type Column,
} from '../columns/index.ts';
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
  const validity = takeBits(source.rows.vectorValidity(field.id), rows);
  // Rows older than the field have no vectors that could be read.
  if (validity !== null && !hasOnes(validity)) return nullColumn(field, rows.length);
  const { dim, values } = source.rows.readVectors(field.id, rows);
  return { type: field.type, dim, values, validity, length: rows.length };
}

function takeBits(bitmap: Uint8Array | null, rows: Uint32Array): Uint8Array | null {
  if (bitmap === null) return null;
  const taken = newBitmap(rows.length, 0);
  for (let index = 0; index < rows.length; index++) if (bitAt(bitmap, rows[index]!)) setBit(taken, index);
  return taken;
}
