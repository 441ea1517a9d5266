import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rowsPassing, testRows } from '../../../test/support/filter/filtered-rows.ts';
import {
  indexesOf,
  rowsPassingIndexed,
  sourceOf,
  turnsForTests,
} from '../../../test/support/filter/indexed-rows.ts';
import { randomFilter, randomFilterRows } from '../../../test/support/filter/random-filters.ts';
import { schemaOfAllTypes } from '../../../test/support/random-rows.ts';
import { testSeed } from '../../../test/support/seed.ts';
import { asKeys } from '../../columns/index.ts';
import { SeededRandom } from '../../host/index.ts';
import { compileFilter, formatFilter, parseFilter, SortedKeys, useIndexes } from '../index.ts';

const SCHEMAS = [schemaOfAllTypes('Int64', 2), schemaOfAllTypes('VarChar', 2)];
const BATCHES = 30;
const FILTERS_PER_BATCH = 40;
const DEPTH = 3;
/** Keys of the random JSON objects. */
const PATHS = ['k', 'é"', '0', 'list'];

for (const always of [true, false]) {
  const how = always ? 'wherever they can answer' : 'where they are cheaper';
  test(`random filters pass the same rows with indexes used ${how} (seed ${testSeed})`, async () => {
    const random = new SeededRandom(testSeed);
    let [answers, passed] = [0, 0];
    for (let batch = 0; batch < BATCHES; batch++) {
      const schema = SCHEMAS[batch % SCHEMAS.length]!;
      // From rows of which most values are dense to such where most are listed.
      const cells = randomFilterRows(random, schema, 1 + random.below(batch < 20 ? 60 : 400));
      const rows = testRows(schema, cells.toSorted(byKey));
      const keys = new SortedKeys(100, asKeys(rows.columns.get(100)!));
      // Of the key the order of the rows is an index, else it has one like other fields.
      const indexes = [...(batch % 4 < 2 ? [keys] : []), ...(await indexesOf(rows, PATHS))];
      const source = sourceOf(indexes, { always, onMatches: () => answers++ });
      for (let index = 0; index < FILTERS_PER_BATCH; index++) {
        const text = formatFilter(randomFilter(random, schema, DEPTH));
        const expected = rowsPassing(rows, text);
        assert.deepEqual(await rowsPassingIndexed(rows, text, source, 8 << random.below(7)), expected, text);
        passed += expected.length;
      }
    }
    assert.ok(
      answers > 200 && passed > 1000,
      `${answers} answers, ${passed} rows: the test compares too little`,
    );
  });
}

type Cells = Readonly<Record<string, unknown>>;

function byKey(left: Cells, right: Cells): number {
  const [a, b] = [left['id'], right['id']];
  if (typeof a === 'string' && typeof b === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b));
  return (a as bigint) < (b as bigint) ? -1 : a === b ? 0 : 1;
}

const SCHEMA = SCHEMAS[0]!;
const LISTED = testRows(
  SCHEMA,
  Array.from({ length: 4_000 }, (_, row) => ({
    Int32: (row * 7919) % 1_000,
    Int32Nullable: row % 3 === 0 ? null : row % 5,
    VarChar: `t${row % 400}`,
    ArrayInt64: [BigInt(row % 100), BigInt(row % 7)],
    Double: row % 10 === 0 ? NaN : row / 8,
    JSON: JSON.stringify({ n: row % 3 === 0 ? `${row % 50}` : row % 90, list: [row % 40, `${row % 11}`] }),
  })),
);
const FILTERS = [
  'Int32 == 5',
  'Int32 in [5, 7, 5000]',
  '10 <= Int32 < 990',
  'not (10 <= Int32 < 990)',
  'Int32Nullable in [1, 2, 3]',
  'not (Int32Nullable in [1, 2, 3])',
  'Int32Nullable is null and Int32 < 400',
  'VarChar like "t1%"',
  'VarChar like "%9"',
  'VarChar like "t_9%"',
  'VarChar >= "t2" and VarChar < "t3" and Int32 < 500',
  'VarChar == "t17" and (Int32 > 100 or Double > 3.5)',
  'array_contains(ArrayInt64, 3)',
  'array_contains_all(ArrayInt64, [3, 50])',
  'array_contains_any(ArrayInt64, [3, 50])',
  'array_contains_all(ArrayInt64, [])',
  'Double >= 0',
  'not (Double < 100)',
  'Int32 == -1 and VarChar like "%x%"',
  'JSON["n"] == 5',
  'JSON["n"] in [5, 7, 9007199254740993]',
  'not (JSON["n"] < 80.5)',
  'JSON["n"] like "1%"',
  'JSON["n"] in ["3", "5"] and Int32 < 800',
  'json_contains(JSON["list"], 7)',
  'json_contains_all(JSON["list"], [7, 17]) or json_contains_any(JSON["list"], ["3", "nothing"])',
];

for (const filter of FILTERS) {
  test(`'${filter}' passes the same rows with indexes`, async () => {
    const indexes = await indexesOf(LISTED, ['n', 'list']);
    for (const always of [true, false]) {
      let answers = 0;
      const source = sourceOf(indexes, { always, onMatches: () => answers++ });
      assert.deepEqual(await rowsPassingIndexed(LISTED, filter, source, 1_024), rowsPassing(LISTED, filter));
      if (!filter.endsWith('[])')) assert.ok(answers > 0, 'no index was asked');
    }
  });
}

test('of rows that few pass, the columns of the other conditions are not all needed', async () => {
  const indexes = await indexesOf(LISTED, ['n', 'list']);
  const source = sourceOf(indexes, { always: false });
  const fieldsOf = async (text: string): Promise<readonly number[]> => {
    const plan = compileFilter(parseFilter(text), SCHEMA);
    return (await useIndexes(plan, source, LISTED.rowCount, turnsForTests())).fieldIds;
  };
  const idOf = (name: string): number => SCHEMA.fields.find((field) => field.name === name)!.id;
  assert.deepEqual(await fieldsOf('Int32 == 5 and VarChar == "t5"'), []);
  assert.deepEqual(await fieldsOf('Int32 == 5 and Int64 == 5'), [idOf('Int64')]);
  assert.deepEqual(await fieldsOf('Int32 == -1 and Int64 == 5'), []);
  assert.deepEqual(await fieldsOf('VarChar == "t5" or Int64 == 5'), [idOf('Int64')]);
});
