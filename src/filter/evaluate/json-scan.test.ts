import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rowsPassing, testRows } from '../../../test/support/filter/filtered-rows.ts';
import { randomFilterRows } from '../../../test/support/filter/random-filters.ts';
import { fieldOf, schemaOf } from '../../../test/support/random-rows.ts';
import { testSeed } from '../../../test/support/seed.ts';
import { SeededRandom, type Random } from '../../host/random.ts';
import { findJson, jsonKindAt, jsonNumberAt, jsonStringAt, MISSING } from './json-scan.ts';

const schema = schemaOf([fieldOf({ id: 100, name: 'doc', type: 'JSON' })]);
const FILTERS = [
  'doc["k"] == 1',
  'doc["k"] > "a"',
  'doc["k"][1]["0"] in [1, "a", true]',
  'exists doc["é\\""]["k"]',
  'json_contains_all(doc["list"], [1, "a", [2]])',
  'array_length(doc["list"]) == 1',
  'doc["list"] == [1, [2]]',
  'doc["k"] like "%a%"',
  'doc["0"] + 1 > 2 or doc["k"] % 2 == 1',
];

function mutated(random: Random, text: string): string {
  const bytes = Buffer.from(text);
  for (let change = 1 + random.below(3); change > 0 && bytes.length > 0; change--) {
    bytes[random.below(bytes.length)] =
      random.below(2) === 0 ? random.below(256) : '{}[]",:\\-e.0n'.charCodeAt(random.below(13));
  }
  return bytes
    .subarray(0, random.below(2) === 0 ? bytes.length : random.below(bytes.length + 1))
    .toString('latin1');
}

test(`broken JSON is missing, never a crash (seed ${testSeed})`, () => {
  const random = new SeededRandom(testSeed);
  const rows = randomFilterRows(random, schema, 500).map(({ doc }) => ({
    doc: mutated(random, doc as string),
  }));
  const broken = testRows(schema, rows);
  for (const filter of FILTERS) assert.doesNotThrow(() => rowsPassing(broken, filter), filter);
});

test('texts that end in the middle of a value', () => {
  const texts = [
    '',
    ' ',
    '{',
    '{"k"',
    '{"k":',
    '{"k": ',
    '{"k":"',
    '{"k":"a\\',
    '{"k":[',
    '{"k":[1',
    '{"k":[1,',
    '{"k":-',
    '{"k":tru',
    '{"k":1,',
  ];
  const broken = testRows(
    schema,
    texts.map((doc) => ({ doc })),
  );
  for (const filter of FILTERS) assert.doesNotThrow(() => rowsPassing(broken, filter), filter);
  assert.deepEqual(
    rowsPassing(broken, 'doc["other"] is null'),
    texts.map((_, row) => row),
  );
});

test('nesting of any depth costs no stack', () => {
  const deep = `{"a":${'['.repeat(200_000)}${']'.repeat(200_000)},"k":1}`;
  const rows = testRows(schema, [{ doc: deep }]);
  assert.deepEqual(rowsPassing(rows, 'doc["k"] == 1'), [0]);
  assert.deepEqual(rowsPassing(rows, 'array_length(doc["a"]) == 1'), [0]);
});

test('a text is read between its bounds only', () => {
  const bytes = Buffer.from('{"k":12}345');
  const path = [{ key: Buffer.from('k'), index: -1 }];
  const at = findJson(bytes, 0, 7, path);
  assert.equal(jsonNumberAt(bytes, at, 7), 12);
  assert.equal(jsonNumberAt(bytes, at, 6), 1);
  assert.equal(findJson(bytes, 0, 5, path), MISSING);
  assert.equal(findJson(bytes, 1, 8, path), MISSING);
});

test('numbers in every form', () => {
  const forms: readonly [string, bigint | number][] = [
    ['0', 0],
    ['-0', -0],
    ['7', 7],
    ['-12', -12],
    ['999999999999999', 999999999999999],
    ['9007199254740993', 9007199254740993n],
    ['-9223372036854775808', -9223372036854775808n],
    ['18446744073709551616', 18446744073709551616n],
    ['1.5', 1.5],
    ['1.0', 1],
    ['1e3', 1000],
    ['-2.5E-3', -0.0025],
    ['9007199254740993.0', 9007199254740992n],
    ['1e400', Infinity],
    [`1${'0'.repeat(50)}`, BigInt(1e50)],
  ];
  for (const [text, value] of forms) {
    for (const tail of ['', ' ', ',', ']', '}']) {
      const bytes = Buffer.from(text + tail);
      assert.equal(jsonKindAt(bytes, 0), 'number');
      assert.ok(Object.is(jsonNumberAt(bytes, 0, bytes.length), value), `${text}${tail}`);
    }
  }
});

test('strings in every form', () => {
  const forms: Readonly<Record<string, string>> = {
    '"abc"': 'abc',
    '""': '',
    '"é😀"': 'é😀',
    '"\\u00e9\\ud83d\\ude00\\n\\/"': 'é😀\n/',
    '"a\\"b"': 'a"b',
    '"\\\\"': '\\',
  };
  for (const [text, value] of Object.entries(forms)) {
    const bytes = Buffer.from(`${text},"x"`);
    const found = jsonStringAt(bytes, 0, bytes.length)!;
    assert.equal(Buffer.from(found.bytes.subarray(found.start, found.end)).toString(), value, text);
  }
  assert.equal(jsonStringAt(Buffer.from('"\\x"'), 0, 4), null);
  assert.equal(jsonStringAt(Buffer.from('"abc'), 0, 4), null);
});
