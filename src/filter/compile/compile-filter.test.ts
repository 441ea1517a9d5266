import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fieldOf, schemaOf } from '../../../test/support/random-rows.ts';
import { isErrorWithCode } from '../../errors/index.ts';
import type { FilterPlan } from '../plan.ts';
import { parseFilter } from '../syntax/parse-filter.ts';
import { compileFilter } from './compile-filter.ts';
import { templateToJson, type TemplateValues } from './template-values.ts';

const fields = [
  fieldOf({ id: 100, name: 'id', type: 'Int64', isPrimaryKey: true }),
  fieldOf({ id: 101, name: 'age', type: 'Int8' }),
  fieldOf({ id: 102, name: 'price', type: 'Double' }),
  fieldOf({ id: 103, name: 'ratio', type: 'Float' }),
  fieldOf({ id: 104, name: 'name', type: 'VarChar', maxLength: 64 }),
  fieldOf({ id: 105, name: 'active', type: 'Bool' }),
  fieldOf({ id: 106, name: 'meta', type: 'JSON' }),
  fieldOf({ id: 107, name: 'tags', type: 'Array', elementType: 'VarChar', maxLength: 8, maxCapacity: 8 }),
  fieldOf({ id: 108, name: 'vector', type: 'FloatVector', dim: 4 }),
];
const plain = schemaOf(fields);
const dynamic = schemaOf([...fields, fieldOf({ id: 109, name: '$meta', type: 'JSON', isDynamic: true })]);

function compiled(text: string, values: TemplateValues = {}, schema = dynamic): FilterPlan {
  return compileFilter(parseFilter(text), schema, values);
}

function expectError(text: string, message: string, values: TemplateValues = {}, schema = dynamic): void {
  assert.throws(
    () => compiled(text, values, schema),
    (error) => {
      assert.ok(isErrorWithCode(error, 'FILTER_INVALID'), String(error));
      assert.equal(error.message, message);
      return true;
    },
    text,
  );
}

