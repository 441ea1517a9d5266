import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rowsPassing, testRows } from '../../../test/support/filter/filtered-rows.ts';
import { fieldOf, schemaOf } from '../../../test/support/random-rows.ts';

const schema = schemaOf([
  fieldOf({ id: 100, name: 'id', type: 'Int64', isPrimaryKey: true }),
  fieldOf({ id: 101, name: 'age', type: 'Int8', nullable: true }),
  fieldOf({ id: 102, name: 'size', type: 'Int32' }),
  fieldOf({ id: 103, name: 'ratio', type: 'Float' }),
  fieldOf({ id: 104, name: 'price', type: 'Double', nullable: true }),
  fieldOf({ id: 105, name: 'name', type: 'VarChar', maxLength: 64, nullable: true }),
  fieldOf({ id: 106, name: 'active', type: 'Bool', nullable: true }),
  fieldOf({ id: 107, name: 'added', type: 'Int32', nullable: true }),
  fieldOf({ id: 108, name: 'city', type: 'VarChar', maxLength: 64 }),
]);
const MAX = 9223372036854775807n;
const rows = testRows(schema, [
  { id: 1n, age: 10, size: -7, ratio: Math.fround(0.1), price: 1.5, name: 'ann', active: true, city: 'ann' },
  { id: MAX, age: null, size: 100, ratio: 2, price: null, name: null, active: null, city: '' },
  {
    id: -MAX - 1n,
    age: -128,
    size: 2147483647,
    ratio: -2.5,
    price: -0,
    name: 'Zoë 😀',
    active: false,
    city: 'Zoë',
  },
  { id: 9007199254740993n, age: 127, size: 0, ratio: 0, price: NaN, name: '', active: true, city: '100%_\\' },
]);

function expectPassing(cases: Readonly<Record<string, readonly number[]>>): void {
  for (const [text, expected] of Object.entries(cases))
    assert.deepEqual(rowsPassing(rows, text), expected, text);
}

test('blank text and constants', () => {
  expectPassing({
    '': [0, 1, 2, 3],
    ' \n\t': [0, 1, 2, 3],
    true: [0, 1, 2, 3],
    'false or 1 == 1.0': [0, 1, 2, 3],
    '2 > 3': [],
    '"a" < "b" and not (1 > 2)': [0, 1, 2, 3],
    '1 < 2 < 3': [0, 1, 2, 3],
  });
});

test('integers compare exactly, at every width and edge', () => {
  expectPassing({
    'id == 9223372036854775807': [1],
    'id > 9223372036854775806': [1],
    'id == -9223372036854775808': [2],
    'id == 9007199254740993': [3],
    'id == 9007199254740992': [],
    'id >= 1 and id < 9007199254740994': [0, 3],
    'id != 1': [1, 2, 3],
    '1 == id': [0],
    '5 > id': [0, 2],
    'age == 127': [3],
    'age > 127': [],
    'age < 1000': [0, 2, 3],
    'age != 1000': [0, 2, 3],
    'age > -1000': [0, 2, 3],
    'age >= -128': [0, 2, 3],
    'size <= 0': [0, 3],
  });
});

test('integers against floats, by their mathematical values', () => {
  expectPassing({
    'age > 9.5': [0, 3],
    'age >= 10.0': [0, 3],
    'age == 10.5': [],
    'age != 10.5': [0, 2, 3],
    'age < -127.5': [2],
    'age <= -128.0': [2],
    'id > 9.3e18': [],
    'id < 9.3e18': [0, 1, 2, 3],
    'id > -9.3e18': [0, 1, 2, 3],
    'id == 9223372036854775807.0': [],
  });
});

