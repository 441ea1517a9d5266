import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileFilter, formatFilter, parseFilter, zonedFilter } from './index.ts';
import { rowsPassing, testRows } from '../../test/support/filter/filtered-rows.ts';
import { fieldOf, schemaOf } from '../../test/support/random-rows.ts';
import { encodeWkb, parseWkt } from '../geometry/index.ts';
import { parseInstant } from '../util/instant.ts';

const schema = schemaOf([
  fieldOf({ id: 100, name: 'id', type: 'Int64', isPrimaryKey: true }),
  fieldOf({ id: 101, name: 'seen', type: 'Timestamptz', nullable: true }),
  fieldOf({ id: 102, name: 'made', type: 'Timestamptz' }),
  fieldOf({ id: 103, name: 'place', type: 'Geometry', nullable: true }),
  fieldOf({ id: 104, name: 'iso', type: 'VarChar', maxLength: 9 }),
]);
const at = (text: string): bigint => parseInstant(text, 'UTC') as bigint;
const shape = (text: string): Uint8Array => encodeWkb(parseWkt(text));
/** Crosses itself. */
const BOW_TIE = 'POLYGON ((0 0, 4 4, 4 0, 0 4, 0 0))';
const rows = testRows(
  schema,
  [
    [at('2025-01-31T00:00:00Z'), shape('POINT (1 1)')],
    [at('2025-02-01T00:00:00Z'), shape('POINT (9 9)')],
    [null, shape('POLYGON ((0 0, 2 0, 2 2, 0 2, 0 0))')],
    [at('2025-03-01T00:00:00Z'), null],
    [at('2025-03-01T00:00:00.000001Z'), shape('LINESTRING (-1 1, 5 1)')],
  ].map(([seen, place], id) => {
    return { id: BigInt(id), seen: seen!, made: at('2025-02-01T00:00:00Z'), place: place!, iso: 'x' };
  }),
);
const passing = (text: string): number[] => rowsPassing(rows, text);

test('times compare with instants, in any order and chained', () => {
  assert.deepEqual(passing("seen > ISO '2025-02-01T00:00:00Z'"), [3, 4]);
  assert.deepEqual(passing("iso '2025-02-01T08:00:00+08:00' <= seen"), [1, 3, 4]);
  assert.deepEqual(passing("seen == ISO '2025-03-01T00:00:00Z'"), [3]);
  assert.deepEqual(passing("seen != ISO '2025-03-01T00:00:00Z'"), [0, 1, 4]);
  assert.deepEqual(passing("not (seen != ISO '2025-03-01T00:00:00Z')"), [3]);
  assert.deepEqual(passing("ISO '2025-01-31T00:00:00Z' < seen <= ISO '2025-03-01T00:00:00Z'"), [1, 3]);
  assert.deepEqual(passing('seen < made'), [0]);
  assert.deepEqual(passing('seen is null'), [2]);
  assert.deepEqual(passing('iso == "x" and seen is not null'), [0, 1, 3, 4]);
});

test('intervals are added row by row, months by the calendar', () => {
  // 31 January and a month is 28 February, a day before what 1 February and a month is.
  assert.deepEqual(passing("seen + INTERVAL 'P1M' < ISO '2025-03-01T00:00:00Z'"), [0]);
  assert.deepEqual(passing("seen + INTERVAL 'P1M' == ISO '2025-03-01T00:00:00Z'"), [1]);
  assert.deepEqual(passing("seen - interval 'P1M' == ISO '2025-02-01T00:00:00Z'"), [3]);
  assert.deepEqual(passing("seen + INTERVAL 'P1DT1S' > ISO '2025-02-02T00:00:00Z'"), [1, 3, 4]);
  assert.deepEqual(passing("seen - INTERVAL 'P28D' == ISO '2025-02-01T00:00:00Z'"), [3]);
  assert.deepEqual(passing("seen + INTERVAL 'P1D' == made"), [0]);
});

