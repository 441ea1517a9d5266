import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fieldOf, schemaOf } from '../../test/support/random-rows.ts';
import type { CollectionSchema } from '../schema/index.ts';
import { compileFilter, fieldsOf, parseFilter, partitionKeyValues, primaryKeysOf } from './index.ts';

const dynamic = fieldOf({ id: 109, name: '$meta', type: 'JSON', isDynamic: true });
const numbered = schemaOf([
  fieldOf({ id: 100, name: 'pk', type: 'Int64', isPrimaryKey: true }),
  fieldOf({ id: 101, name: 'tenant', type: 'VarChar', maxLength: 64, isPartitionKey: true }),
  fieldOf({ id: 102, name: 'age', type: 'Int32' }),
  fieldOf({ id: 103, name: 'tags', type: 'Array', elementType: 'Int64', maxCapacity: 4 }),
  dynamic,
]);
const named = schemaOf([
  fieldOf({ id: 100, name: 'pk', type: 'VarChar', maxLength: 64, isPrimaryKey: true }),
  fieldOf({ id: 101, name: 'tenant', type: 'Int64', isPartitionKey: true }),
]);

function plan(text: string, schema: CollectionSchema) {
  return compileFilter(parseFilter(text), schema, { ids: [3n, 4n] });
}

test('primary keys, when the filter is nothing else', () => {
  const cases: Readonly<Record<string, readonly bigint[] | null>> = {
    'pk == 1': [1n],
    '1 == pk': [1n],
    'pk in [3, 1, 3]': [3n, 1n],
    'pk in {ids}': [3n, 4n],
    'pk == 1 or pk in [2]': [1n, 2n],
    '(pk in [5])': [5n],
    'pk in []': [],
    'pk == 1.5': [],
    'pk > 9223372036854775806': [9223372036854775807n],
    '1 <= pk <= 1': [1n],
    'pk == 1 and age == 2': null,
    'pk == 1 or age == 2': null,
    'pk != 1': null,
    'not (pk == 1)': null,
    'pk not in [1]': null,
    'pk > 1': null,
    'pk + 1 == 2': null,
    'pk == pk': null,
    'age == 1': null,
    'tags[0] == 1': null,
    '$meta["pk"] == 1': null,
    '': null,
  };
  for (const [text, keys] of Object.entries(cases)) {
    assert.deepEqual(primaryKeysOf(plan(text, numbered), numbered), keys, text);
  }
  assert.deepEqual(primaryKeysOf(plan('pk in ["b", "a", "é"]', named), named), ['b', 'a', 'é']);
  assert.deepEqual(primaryKeysOf(plan('pk == "\ufeffa"', named), named), ['\ufeffa']);
  assert.equal(primaryKeysOf(plan('pk like "a"', named), named), null);
});

test('partition key values, wherever a part of the filter pins them', () => {
  const tenant = numbered.fields[1]!;
  const cases: Readonly<Record<string, readonly string[] | null>> = {
    'tenant == "a"': ['a'],
    'tenant == "a" and age > 1': ['a'],
    'age > 1 and (pk == 1 and tenant in ["a", "b"])': ['a', 'b'],
    'tenant in ["a", "b"] and tenant in ["b", "c"]': ['b'],
    'tenant == "a" and tenant == "b"': [],
    'tenant == "a" or tenant == "b"': ['a', 'b'],
    '(tenant == "a" and age > 1) or tenant == "b"': ['a', 'b'],
    'tenant == "a" or age > 1': null,
    'not (tenant == "a")': null,
    'tenant != "a"': null,
    'age > 1': null,
    'age > 1 and false': [],
    '': null,
  };
  for (const [text, values] of Object.entries(cases)) {
    assert.deepEqual(partitionKeyValues(plan(text, numbered), tenant), values, text);
  }
  assert.deepEqual(partitionKeyValues(plan('tenant in [2, 1] and pk > "x"', named), named.fields[1]!), [
    2n,
    1n,
  ]);
});

test('fields read', () => {
  const cases: Readonly<Record<string, readonly number[]>> = {
    '': [],
    'pk == 1': [100],
    'color == 1 and exists shape and age is not null': [102, 109],
    'array_length(tags) + age > tags[0] or tenant like "a%"': [101, 102, 103],
    'a + b == 1 or array_length(c) == 2': [109],
    'json_contains(tags, 1) or tags == [1]': [103],
  };
  for (const [text, ids] of Object.entries(cases))
    assert.deepEqual(fieldsOf(plan(text, numbered)), ids, text);
});
