import type { ScalarField, ScalarFieldInit } from './generated/milvus.js';
import { byteRowsOf } from './protobuf/byte-rows.ts';
import { bytesColumn } from './scalar-column.ts';
import { bitAt, bytesAt, type BytesColumn } from '../../columns/index.ts';
import { MishardsError } from '../../errors/index.ts';
import { decodeWkb, encodeWkb, formatWkt, parseWkt, type Geometry } from '../../geometry/index.ts';
import type { FieldSchema } from '../../schema/index.ts';

/** Clients send Well-Known Text or Binary; what is stored is binary, written anew. null: neither was sent. */
export function geometryColumn(field: FieldSchema, data: ScalarField): BytesColumn | null {
  if (data.geometryWktData !== null) return stored(field, data.geometryWktData.data, parseWkt);
  return data.geometryData === null ? null : stored(field, data.geometryData.data, decodeWkb);
}

function stored<T>(field: FieldSchema, rows: readonly T[], read: (row: T) => Geometry): BytesColumn {
  const parts = rows.map((sent, row) => {
    try {
      return encodeWkb(read(sent));
    } catch (error) {
      if (!(error instanceof MishardsError)) throw error;
      throw new MishardsError(
        error.code,
        `invalid geometry data for field ${field.name}, row number: ${row}: ${error.message}`,
        { cause: error },
      );
    }
  });
  return bytesColumn('Geometry', byteRowsOf(parts));
}

/** As Well-Known Text. Rows that are null hold an empty one. */
export function geometriesToWire(column: BytesColumn): ScalarFieldInit {
  const { validity, length } = column;
  const data = Array.from({ length }, (_, row) =>
    validity === null || bitAt(validity, row) ? formatWkt(decodeWkb(bytesAt(column, row))) : '',
  );
  return { geometryWktData: { data } };
}
