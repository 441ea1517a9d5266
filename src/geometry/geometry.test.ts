import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  decodeWkb,
  distanceTest,
  encodeWkb,
  formatWkt,
  parseWkt,
  relationTest,
  RELATIONS,
  StoredGeometries,
  validityTest,
  type GeometryTest,
  type Relation,
} from './index.ts';
import { sphereDistance } from './distance.ts';
import { randomWkt, SMALL_PLANE } from '../../test/support/random-geometries.ts';
import { testSeed } from '../../test/support/seed.ts';
import { SeededRandom } from '../host/index.ts';

const TEXTS = [
  'POINT (30.12345678901234 -10.5)',
  'POINT EMPTY',
  'LINESTRING (0 0, 1 1, 2 0)',
  'LINESTRING EMPTY',
  'POLYGON ((0 0, 4 0, 4 4, 0 4, 0 0), (1 1, 2 1, 2 2, 1 2, 1 1))',
  'POLYGON EMPTY',
  'MULTIPOINT ((1 2), (3 4))',
  'MULTILINESTRING ((0 0, 1 1), (2 2, 3 3))',
  'MULTIPOLYGON (((0 0, 1 0, 1 1, 0 0)), ((5 5, 6 5, 6 6, 5 5)))',
  'GEOMETRYCOLLECTION (POINT (1 2), LINESTRING (0 0, 1 1), GEOMETRYCOLLECTION (POINT (5 6)))',
  'GEOMETRYCOLLECTION EMPTY',
];

test('text and bytes tell the same geometry', () => {
  for (const text of TEXTS) assert.equal(formatWkt(decodeWkb(encodeWkb(parseWkt(text)))), text);
});

test('the bytes are those of the standard, in either order', () => {
  const little = Buffer.from('0101000000000000000000f03f0000000000000040', 'hex');
  assert.deepEqual(Buffer.from(encodeWkb(parseWkt('POINT (1 2)'))), little);
  const big = Buffer.from('00000000013ff00000000000004000000000000000', 'hex');
  assert.equal(formatWkt(decodeWkb(big)), 'POINT (1 2)');
});

test('what is no geometry in the plane is refused with a reason', () => {
  const refused: readonly (readonly [text: string, reason: RegExp])[] = [
    ['', /unexpected/],
    ['nonsense', /invalid geometry type/],
    ['POINT (1)', /unexpected/],
    ['POINT (1 2', /unexpected/],
    ['POINT (1 2) and more', /text follows/],
    ['POINT (1e999 2)', /not a finite number/],
    ['POINT Z (1 2 3)', /two dimensions/],
    ['LINESTRING (0 0)', /number of points/],
    ['POLYGON ((0 0, 1 0, 1 1))', /closed/],
    ['LINEARRING (0 0, 1 0, 1 1, 0 0)', /LINEARRING/],
    [`${'GEOMETRYCOLLECTION ('.repeat(40)}POINT (1 2)${')'.repeat(40)}`, /nests deeper/],
  ];
  for (const [text, reason] of refused) {
    assert.throws(() => parseWkt(text), { code: 'PARAMETER_INVALID', message: reason }, text);
  }
});

test('damaged bytes are refused, whatever was done to them', () => {
  for (const text of TEXTS) {
    const bytes = encodeWkb(parseWkt(text));
    for (let length = 0; length < bytes.length; length++) {
      assert.throws(
        () => decodeWkb(bytes.subarray(0, length)),
        { code: 'PARAMETER_INVALID' },
        `${text} ${length}`,
      );
    }
    assert.throws(() => decodeWkb(Buffer.concat([bytes, Buffer.of(0)])), /bytes follow/);
  }
  const refused: readonly (readonly [hex: string, reason: RegExp])[] = [
    ['0201000000', /byte order 2/],
    ['0109000000', /geometry type 9/],
    ['01e9030000', /two dimensions/],
    ['0101000020e6100000000000000000f03f0000000000000040', /SRID/],
    ['0102000000ffffffff', /ends before/],
    ['010400000001000000010200000000000000', /no part of a MultiPoint/],
    ['0101000000000000000000f87f0000000000000040', /not a finite number/],
  ];
  for (const [hex, message] of refused) assert.throws(() => decodeWkb(Buffer.from(hex, 'hex')), { message });
});

const SQUARE = 'POLYGON ((0 0, 4 0, 4 4, 0 4, 0 0))';

/** Rows and what they are to `SQUARE`. */
const ROWS: readonly (readonly [text: string, relations: readonly Relation[]])[] = [
  ['POINT (1 1)', ['intersects', 'within']],
  ['POINT (4 1)', ['intersects', 'touches']],
  ['POINT (5 5)', []],
  ['POINT EMPTY', []],
  ['POLYGON ((4 0, 4 4, 0 4, 0 0, 2 0, 4 0))', ['equals', 'intersects', 'contains', 'within']],
  ['POLYGON ((-1 -1, 5 -1, 5 5, -1 5, -1 -1))', ['intersects', 'contains']],
  ['POLYGON ((1 1, 2 1, 2 2, 1 2, 1 1))', ['intersects', 'within']],
  ['POLYGON ((2 2, 6 2, 6 6, 2 6, 2 2))', ['intersects', 'overlaps']],
  ['POLYGON ((4 0, 8 0, 8 4, 4 4, 4 0))', ['intersects', 'touches']],
  ['POLYGON ((5 5, 8 5, 8 8, 5 5))', []],
  ['LINESTRING (-1 2, 5 2)', ['intersects', 'crosses']],
  ['LINESTRING (1 1, 2 2)', ['intersects', 'within']],
  ['MULTIPOINT ((1 1), (9 9))', ['intersects', 'crosses']],
];

