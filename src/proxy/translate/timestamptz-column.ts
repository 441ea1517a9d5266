import type { FieldDataInit, ScalarField } from './generated/milvus.js';
import { DataType as WireType } from './generated/milvus.js';
import { byteRowCount, byteRowsOfTexts, NO_ROWS, textRow, type ByteRows } from './protobuf/byte-rows.ts';
import type { TimeView } from './times.ts';
import { bitAt, type TimestamptzColumn } from '../../columns/index.ts';
import { MishardsError } from '../../errors/index.ts';
import type { FieldSchema } from '../../schema/index.ts';
import { formatInstant, INSTANT_RANGE, parseInstant, partsOfInstant } from '../../util/instant.ts';

/** Clients send times as text; microseconds are taken too. null: neither was sent. */
export function timestamptzColumn(
  field: FieldSchema,
  data: ScalarField,
  zone: string,
): TimestamptzColumn | null {
  const values =
    data.stringData === null
      ? checked(field, data.timestamptzData?.data ?? null)
      : parsed(field, data.stringData.data, zone);
  if (values === null) return null;
  return { type: 'Timestamptz', length: values.length, validity: null, values };
}

function checked(field: FieldSchema, values: BigInt64Array | null): BigInt64Array | null {
  const { min, max } = INSTANT_RANGE;
  const wild = values?.findIndex((value) => value < min || value > max) ?? -1;
  if (wild < 0) return values;
  throw new MishardsError(
    'PARAMETER_INVALID',
    `timestamptz ${values![wild]} for field ${field.name}, row number: ${wild}, is outside of the years 0 to 9999 in microseconds`,
  );
}

function parsed(field: FieldSchema, rows: ByteRows, zone: string): BigInt64Array {
  const values = new BigInt64Array(byteRowCount(rows));
  for (let row = 0; row < values.length; row++) {
    const text = textRow(rows, row);
    const instant = parseInstant(text, zone);
    if (typeof instant !== 'bigint') {
      throw new MishardsError(
        'PARAMETER_INVALID',
        `got invalid timestamptz string '${text}' for field ${field.name}, row number: ${row}: ${instant.problem}`,
      );
    }
    values[row] = instant;
  }
  return values;
}

/** As text in the view's zone, or as an array of the numbers it asks for. Rows that are null hold an empty value. */
export function timesToWire(
  column: TimestamptzColumn,
  view: TimeView,
): Pick<FieldDataInit, 'type' | 'scalars'> {
  const { values, validity, length } = column;
  const rows = <T>(empty: T, read: (instant: bigint) => T): T[] =>
    Array.from({ length }, (_, row) =>
      validity === null || bitAt(validity, row) ? read(values[row]!) : empty,
    );
  const { fields, zone } = view;
  if (fields === null) {
    const texts = rows('', (instant) => formatInstant(instant, zone));
    const data = texts.length === 0 ? NO_ROWS : byteRowsOfTexts(texts);
    return { type: WireType.Timestamptz, scalars: { stringData: { data } } };
  }
  const data = rows({ longData: { data: new BigInt64Array(0) } }, (instant) => {
    const parts = partsOfInstant(instant, zone);
    return { longData: { data: BigInt64Array.from(fields, (name) => BigInt(parts[name])) } };
  });
  return { type: WireType.Array, scalars: { arrayData: { data, elementType: WireType.Int64 } } };
}