test('floats: 32 bits compare as 32 bits, zeros are one, NaN is unequal to all', () => {
  expectPassing({
    'ratio == 0.1': [0],
    'ratio <= 0.1': [0, 2, 3],
    'ratio < 0.1': [2, 3],
    'ratio > 0.1': [1],
    'ratio == 2': [1],
    'ratio > -2.5': [0, 1, 3],
    'ratio < 1e39': [0, 1, 2, 3],
    'ratio > 1e39': [],
    'price == 0.0': [2],
    'price < 0': [],
    'price > 0': [0],
    'price != 1.5': [2, 3],
    'not (price > 1)': [2, 3],
    'price >= -0.0': [0, 2],
  });
});

test('chained comparisons', () => {
  expectPassing({
    '-128 < age <= 127': [0, 3],
    '127 >= age > -128': [0, 3],
    '20 < age < 10': [],
    '0 <= ratio < 2': [0, 3],
    '"a" < name < "b"': [0],
    '"b" > name >= ""': [0, 2, 3],
    '0 < size + 8 < 2': [0],
    'size < age < 200': [0, 3],
    '1 <= id < 9007199254740994': [0, 3],
  });
});

test('strings compare as UTF-8', () => {
  expectPassing({
    'name == "ann"': [0],
    "name == 'Zoë 😀'": [2],
    'name == "Zo\\u00eb \\ud83d\\ude00"': [2],
    'name == "Zo\\u00eb \\U0001f600"': [2],
    'name != "ann"': [2, 3],
    'name == ""': [3],
    'name > ""': [0, 2],
    'name <= "Zoë 😀"': [2, 3],
    'name < "Zoë 😁"': [2, 3],
    'name > "\\uffff"': [],
    'city == "100%_\\\\"': [3],
    'city == r"100%_\\\\"': [],
    'city > r"100%_\\a"': [0, 2],
  });
});

test('in and not in', () => {
  expectPassing({
    'id in [1, 9007199254740993]': [0, 3],
    'id not in [1, 9007199254740993]': [1, 2],
    'age in [10, 127, 1000]': [0, 3],
    'age in []': [],
    'age not in []': [0, 2, 3],
    'age not in [10]': [2, 3],
    'ratio in [0.1, 2]': [0, 1],
    'price in [1.5, 0]': [0, 2],
    'name in ["ann", ""]': [0, 3],
    'name not in ["ann", ""]': [2],
    'name IN ["Zoë 😀"]': [2],
    'active in [true]': [0, 3],
    'active in [true, false]': [0, 2, 3],
    'size + 7 in [0]': [0],
  });
});

test('in with many values', () => {
  const many = Array.from({ length: 2000 }, (_, index) => index * 3 - 1000);
  assert.deepEqual(rowsPassing(rows, `id in [${[...many, MAX].join(',')}]`), [1]);
  assert.deepEqual(rowsPassing(rows, `size in [${[...many, -7].join(',')}]`), [0]);
  const names = many.map((value) => JSON.stringify(`name ${value}`));
  assert.deepEqual(rowsPassing(rows, `name in [${names.join(',')}, "Zoë 😀"]`), [2]);
});

test('like', () => {
  expectPassing({
    'name like "an%"': [0],
    'name like "%nn"': [0],
    'name like "%n%"': [0],
    'name like "_nn"': [0],
    'name like "a_"': [],
    'name like "%_😀"': [2],
    'name like "Zo_ _"': [2],
    'name like "%"': [0, 2, 3],
    'name like ""': [3],
    'name not like "a%"': [2, 3],
    'name like "a%n%n"': [0],
    'name like "a%a%"': [],
    'city like "100\\%\\_\\\\"': [3],
    'city like "100\\\\%%"': [3],
    "city like '1__%'": [3],
    'city like "%%%"': [0, 1, 2, 3],
    'city like "_%_%_"': [0, 2, 3],
  });
});

test('booleans', () => {
  expectPassing({
    active: [0, 3],
    'not active': [2],
    '!active': [2],
    'active == true': [0, 3],
    'active == False': [2],
    'active != TRUE': [2],
    'active and age > 20': [3],
    'active or age > 20': [0, 3],
  });
});

