import assert from 'node:assert/strict';
import { test } from 'node:test';
import { columnToWire } from './column-to-wire.ts';
import { FieldData, type ScalarField } from './generated/milvus.js';
import { textRow, textRows } from './protobuf/byte-rows.ts';
import type { TimeView } from './times.ts';
import { ELEMENT_TYPES, fieldOf, randomColumn } from '../../../test/support/random-rows.ts';
import { testSeed } from '../../../test/support/seed.ts';
import { sliceColumn, valuesOf, type ColumnValue } from '../../columns/index.ts';
import { encodeWkb, parseWkt } from '../../geometry/index.ts';
import { SeededRandom } from '../../host/index.ts';
import type { FieldSchema } from '../../schema/index.ts';
import { parseInstant } from '../../util/instant.ts';

const TIMES: TimeView = { zone: 'Asia/Kathmandu', fields: null };
const random = new SeededRandom(testSeed);
const FIELDS: readonly FieldSchema[] = [false, true].flatMap((nullable) => [
  ...([...ELEMENT_TYPES, 'JSON', 'Timestamptz', 'Geometry'] as const).map((type) =>
    fieldOf({ id: 101, type, nullable }),
  ),
  ...ELEMENT_TYPES.map((elementType) => fieldOf({ id: 101, type: 'Array', elementType, nullable })),
  fieldOf({ id: 101, type: 'FloatVector', dim: 3, nullable }),
]);

for (const field of FIELDS) {
  const name = `${field.type} ${field.elementType ?? ''}${field.nullable ? ' or null' : ''}`;
  test(`${name}: a part of a column is what the client reads (seed ${testSeed})`, () => {
    const whole = randomColumn(random, field, 40);
    for (const [from, to] of [
      [0, 40],
      [7, 31],
      [5, 5],
    ] as const) {
      const column = sliceColumn(whole, from, to);
      const wire = FieldData.decode(FieldData.encode(columnToWire(field, column, TIMES)));
      assert.equal(wire.fieldName, field.name);
      assert.equal(wire.validData.length, field.nullable ? column.length : 0);
      assert.deepEqual(clientValues(field, wire, column.length), valuesOf(column));
    }
  });
}

/** As Milvus's clients read a column: scalars by row, vectors with the null rows left out. */
function clientValues(field: FieldSchema, wire: FieldData, length: number): ColumnValue[] {
  let vectorRow = 0;
  return Array.from({ length }, (_, row) => {
    if (wire.validData.length > 0 && wire.validData[row] === 0) return null;
    if (wire.vectors !== null) {
      const from = vectorRow++ * field.dim!;
      return wire.vectors.floatVector!.data.slice(from, from + field.dim!);
    }
    if (field.type === 'Timestamptz')
      return parseInstant(textRow(wire.scalars!.stringData!.data, row), 'UTC') as bigint;
    if (field.type === 'Geometry') return encodeWkb(parseWkt(wire.scalars!.geometryWktData!.data[row]!));
    if (field.type !== 'Array') return scalars(wire.scalars!)[row]!;
    return scalars(wire.scalars!.arrayData!.data[row]!);
  });
}

function scalars(field: ScalarField): ColumnValue[] {
  if (field.boolData !== null) return Array.from(field.boolData.data, (value) => value === 1);
  if (field.stringData !== null) return textRows(field.stringData.data);
  if (field.jsonData !== null) return textRows(field.jsonData.data);
  const numbers = field.intData ?? field.longData ?? field.floatData ?? field.doubleData;
  return Array.from(numbers!.data as Iterable<number | bigint>);
}
