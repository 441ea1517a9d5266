import assert from 'node:assert/strict';
import { test } from 'node:test';
import { columnFromValues, valuesOf } from './column-values.ts';
import { createColumnBuilder } from './column-builder.ts';
import { concatRows, defaultColumn, emptyColumn, nullColumn, sliceRows, takeRows } from './row-batch.ts';
import { SeededRandom } from '../host/index.ts';
import { fieldOf, randomColumn, randomRows, schemaOfAllTypes } from '../../test/support/random-rows.ts';
import { testSeed } from '../../test/support/seed.ts';

const schema = schemaOfAllTypes('VarChar', 40);

test(`take, slice and concatenate do what they do to lists of values (seed ${testSeed})`, () => {
  const random = new SeededRandom(testSeed);
  for (let round = 0; round < 10; round++) {
    const rowCount = 1 + random.below(40);
    const batch = randomRows(random, schema, rowCount);
    const rows = Uint32Array.from({ length: random.below(60) }, () => random.below(rowCount));
    const from = random.below(rowCount);
    const to = from + random.below(rowCount - from + 1);
    const taken = takeRows(batch, rows);
    const sliced = sliceRows(batch, from, to);
    const joined = concatRows([sliced, taken, sliced]);
    for (const { id } of schema.fields) {
      const values = valuesOf(batch.columns.get(id)!);
      const expectedTaken = [...rows].map((row) => values[row]);
      const expectedSliced = values.slice(from, to);
      assert.deepEqual(valuesOf(taken.columns.get(id)!), expectedTaken);
      assert.deepEqual(valuesOf(sliced.columns.get(id)!), expectedSliced);
      assert.deepEqual(valuesOf(joined.columns.get(id)!), [
        ...expectedSliced,
        ...expectedTaken,
        ...expectedSliced,
      ]);
    }
  }
});

test(`a builder's views stay as they were while it grows (seed ${testSeed})`, () => {
  const random = new SeededRandom(testSeed);
  for (const field of schema.fields) {
    const builder = createColumnBuilder(field);
    const expected: unknown[] = [];
    const seen: { readonly view: ReturnType<typeof builder.view>; readonly expected: unknown[] }[] = [];
    for (let round = 0; round < 12; round++) {
      const column = randomColumn(random, field, random.below(9));
      if (field.nullable && round % 3 === 2) {
        builder.appendNulls(2);
        expected.push(null, null);
      }
      builder.append(column);
      expected.push(...valuesOf(column));
      seen.push({ view: builder.view(), expected: structuredClone(expected) });
    }
    for (const { view, expected: then } of seen) assert.deepEqual(valuesOf(view), then, field.name);
  }
});

test('a builder refuses another type', () => {
  const strings = columnFromValues(fieldOf({ id: 1, type: 'VarChar' }), ['a']);
  assert.throws(
    () => createColumnBuilder(fieldOf({ id: 1, type: 'JSON' })).append(strings),
    /cannot take VarChar/,
  );
  const vectors = columnFromValues(fieldOf({ id: 1, type: 'FloatVector', dim: 2 }), [new Float32Array(2)]);
  const builder = createColumnBuilder(fieldOf({ id: 1, type: 'FloatVector', dim: 3 }));
  assert.throws(() => builder.append(vectors), /cannot take FloatVector/);
});

test('columns can be empty, all null, or all default', () => {
  for (const field of schema.fields) {
    assert.deepEqual(valuesOf(emptyColumn(field)), []);
    assert.deepEqual(valuesOf(nullColumn(field, 3)), [null, null, null]);
  }
  const stored = {
    Bool: { kind: 'bool', value: true },
    Int16: { kind: 'int', value: '-7' },
    Int64: { kind: 'int', value: '9007199254740993' },
    Float: { kind: 'float', value: 0.5 },
    VarChar: { kind: 'string', value: 'none' },
  } as const;
  const expected = { Bool: true, Int16: -7, Int64: 9007199254740993n, Float: 0.5, VarChar: 'none' };
  for (const type of Object.keys(stored) as (keyof typeof stored)[]) {
    const field = fieldOf({ id: 101, type, defaultValue: stored[type], nullable: true });
    assert.deepEqual(valuesOf(defaultColumn(field, 2)), [expected[type], expected[type]]);
  }
  assert.deepEqual(valuesOf(defaultColumn(fieldOf({ id: 101, type: 'JSON', isDynamic: true }), 1)), ['{}']);
  assert.deepEqual(valuesOf(defaultColumn(fieldOf({ id: 101, type: 'JSON', nullable: true }), 1)), [null]);
  assert.throws(() => defaultColumn(fieldOf({ id: 101, type: 'Int8' }), 1), /is nullable/);
});
