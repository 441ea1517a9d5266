import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rowsPassing, testRows } from '../../../test/support/filter/filtered-rows.ts';
import { fieldOf, schemaOf } from '../../../test/support/random-rows.ts';

const schema = schemaOf([
  fieldOf({ id: 100, name: 'id', type: 'Int64', isPrimaryKey: true }),
  fieldOf({ id: 101, name: 'meta', type: 'JSON', nullable: true }),
  fieldOf({ id: 102, name: 'later', type: 'JSON', nullable: true }),
  fieldOf({ id: 103, name: '$meta', type: 'JSON', isDynamic: true }),
]);
const rows = testRows(schema, [
  {
    id: 1n,
    meta: '{ "a": 1, "b": {"c": [10, {"d": "x"}, null]}, "s": "zo\\u00eb", "t": true, "tags": ["x", 1, 2.0, true, [1, 2]] }',
    $meta: '{"color":"red","price":1.5,"big":9007199254740993,"0":"zero"}',
  },
  {
    id: 2n,
    meta: '{"a":2.5,"b":null,"s":"","t":false,"tags":[],"na\\"me":7}',
    $meta: '{"color":"réd","price":2,"big":9007199254740992,"flags":6}',
  },
  { id: 3n, meta: null, $meta: '{}' },
  {
    id: 4n,
    meta: '{"a":"1","b":[],"tags":"x","big":18446744073709551615,"long":[[],{},[{"k":"]"}],"\\\\"],"e":1e3}',
    $meta: '{"color":null,"price":-3,"big":-9223372036854775808,"flags":3.0}',
  },
]);

function expectPassing(cases: Readonly<Record<string, readonly number[]>>): void {
  for (const [text, expected] of Object.entries(cases))
    assert.deepEqual(rowsPassing(rows, text), expected, text);
}

test('a value of another type makes a comparison unknown, and so does a key that is missing or null', () => {
  expectPassing({
    'meta["a"] == 1': [0],
    'meta["a"] == 1.0': [0],
    'meta["a"] != 1': [1],
    'not (meta["a"] == 1)': [1],
    'meta["a"] > 0': [0, 1],
    'meta["a"] > 1': [1],
    '2 < meta["a"] <= 2.5': [1],
    'meta["a"] == "1"': [3],
    'meta["a"] < "2"': [3],
    '"0" < meta["a"] < "2"': [3],
    'meta["t"] == true': [0],
    'meta["t"] != true': [1],
    'meta["missing"] == 1': [],
    'not (meta["missing"] == 1)': [],
    'meta["b"] == 1': [],
    'meta["s"] == "zoë"': [0],
    'meta["s"] >= ""': [0, 1],
    'meta["e"] == 1000': [3],
  });
});

test('paths go through objects and arrays', () => {
  expectPassing({
    'meta["b"]["c"][0] == 10': [0],
    'meta["b"]["c"][1]["d"] == "x"': [0],
    'meta["b"]["c"][2] == 1': [],
    'meta["b"]["c"][9] == 1': [],
    'meta["a"]["c"] == 1': [],
    'meta["na\\"me"] == 7': [1],
    "meta['na\"me'] == 7": [1],
    'meta["long"][2][0]["k"] == "]"': [3],
    'meta["long"][3] == "\\\\"': [3],
    '$meta[0] == "zero"': [0],
    'meta["tags"]["1"] == 1': [0],
  });
});

test('integers of 64 bits and beyond are exact', () => {
  expectPassing({
    'big == 9007199254740993': [0],
    'big == 9007199254740992': [1],
    'big == 9007199254740992.0': [1],
    'big > 9007199254740992': [0],
    'big == -9223372036854775808': [3],
    'meta["big"] > 9223372036854775807': [3],
    'meta["big"] == 1.8446744073709552e19': [],
    'meta["big"] < 1.8446744073709552e19': [3],
  });
});

