import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rowsPassing, testRows, type TestRows } from '../../../test/support/filter/filtered-rows.ts';
import { indexesOf, rowsPassingIndexed, sourceOf } from '../../../test/support/filter/indexed-rows.ts';
import {
  GLOBE,
  randomGeometryFilter,
  randomWkt,
  SMALL_PLANE,
  type Plane,
} from '../../../test/support/random-geometries.ts';
import { fieldOf, schemaOf } from '../../../test/support/random-rows.ts';
import { testSeed } from '../../../test/support/seed.ts';
import { encodeWkb, parseWkt } from '../../geometry/index.ts';
import { SeededRandom, type Random } from '../../host/index.ts';
import { fieldStats } from '../../segment/field-stats.ts';
import { compileFilter, mayPass, parseFilter, type IndexMatches } from '../index.ts';

const SCHEMA = schemaOf([
  fieldOf({ id: 100, name: 'id', type: 'Int64', isPrimaryKey: true }),
  fieldOf({ id: 101, name: 'number', type: 'Int32' }),
  fieldOf({ id: 102, name: 'place', type: 'Geometry', nullable: true }),
]);

function randomPlaces(random: Random, plane: Plane, rowCount: number): TestRows {
  return testRows(
    SCHEMA,
    Array.from({ length: rowCount }, (_, row) => ({
      id: BigInt(row),
      number: random.below(20),
      place: random.below(8) === 0 ? null : encodeWkb(parseWkt(randomWkt(random, plane))),
    })),
  );
}

for (const [name, plane] of Object.entries({ 'a small plane': SMALL_PLANE, 'the globe': GLOBE })) {
  for (const always of [true, false]) {
    const how = always ? 'wherever it can answer' : 'where it is cheaper';
    test(`filters of geometries on ${name} pass the same rows with an index used ${how} (seed ${testSeed})`, async () => {
      const random = new SeededRandom(testSeed);
      let [found, left, passed] = [0, 0, 0];
      for (let batch = 0; batch < 8; batch++) {
        const rows = randomPlaces(random, plane, 1 + random.below(batch < 4 ? 40 : 500));
        const onMatches = ({ count }: IndexMatches): void => {
          found += count;
          left += rows.rowCount - count;
        };
        const source = sourceOf(await indexesOf(rows), { always, onMatches });
        for (let index = 0; index < 30; index++) {
          const text = randomGeometryFilter(random, plane, 2);
          const expected = rowsPassing(rows, text);
          assert.deepEqual(
            await rowsPassingIndexed(rows, text, source, 8 << random.below(7)),
            expected,
            text,
          );
          passed += expected.length;
        }
      }
      assert.ok(
        found > 500 && left > 5_000 && passed > 1_000,
        `${found} found, ${left} not, ${passed} passed`,
      );
    });
  }

  test(`no filter that passes a geometry on ${name} is excluded by the bounds of all (seed ${testSeed})`, () => {
    const random = new SeededRandom(testSeed);
    let [excluded, passed] = [0, 0];
    for (let batch = 0; batch < 60; batch++) {
      const rows = randomPlaces(random, plane, 1 + random.below(3));
      const ranges = new Map([...rows.columns].map(([id, column]) => [id, fieldStats(id, column)]));
      for (let index = 0; index < 20; index++) {
        const text = randomGeometryFilter(random, plane, 1);
        const may = mayPass(compileFilter(parseFilter(text), SCHEMA), (id) => ranges.get(id) ?? null);
        const passing = rowsPassing(rows, text).length;
        if (passing > 0) assert.ok(may, `${text} passes ${passing} rows`);
        passed += passing;
        if (!may) excluded++;
      }
    }
    assert.ok(excluded > 50 && passed > 200, `${excluded} were excluded, ${passed} rows passed`);
  });
}