test('types that do not go together are named with their fields', () => {
  const cases: Readonly<Record<string, string>> = {
    'age == "x"': `filter at character 5: 'age' (Int8) cannot be compared (==) with '"x"' (string)`,
    'name > 1': `filter at character 6: 'name' (VarChar) cannot be compared (>) with '1' (int)`,
    '1 < name': `filter at character 3: 'name' (VarChar) cannot be compared (>) with '1' (int)`,
    'active == 1': `filter at character 8: 'active' (Bool) cannot be compared (==) with '1' (int)`,
    'active > false': `filter at character 8: 'active' (Bool) cannot be compared (>) with 'false' (bool)`,
    'name == age': `filter at character 6: 'name' (VarChar) cannot be compared (==) with 'age' (Int8)`,
    'meta["a"] == age': `filter at character 11: 'meta["a"]' (JSON) cannot be compared (==) with 'age' (Int8)`,
    'meta["a"] > true': `filter at character 11: 'meta["a"]' (JSON) cannot be compared (>) with 'true' (bool)`,
    'tags == "x"': `filter at character 6: 'tags' (Array of VarChar) cannot be compared (==) with '"x"' (string)`,
    'tags == [1]': `filter at character 6: 'tags' (Array of VarChar) cannot be compared (==) with '[1]' (array)`,
    'tags > ["a"]': `filter at character 6: 'tags' (Array of VarChar) cannot be compared (>) with '["a"]' (array)`,
    'vector == 1': `filter at character 8: 'vector' (FloatVector) cannot be compared (==) with '1' (int)`,
    '(age > 1) == true': `filter at character 11: 'age > 1' (a condition) cannot be compared (==) with 'true' (bool)`,
    '1 == "a"': `filter at character 3: '==' does not compare int with string`,
    '[1] == [1]': `filter at character 5: '==' does not compare array with array`,
    'age in [1, 2.5]': `filter at character 5: 'age' (Int8) is looked up among int values, but the one at index 1 is float`,
    'name in ["a", 1]': `filter at character 6: 'name' (VarChar) is looked up among string values, but the one at index 1 is int`,
    'price in [true]': `filter at character 7: 'price' (Double) is looked up among float or int values, but the one at index 0 is bool`,
    'age in 5': `filter at character 5: 'in' takes a list of constants, not '5'`,
    'age in [id]': `filter at character 9: a list holds constants only, not 'id' (Int64)`,
    '1 in [1]': `filter at character 3: 'in' looks up a field or a key of a JSON field, not '1' (int)`,
    'tags in ["a"]': `filter at character 6: 'in' looks up a field or a key of a JSON field, not 'tags' (Array of VarChar)`,
    'meta["a"] in [[1]]': `filter at character 11: 'in' takes a list of scalars; compare arrays with '=='`,
    'age like "a%"': `filter at character 5: 'like' takes a VarChar or JSON field, not 'age' (Int8)`,
    'name like name': `filter at character 6: 'like' takes a constant string as pattern, not 'name' (VarChar)`,
    'age + name == 1': `filter at character 5: 'age' (Int8) cannot be calculated with 'name' (VarChar)`,
    'active + 1 == 1': `filter at character 8: 'active' (Bool) cannot be calculated with '1' (int)`,
    'meta["a"] + age == 1': `filter at character 11: 'meta["a"]' (JSON) cannot be calculated with 'age' (Int8)`,
    'price % 2 == 1': `filter at character 7: '%' takes integers, not 'price' (Double)`,
    'age % 2.5 == 1': `filter at character 5: '%' takes integers, not '2.5' (float)`,
    '(age & price) == 1': `filter at character 6: '&' takes integers, not 'price' (Double)`,
    'age & 1 == 1': `filter at character 5: 'age' (Int8) cannot be calculated with '1 == 1' (bool)`,
    'age / 0 == 1': `filter at character 5: '/' by zero`,
    'price / 0.0 == 1': `filter at character 7: '/' by zero`,
    'age == 1 % 0': `filter at character 10: '%' by zero`,
    'age ** 2 == 4': `filter at character 5: '**' takes constants only, not 'age' (Int8) and '2' (int)`,
    '(age << id) == 4': `filter at character 6: '<<' shifts by a constant, not by 'id' (Int64)`,
    '(age << 64) == 4': `filter at character 6: a shift by 64 is not between 0 and 63`,
    'age == 9223372036854775807 + 1': `filter at character 28: 9223372036854775807 + 1 is outside the 64 bits of a signed integer`,
    'age == "a" + "b"': `filter at character 12: '+' takes numbers, not string and string`,
    'age == -"a"': `filter at character 8: '-' takes a number, not string`,
    'age == ~1.5': `filter at character 8: '~' takes an integer, not 1.5`,
    '1e308 * 10 > 1': `filter at character 7: the result of '*' is too large for a 64-bit float`,
    age: `filter at character 1: 'age' (Int8) is not a condition; compare it with something`,
    'meta["a"] and active': `filter at character 1: 'meta["a"]' (JSON) is not a condition; compare it with something`,
    'not 1': `filter at character 5: '1' (int) is not a condition; compare it with something`,
    'true or name': `filter at character 9: 'name' (VarChar) is not a condition; compare it with something`,
    '1 < (age > 2) < 3': `filter at character 3: 'age > 2' (a condition) cannot be compared (>) with '1' (int)`,
    'exists age': `filter at character 1: 'exists' takes a key of a JSON field, not 'age' (Int8)`,
    'exists meta': `filter at character 1: 'exists' takes a key of a JSON field, not 'meta' (JSON)`,
    'tags[0] is null': `filter at character 9: elements of an Array are never null; test the field, or compare array_length`,
    'json_contains(name, "a")': `filter at character 1: json_contains looks into an Array or JSON field, not into 'name' (VarChar)`,
    'array_contains(tags, 1)': `filter at character 1: 'tags' (Array of VarChar) cannot contain the value at index 0, which is int`,
    'array_contains_any(tags, "a")': `filter at character 1: array_contains_any takes a list of constants, not '"a"'`,
    'array_contains(tags, name)': `filter at character 1: array_contains looks for a constant, not for 'name' (VarChar)`,
    'array_length(name) == 1': `filter at character 1: array_length takes an Array or JSON field, not 'name' (VarChar)`,
    'array_length(meta["a"]) == "x"': `filter at character 25: 'array_length(meta["a"])' (JSON arithmetic) cannot be compared (==) with '"x"' (string)`,
    'name["a"] == 1': `filter at character 1: field 'name' is VarChar; only JSON and Array fields take [...]`,
    'tags["a"] == "x"': `filter at character 1: Array field 'tags' takes one index, as in tags[0]`,
    'tags[0][1] == "x"': `filter at character 1: Array field 'tags' takes one index, as in tags[0]`,
    'age == null': `filter at character 8: 'null' is not a value; write 'field is null' or 'field is not null'`,
  };
  for (const [text, message] of Object.entries(cases)) expectError(text, message);
});

test('without a dynamic field every name must be a field', () => {
  const names = fields.map((field) => field.name).join(', ');
  expectError(
    'color == "red"',
    `filter at character 1: field 'color' does not exist; there are ${names}`,
    {},
    plain,
  );
  expectError(
    '$meta["a"] == 1',
    'filter at character 1: the schema has no dynamic field; enable it or name a field',
    {},
    plain,
  );
});