test('bare names are keys of the dynamic field', () => {
  expectPassing({
    'color == "red"': [0],
    '$meta["color"] == "red"': [0],
    'color in ["red", "réd", 7]': [0, 1],
    'color not in ["red"]': [1],
    'price in [1.5, 2, "x"]': [0, 1],
    'price in []': [],
    'price not in []': [0, 1, 3],
    'color not in []': [0, 1],
    'color like "r_d"': [0, 1],
    'color not like "re%"': [1],
    'price like "1%"': [],
    'color != "red" or price < 0': [1, 3],
    'color["x"] == 1': [],
  });
});

test('exists and is null', () => {
  expectPassing({
    'exists color': [0, 1],
    'not exists color': [2, 3],
    'EXISTS $meta["price"]': [0, 1, 3],
    'exists meta["b"]': [0, 3],
    'exists meta["b"]["c"]': [0],
    'not exists meta["a"]': [2],
    'meta["b"] is null': [1, 2],
    'meta["b"] is not null': [0, 3],
    'meta is null': [2],
    'meta is not null': [0, 1, 3],
    'color is null': [2, 3],
    'later is null': [0, 1, 2, 3],
    'exists later["x"]': [],
    'later["x"] is null': [0, 1, 2, 3],
    'not (later["x"] == 1)': [],
  });
});

test('json_contains and its kin', () => {
  expectPassing({
    'json_contains(meta["tags"], "x")': [0],
    'not json_contains(meta["tags"], "x")': [1],
    'JSON_CONTAINS(meta["tags"], 2)': [0],
    'Json_Contains(meta["tags"], true)': [0],
    'json_contains(meta["tags"], [1, 2])': [0],
    'json_contains(meta["tags"], [1])': [],
    'json_contains_any(meta["tags"], ["y", 1])': [0],
    'json_contains_any(meta["tags"], [])': [],
    'json_contains_all(meta["tags"], ["x", 1, 2.0])': [0],
    'json_contains_all(meta["tags"], ["x", "y"])': [],
    'json_contains_all(meta["tags"], [])': [0, 1],
    'not json_contains_any(meta["tags"], [7])': [0, 1],
    'array_contains(meta["tags"], 1)': [0],
    'json_contains(meta["b"]["c"], 10)': [0],
  });
});

test('array_length', () => {
  expectPassing({
    'array_length(meta["tags"]) == 5': [0],
    'array_length(meta["tags"]) == 0': [1],
    'not (array_length(meta["tags"]) > 0)': [1],
    'ARRAY_LENGTH(meta["b"]) == 0': [3],
    '3 < array_length(meta["long"]) <= 4': [3],
    'array_length(meta["missing"]) == 0': [],
  });
});

test('whole arrays', () => {
  expectPassing({
    'meta["b"]["c"] == [10]': [],
    'meta["tags"] == ["x", 1, 2, true, [1, 2]]': [0],
    'meta["tags"] != ["x"]': [0, 1],
    'meta["tags"] == []': [1],
  });
});

test('arithmetic keeps integers and floats apart', () => {
  expectPassing({
    'meta["a"] + 1 == 2': [0],
    'meta["a"] + 1 != 2': [1],
    'not (meta["a"] * 2 > 3)': [0],
    'meta["a"] / 2 == 0': [0],
    'meta["a"] / 2 == 1.25': [1],
    '10 - price == 8': [1],
    'price % 2 == 0': [1],
    'price % 2 == -1': [3],
    '(flags & 2) == 2': [1],
    '~flags == -7': [1],
    '(flags >> 1) == 3': [1],
    'big % 10 == 3': [0],
    'big - 1 == 9007199254740992': [0],
    'big - 1 == 9223372036854775807': [3],
    '0 < meta["a"] + 1 < 3': [0],
    'price + meta["a"] == 2.5': [0],
    '1 / (meta["a"] - 1) == 0': [],
  });
});
