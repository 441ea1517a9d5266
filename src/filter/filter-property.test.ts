import assert from 'node:assert/strict';
import { test } from 'node:test';
import { passes } from '../../test/support/filter/interpreter.ts';
import { rowsPassing, testRows, type TestRows } from '../../test/support/filter/filtered-rows.ts';
import { randomFilter, randomFilterRows } from '../../test/support/filter/random-filters.ts';
import { schemaOfAllTypes } from '../../test/support/random-rows.ts';
import { testSeed } from '../../test/support/seed.ts';
import { sliceColumn } from '../columns/index.ts';
import { SeededRandom } from '../host/random.ts';
import type { FilterNode } from './ast.ts';
import { formatFilter, parseFilter } from './index.ts';

const SCHEMAS = [schemaOfAllTypes('Int64', 2), schemaOfAllTypes('VarChar', 2)];
const BATCHES = 40;
const FILTERS_PER_BATCH = 50;
const DEPTH = 3;

/** The tree without its positions. */
function shapeOf(node: FilterNode): unknown {
  return JSON.parse(
    JSON.stringify(node, (key, value: unknown) => {
      if (key === 'at') return undefined;
      return typeof value === 'bigint' || Object.is(value, -0) ? `${String(value)} ${typeof value}` : value;
    }),
  );
}

function sliced(rows: TestRows, from: number): TestRows {
  const columns = [...rows.columns].map(
    ([id, column]) => [id, sliceColumn(column, from, rows.rowCount)] as const,
  );
  return { ...rows, rowCount: rows.rowCount - from, columns: new Map(columns) };
}

test(`random filters pass the rows a plain reading passes (seed ${testSeed})`, () => {
  const random = new SeededRandom(testSeed);
  let passed = 0;
  let refused = 0;
  for (let batch = 0; batch < BATCHES; batch++) {
    const schema = SCHEMAS[batch % SCHEMAS.length]!;
    const allCells = randomFilterRows(random, schema, 1 + random.below(40));
    // A slice has offsets that start above 0 and views into larger arrays.
    const from = random.below(allCells.length);
    const cells = allCells.slice(from);
    const rowCount = cells.length;
    const rows = sliced(testRows(schema, allCells), from);
    for (let index = 0; index < FILTERS_PER_BATCH; index++) {
      const filter = randomFilter(random, schema, DEPTH);
      const text = formatFilter(filter);
      const expected = cells.flatMap((row, at) => (passes(filter, schema, row) ? [at] : []));
      assert.deepEqual(rowsPassing(rows, text), expected, text);
      passed += expected.length;
      refused += rowCount - expected.length;
    }
  }
  assert.ok(
    passed > 1000 && refused > 1000,
    `${passed} rows passed and ${refused} did not: the test compares too little`,
  );
});

test(`formatting a filter and parsing it gives the same tree (seed ${testSeed})`, () => {
  const random = new SeededRandom(testSeed);
  for (let index = 0; index < 1000; index++) {
    const filter = randomFilter(random, SCHEMAS[0]!, DEPTH);
    const text = formatFilter(filter);
    assert.deepEqual(shapeOf(parseFilter(text)), shapeOf(filter), text);
  }
});
