import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkJson } from './field-data-checks.ts';
import { CreateDatabaseRequest } from './generated/milvus.js';
import { byteRowsOfTexts, textRows } from './protobuf/byte-rows.ts';
import { dynamicFieldOf } from './collection-schema.ts';

const MARK = '\uFEFF';

test('a byte order mark is a character of a text like any other', () => {
  const texts = [`${MARK}a`, `${MARK}${'b'.repeat(100)}`, MARK];
  assert.deepEqual(textRows(byteRowsOfTexts(texts)), texts);
  for (const dbName of texts) {
    const sent = CreateDatabaseRequest.encode({ dbName });
    assert.equal(CreateDatabaseRequest.decode(sent).dbName, dbName);
  }
});

test('a byte order mark is no part of JSON, so a value that begins with one is refused', () => {
  const field = { ...dynamicFieldOf(101), name: 'meta', isDynamic: false };
  checkJson(byteRowsOfTexts(['{"a":1}']), field);
  assert.throws(() => checkJson(byteRowsOfTexts([`${MARK}{"a":1}`]), field), {
    code: 'PARAMETER_INVALID',
    message: 'json field meta of row 0 is not valid JSON',
  });
});