test('a null makes a comparison unknown, whatever stands before it', () => {
  expectPassing({
    'age > 0': [0, 3],
    'not (age > 0)': [2],
    'not (not (age > 0))': [0, 3],
    'age == age': [0, 2, 3],
    'not (age > 0 and size > 1000)': [0, 1, 2, 3],
    'not (age > 0 and size > 50)': [0, 2, 3],
    'age > 0 or size == 100': [0, 1, 3],
    'not (age > 0 or size == 100)': [2],
    'not (age > 0 and size == 0)': [0, 1, 2],
    'age > 0 or true': [0, 1, 2, 3],
    'age > 0 and false': [],
    'not (age > 0 and false)': [0, 1, 2, 3],
  });
});

test('is null and is not null', () => {
  expectPassing({
    'age is null': [1],
    'age is not null': [0, 2, 3],
    'age IS NULL': [1],
    'age IS NOT NULL': [0, 2, 3],
    'not (age is null)': [0, 2, 3],
    'size is null': [],
    'added is null': [0, 1, 2, 3],
    'added is not null': [],
  });
});

test('a field that came after the rows is null in them', () => {
  expectPassing({
    'added > 0': [],
    'not (added > 0)': [],
    'added in [1] or id == 1': [0],
    'added + 1 == 2': [],
    'added == size': [],
  });
});

test('fields against fields', () => {
  expectPassing({
    'name == city': [0],
    'name != city': [2, 3],
    'name > city': [2],
    'name >= city': [0, 2],
    'name < city': [3],
    'name <= city': [0, 3],
    'age > size': [0, 3],
    'age < size': [2],
    'id >= size': [0, 1, 3],
    'id == id': [0, 1, 2, 3],
    'ratio < price': [0, 2],
    'price == size': [],
    'active == active': [0, 2, 3],
    'id < ratio': [2],
  });
});

test('arithmetic on integers', () => {
  expectPassing({
    'size + 7 == 0': [0],
    '7 + size == 0': [0],
    'size - 1 < 0': [0, 3],
    '100 - size == 0': [1],
    'size * 2 == 4294967294': [2],
    'size / 2 == -3': [0],
    'size / 2 == 50': [1],
    'size % 2 == -1': [0],
    'size % 10 == 0': [1, 3],
    '14 / size == -2': [0],
    'not (14 / size == -2)': [1, 2],
    '1 % size == 1': [0, 1, 2],
    '-size == 7': [0],
    '+size == 100': [1],
    'id + 1 == -9223372036854775808': [1],
    'id * 2 == 18014398509481986': [3],
    'id % 10 == 7': [1],
    'id % 2 == 1': [0, 1, 3],
    'age * 1000000000000 == 127000000000000': [3],
    'age + 1 > 5': [0, 3],
    '(size + 1) * 2 == -12': [0],
    'age + size == 3': [0],
  });
});

test('bits', () => {
  expectPassing({
    '(age & 8) == 8': [0, 3],
    '(age | 1) == 11': [0],
    '(age ^ 2) == 8': [0],
    '~age == -11': [0],
    '(age << 2) == 40': [0],
    '(age >> 1) == 5': [0],
    '((age >> 1) & 1) == 1': [0, 3],
    '(age >> 7) == -1': [2],
    '(id & 9007199254740992) == 9007199254740992': [1, 3],
    '(id >> 62) == 1': [1],
    '(id << 63) == -9223372036854775808': [0, 1, 3],
    '(size & 4294967297) == 1': [2],
    '(id ^ 1) == 0': [0],
    '~id == -2': [0],
    '(1 << 3) + size == 1': [0],
  });
});

test('arithmetic on floats', () => {
  expectPassing({
    'ratio * 2 == 4': [1],
    'ratio + 0.2 == 0.3': [0],
    'ratio / 2 < -1': [2],
    'price * 2 == 3.0': [0],
    'price / 2 == 0.75': [0],
    'size + 0.5 == 0.5': [3],
    '1 / price > 0.5': [0],
    'price + ratio == 1.6': [],
    '2 ** 3 - 8 == ratio': [3],
    'id + 0.5 > 9e18': [1],
  });
});