function ask({ ask: check }: GeometryTest, text: string): boolean | null {
  const bytes = encodeWkb(parseWkt(text));
  // Amid other rows, as in a column.
  const column = Buffer.concat([Buffer.alloc(3), bytes, Buffer.alloc(2)]);
  return check(new StoredGeometries(column), column, 3, 3 + bytes.length);
}

test('relations are those of simple features', () => {
  const square = parseWkt(SQUARE);
  for (const [text, expected] of ROWS) {
    const held = RELATIONS.filter((relation) => ask(relationTest(relation, square), text));
    assert.deepEqual(held.toSorted(), expected.toSorted(), text);
  }
});

test(`what is told of a rectangle by bounds is told of the same with a corner more (seed ${testSeed})`, () => {
  const random = new SeededRandom(testSeed);
  // The corner in the middle of a side leaves the area as it is.
  const same = parseWkt('POLYGON ((1 1, 3 1, 5 1, 5 4, 1 4, 1 1))');
  const rectangle = parseWkt('POLYGON ((1 1, 5 1, 5 4, 1 4, 1 1))');
  const held = { yes: 0, no: 0 };
  for (let round = 0; round < 800; round++) {
    const text = randomWkt(random, SMALL_PLANE);
    // Of those that keep no rules, the two ways to tell may know different things.
    if (ask(validityTest, text) !== true) continue;
    for (const relation of RELATIONS) {
      const expected = ask(relationTest(relation, same), text);
      const found = ask(relationTest(relation, rectangle), text);
      assert.equal(found, expected, `${text} ${relation}`);
      held[found === true ? 'yes' : 'no']++;
    }
  }
  assert.ok(held.yes > 200 && held.no > 500, JSON.stringify(held));
});

test('a hole is outside of its polygon', () => {
  const ring = parseWkt('POLYGON ((0 0, 9 0, 9 9, 0 9, 0 0), (3 3, 6 3, 6 6, 3 6, 3 3))');
  assert.equal(ask(relationTest('within', ring), 'POINT (4 4)'), false);
  assert.equal(ask(relationTest('touches', ring), 'POINT (3 4)'), true);
  assert.equal(ask(relationTest('within', ring), 'POINT (1 1)'), true);
});

test('distances between points are along the sphere, others in the plane near the point', () => {
  const berlin = parseWkt('POINT (13.405 52.52)');
  // Munich is 504 km away.
  assert.equal(ask(distanceTest(berlin, 500_000), 'POINT (11.582 48.1351)'), false);
  assert.equal(ask(distanceTest(berlin, 510_000), 'POINT (11.582 48.1351)'), true);
  const equator = parseWkt('POINT (0 0)');
  const line = 'LINESTRING (1 -1, 1 1)';
  assert.equal(ask(distanceTest(equator, 111_400), line), true);
  assert.equal(ask(distanceTest(equator, 111_300), line), false);
  assert.equal(ask(distanceTest(equator, 1_000), 'POINT EMPTY'), false);
});

test(`bounds never exclude what is near enough (seed ${testSeed})`, () => {
  const random = new SeededRandom(testSeed);
  const edges = { x: [-360, -180, -179.99, 0, 180, 200, 360, 361], y: [-90, -89.99, 0, 90, 91, 120] };
  const number = (from: readonly number[], max: number): number =>
    random.below(3) === 0 ? from[random.below(from.length)]! : (random.next() * 2 - 1) * max;
  let excluded = 0;
  for (let round = 0; round < 20_000; round++) {
    const [x1, y1, x2] = [number(edges.x, 180), number(edges.y, 90), number(edges.x, 180)];
    // Also near the antipode, where the formula is least exact.
    const y2 = random.below(3) === 0 ? -y1 + random.next() * 1e-5 : number(edges.y, 90);
    const bounds = { lowX: x2, lowY: y2, highX: x2, highY: y2 };
    const from = parseWkt(`POINT (${x1} ${y1})`);
    // Exactly as far as it is.
    const { ask: isNear, mayPass } = distanceTest(from, sphereDistance(x1, y1, x2, y2));
    const bytes = encodeWkb(parseWkt(`POINT (${x2} ${y2})`));
    const message = `${x1} ${y1} to ${x2} ${y2}`;
    if (isNear(new StoredGeometries(bytes), bytes, 0, bytes.length)) assert.ok(mayPass!(bounds), message);
    const { mayPass: mayBeNear } = distanceTest(from, sphereDistance(x1, y1, x2, y2) * 0.9);
    if (!mayBeNear!(bounds)) excluded++;
  }
  assert.ok(excluded > 5_000, `${excluded} were excluded`);
  // Lines are measured in the plane, where a degree is shorter in the north: on the sphere this one would be too far.
  const north = distanceTest(parseWkt('POINT (0 60)'), 106_000);
  assert.equal(ask(north, 'LINESTRING (-1 61.2, 1 61.2)'), true);
  assert.equal(north.mayPass!({ lowX: -1, lowY: 61.2, highX: 1, highY: 61.2 }), true);
});

test('a polygon that crosses itself is not valid', () => {
  assert.equal(ask(validityTest, SQUARE), true);
  assert.equal(ask(validityTest, 'POLYGON ((0 0, 4 4, 4 0, 0 4, 0 0))'), false);
});
