import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rowsPassing, testRows } from '../../test/support/filter/filtered-rows.ts';
import { randomFilter, randomFilterRows } from '../../test/support/filter/random-filters.ts';
import { fieldOf, schemaOf, schemaOfAllTypes } from '../../test/support/random-rows.ts';
import { testSeed } from '../../test/support/seed.ts';
import { SeededRandom } from '../host/index.ts';
import { fieldStats } from '../segment/field-stats.ts';
import { compileFilter, formatFilter, mayPass, parseFilter, type ValueRange } from './index.ts';

const SCHEMAS = [schemaOfAllTypes('Int64', 2), schemaOfAllTypes('VarChar', 2)];

test(`no filter that passes a row is excluded by the ranges of the rows (seed ${testSeed})`, () => {
  const random = new SeededRandom(testSeed);
  let [excluded, passed] = [0, 0];
  for (let batch = 0; batch < 300; batch++) {
    const schema = SCHEMAS[batch % SCHEMAS.length]!;
    // Few rows, so that ranges are narrow.
    const rows = testRows(schema, randomFilterRows(random, schema, 1 + random.below(3)));
    const ranges = new Map([...rows.columns].map(([id, column]) => [id, fieldStats(id, column)]));
    for (let index = 0; index < 20; index++) {
      const text = formatFilter(randomFilter(random, schema, 2));
      const may = mayPass(compileFilter(parseFilter(text), schema), (id) => ranges.get(id) ?? null);
      const passing = rowsPassing(rows, text).length;
      if (passing > 0) assert.ok(may, `${text} passes ${passing} rows`);
      passed += passing;
      if (!may) excluded++;
    }
  }
  assert.ok(excluded > 100 && passed > 1_000, `${excluded} were excluded, ${passed} rows passed`);
});

const SCHEMA = schemaOf([
  fieldOf({ id: 100, name: 'id', type: 'Int64', isPrimaryKey: true }),
  fieldOf({ id: 101, name: 'name', type: 'VarChar' }),
  fieldOf({ id: 102, name: 'price', type: 'Double', nullable: true }),
  fieldOf({ id: 103, name: 'later', type: 'Int32', nullable: true }),
]);
const RANGES: Readonly<Record<number, ValueRange>> = {
  100: { min: '9007199254740993', max: '9007199254741000', nullCount: 0 },
  101: { min: 'beta', max: 'gamma', nullCount: 0 },
  102: { min: '-1.5', max: '3', nullCount: 2 },
};
const may = (text: string): boolean =>
  mayPass(compileFilter(parseFilter(text), SCHEMA), (id) => RANGES[id] ?? null);

for (const text of [
  'id == 9007199254740992',
  'id in [1, 2, 9007199254741001]',
  'name == "alpha"',
  'name like "alp%"',
  'name like "gammas%"',
  'name > "gamma"',
  'name < "beta"',
  'price > 3',
  'not (price <= 3)',
  'name is null',
  'price > 3 and later == 1',
  'price > 3 or id < 5',
  'not (price > -2)',
  'id == 1 and later == 1 or name like "z%"',
]) {
  test(`'${text}' excludes what lies elsewhere`, () => assert.equal(may(text), false));
}

for (const text of [
  'id == 9007199254740993',
  'name >= "gamma"',
  'name like "gam%"',
  'name like "b%"',
  'name like "%x"',
  'price >= 3',
  'price is null',
  'not (price is null)',
  'not (price > 2)',
  'later == 1',
  'not (later == 1)',
  'price + 1 > 100',
  'price > 3 or later == 1',
  `id in [${Array.from({ length: 2_000 }, (_, index) => index).join(', ')}]`,
]) {
  test(`'${text.slice(0, 40)}' excludes nothing`, () => assert.equal(may(text), true));
}