test('geometries are related to a constant; null and nonsense are unknown', () => {
  const square = "'POLYGON ((0 0, 4 0, 4 4, 0 4, 0 0))'";
  assert.deepEqual(passing(`st_within(place, ${square})`), [0, 2]);
  assert.deepEqual(passing(`not ST_WITHIN(place, ${square})`), [1, 4]);
  assert.deepEqual(passing(`ST_INTERSECTS(place, ${square}) and id > 0`), [2, 4]);
  assert.deepEqual(passing(`st_crosses(place, ${square})`), [4]);
  assert.deepEqual(passing("st_contains(place, 'POINT (1 1)')"), [0, 2, 4]);
  assert.deepEqual(passing("st_equals(place, 'POINT (9 9)')"), [1]);
  assert.deepEqual(passing("st_dwithin(place, 'POINT (9 9.001)', 200)"), [1]);
  assert.deepEqual(passing('st_isvalid(place)'), [0, 1, 2, 4]);
  assert.deepEqual(passing('place is null'), [3]);
  const odd = testRows(schema, [{ place: shape(BOW_TIE) }]);
  assert.deepEqual(rowsPassing(odd, 'st_isvalid(place)'), []);
  assert.deepEqual(rowsPassing(odd, 'not st_isvalid(place)'), [0]);
  // Rows from before the field was added.
  assert.deepEqual(rowsPassing({ ...rows, columns: new Map() }, `st_within(place, ${square})`), []);
});

test('mistakes are named', () => {
  const cases: Readonly<Record<string, RegExp>> = {
    "seen > ISO 'soon'": /'soon' is not a time: it does not look like/,
    "seen + INTERVAL '1 day' > made": /'1 day' is not a span of time/,
    "seen * INTERVAL 'P1D' > made": /cannot be calculated with/,
    'seen > 5': /'seen' \(Timestamptz\) cannot be compared \(>\) with '5' \(int\)/,
    'seen > id': /cannot be compared/,
    "id > ISO '2025-01-01T00:00:00Z'": /cannot be compared .* \(a point in time\)/,
    'seen + 1 > made': /cannot be calculated with/,
    'seen in [1]': /'in' takes no Timestamptz field/,
    "st_within(id, 'POINT (1 1)')": /st_within takes a Geometry field, not 'id'/,
    'st_within(place, id)': /takes a geometry as WKT in quotes/,
    "st_within(place, 'POINT (1)')": /invalid WKT 'POINT \(1\)'/,
    "st_dwithin(place, 'LINESTRING (0 0, 1 1)', 5)": /measures from a POINT/,
    "st_dwithin(place, 'POINT (0 0)', -5)": /0 or more, not '-5'/,
    "st_dwithin(place, 'POINT (0 0)')": /takes 3 arguments, not 2/,
    'place == "POINT (1 1)"': /'place' \(Geometry\) cannot be compared/,
  };
  for (const [text, message] of Object.entries(cases)) {
    assert.throws(() => compileFilter(parseFilter(text), schema), { code: 'FILTER_INVALID', message }, text);
  }
});

test('times and spans keep their words when they are written anew', () => {
  const text = `seen + INTERVAL "P1D" < ISO "2025-01-01T00:00:00Z" and st_isvalid(place)`;
  assert.equal(formatFilter(parseFilter(text)), text);
});

test('a zone is given to times that name none, and to nothing else', () => {
  const zoned = (text: string): string => zonedFilter(text, 'Asia/Seoul');
  assert.equal(
    zoned(`seen > ISO '2025-01-01T09:00:00' and iso == "ISO '2025-01-01T09:00:00'"`),
    `seen > ISO '2025-01-01T00:00:00Z' and iso == "ISO '2025-01-01T09:00:00'"`,
  );
  assert.equal(zoned(`ISO r"2025-01-01 09:00:00" < seen`), `ISO '2025-01-01T00:00:00Z' < seen`);
  const kept = ["seen > ISO '2025-01-01T09:00:00Z'", "seen > ISO 'soon'", 'iso == "2025-01-01T09:00:00"'];
  for (const text of kept) assert.equal(zoned(text), text);
});
