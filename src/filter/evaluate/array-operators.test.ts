import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rowsPassing, testRows } from '../../../test/support/filter/filtered-rows.ts';
import { fieldOf, schemaOf } from '../../../test/support/random-rows.ts';

const array = { type: 'Array', maxCapacity: 8, nullable: true } as const;
const schema = schemaOf([
  fieldOf({ id: 100, name: 'id', type: 'Int64', isPrimaryKey: true }),
  fieldOf({ id: 101, name: 'tags', ...array, elementType: 'VarChar', maxLength: 16 }),
  fieldOf({ id: 102, name: 'counts', ...array, elementType: 'Int64' }),
  fieldOf({ id: 103, name: 'bytes', ...array, elementType: 'Int8' }),
  fieldOf({ id: 104, name: 'ratios', ...array, elementType: 'Float' }),
  fieldOf({ id: 105, name: 'flags', ...array, elementType: 'Bool' }),
  fieldOf({ id: 106, name: 'absent', ...array, elementType: 'Int64' }),
]);
const rows = testRows(schema, [
  { id: 10n, tags: ['a', 'bé'], counts: [1n, 2n, 3n], bytes: [1], ratios: [0.1, 2], flags: [true, false] },
  { id: 2n, tags: [], counts: [], bytes: [], ratios: [], flags: [] },
  { id: 3n, tags: null, counts: null, bytes: null, ratios: null, flags: null },
  {
    id: 4n,
    tags: ['a'],
    counts: [9223372036854775807n, 2n],
    bytes: [-128, 127],
    ratios: [2],
    flags: [false],
  },
]);

function expectPassing(cases: Readonly<Record<string, readonly number[]>>): void {
  for (const [text, expected] of Object.entries(cases))
    assert.deepEqual(rowsPassing(rows, text), expected, text);
}

test('an element past the end of an array is unknown', () => {
  expectPassing({
    'tags[0] == "a"': [0, 3],
    'tags[1] == "bé"': [0],
    'tags[1] != "x"': [0],
    'not (tags[1] == "x")': [0],
    'tags[0] like "_"': [0, 3],
    'tags[0] in ["a", "b"]': [0, 3],
    'tags[1] > tags[0]': [0],
    'counts[0] == 9223372036854775807': [3],
    'counts[1] + 1 == 3': [0, 3],
    'counts[0] < id': [0],
    '1 <= bytes[0] < 5': [0],
    'bytes[1] == 127': [3],
    'ratios[0] == 0.1': [0],
    'flags[0]': [0],
    'not flags[0]': [3],
    'counts[2147483647] == 1': [],
  });
});

test('array_contains and its kin', () => {
  expectPassing({
    'array_contains(tags, "bé")': [0],
    'not array_contains(tags, "bé")': [1, 3],
    'ARRAY_CONTAINS(counts, 2)': [0, 3],
    'array_contains(counts, 2.0)': [0, 3],
    'array_contains(counts, 2.5)': [],
    'array_contains(bytes, 1000)': [],
    'array_contains(ratios, 2)': [0, 3],
    'array_contains(ratios, 0.1)': [0],
    'array_contains(flags, true)': [0],
    'array_contains_any(tags, ["x", "a"])': [0, 3],
    'array_contains_any(counts, [9223372036854775807, 1])': [0, 3],
    'array_contains_any(counts, [])': [],
    'array_contains_all(counts, [3, 1])': [0],
    'array_contains_all(counts, [2, 2.5])': [],
    'array_contains_all(tags, [])': [0, 1, 3],
    'not array_contains_all(counts, [3, 1])': [1, 3],
    'json_contains(tags, "a")': [0, 3],
    'json_contains_any(tags, ["a"])': [0, 3],
  });
});

test('array_length', () => {
  expectPassing({
    'array_length(tags) == 2': [0],
    'array_length(tags) < 2': [1, 3],
    'not (array_length(tags) < 2)': [0],
    'array_length(counts) - 1 == 1': [3],
    'array_length(counts) >= array_length(tags)': [0, 1, 3],
    'array_length(absent) == 0': [],
  });
});

test('whole arrays', () => {
  expectPassing({
    'tags == ["a", "bé"]': [0],
    'tags == []': [1],
    'tags != ["a"]': [0, 1],
    '[1, 2, 3] == counts': [0],
    'counts == [1, 2]': [],
    'bytes == [-128, 127.0]': [3],
    'ratios == [0.1, 2]': [0],
    'flags == [false]': [3],
  });
});

test('null arrays', () => {
  expectPassing({
    'tags is null': [2],
    'tags is not null': [0, 1, 3],
    'absent is null': [0, 1, 2, 3],
    'array_contains(absent, 1) or id == 2': [1],
    'absent[0] == 1': [],
  });
});