test('parameters are constants of the types they come in', () => {
  const listed = compiled('id in {ids} and name == {name} and price > {price}', {
    ids: [1n, 2, { int: '9007199254740993' }],
    name: 'x',
    price: { float: 2 },
    unused: null,
  });
  assert.equal(listed.predicate.kind, 'and');
  const whole = compiled('id in {ids}', { ids: [1n, 2, { int: '9007199254740993' }] }).predicate;
  assert.ok(whole.kind === 'in' && whole.set.kind === 'int64');
  assert.deepEqual(whole.set.set.values(), [1n, 2n, 9007199254740993n]);
  assert.deepEqual(compiled('{flag}', { flag: true }).predicate, { kind: 'constant', value: true });
  const sent = templateToJson([1n, 2.5, 2, 'x', true, [3n]]);
  assert.deepEqual(sent, [{ int: '1' }, { float: 2.5 }, { float: 2 }, 'x', true, [{ int: '3' }]]);
  assert.doesNotThrow(() =>
    compiled('json_contains_any(meta["a"], {v})', { v: JSON.parse(JSON.stringify(sent)) as unknown }),
  );
});

test('parameters that do not fit are named', () => {
  const cases: readonly [unknown, string][] = [
    [undefined, `parameter 'v' has no value; send one with the filter`],
    [null, `parameter 'v' is neither a boolean, a number, a string nor a list of these`],
    [{ int: 'x' }, `parameter 'v' is neither a boolean, a number, a string nor a list of these`],
    [2n ** 63n, `parameter 'v' is 9223372036854775808, outside the 64 bits of a signed integer`],
    [NaN, `parameter 'v' is NaN, which is not a finite number`],
    ['\ud800', `parameter 'v' has half of a surrogate pair; send well-formed Unicode`],
    [[[[[[[[[[1]]]]]]]]], `parameter 'v' nests deeper than 8 lists`],
  ];
  for (const [v, message] of cases) expectError('age == {v}', `filter at character 8: ${message}`, { v });
  expectError(
    'age == {toString}',
    `filter at character 8: parameter 'toString' has no value; send one with the filter`,
  );
  expectError(
    'age == {v}',
    `filter at character 5: 'age' (Int8) cannot be compared (==) with '{v}' (string)`,
    { v: 'x' },
  );
});

test('constants fold, and mistakes next to them are still found', () => {
  const always: Readonly<Record<string, boolean>> = {
    '1 + 2 * 3 == 7': true,
    '7 / 2 == 3 and -7 / 2 == -3 and -7 % 4 == -3': true,
    '7 / 2.0 == 3.5': true,
    '2 ** 10 == 1024': true,
    '2 ** -1 == 0.5': true,
    '(6 & 3) == 2 and (6 | 1) == 7 and (6 ^ 2) == 4 and ~5 == -6': true,
    '(1 << 63) == -9223372036854775808 and (-8 >> 1) == -4': true,
    '9007199254740993 > 9007199254740992.0': true,
    '"Z" < "a" and "\\uffff" < "😀"': true,
    'true == true and true != false': true,
    'age == 1 or true': true,
    'age == 1 and false': false,
    'not (false or false)': true,
  };
  for (const [text, value] of Object.entries(always)) {
    assert.deepEqual(compiled(text).predicate, { kind: 'constant', value }, text);
  }
  expectError(
    'false and nope == 1',
    `filter at character 11: field 'nope' does not exist; there are ${fields.map(({ name }) => name).join(', ')}`,
    {},
    plain,
  );
});

test('bounds of one column joined by and become one interval', () => {
  const { predicate } = compiled('age > 1 and name like "x%" and age <= 5 and age < 4');
  assert.ok(predicate.kind === 'and');
  assert.deepEqual(
    predicate.operands.map(({ kind }) => kind),
    ['between', 'like'],
  );
  const [interval] = predicate.operands;
  assert.ok(interval?.kind === 'between' && interval.bounds.kind === 'number');
  assert.deepEqual([interval.bounds.low, interval.bounds.high], [2, 3]);
});

test('equalities joined by or become one set, and cheap tests come first', () => {
  const column = compiled('id == 1 or id in [2, 3] or id == 2').predicate;
  assert.ok(column.kind === 'in' && column.set.kind === 'int64');
  assert.deepEqual(column.set.set.values(), [1n, 2n, 3n]);
  const json = compiled('color == "a" or color == "b"').predicate;
  assert.ok(json.kind === 'json' && json.test.kind === 'in');
  assert.deepEqual(json.test.set.strings?.values(), ['a', 'b']);
  assert.equal(compiled('color == "a" or color == 1').predicate.kind, 'or');
  const ordered = compiled('color == "a" and name like "x%" and age > 1').predicate;
  assert.ok(ordered.kind === 'and');
  assert.deepEqual(
    ordered.operands.map(({ kind }) => kind),
    ['between', 'like', 'json'],
  );
});
