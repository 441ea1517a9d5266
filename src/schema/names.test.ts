import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  checkAliasName,
  checkCollectionName,
  checkDatabaseName,
  checkFieldName,
  checkIndexName,
  checkPartitionName,
} from './names.ts';

const PLAIN = { checkCollectionName, checkAliasName, checkFieldName, checkDatabaseName };

test('names are letters, digits and underscores, no digit first, at most 255 bytes', () => {
  for (const check of Object.values(PLAIN)) {
    for (const name of ['a', '_', '_1', 'Ab9_', 'x'.repeat(255)]) check(name);
    assert.throws(() => check(''), /should not be empty/);
    assert.throws(() => check('1a'), /the first character of a .* must be an underscore or letter/);
    assert.throws(() => check('a-b'), /can only contain numbers, letters and underscores/);
    assert.throws(() => check('naïve'), /can only contain/);
    assert.throws(() => check('x'.repeat(256)), /must be less than 255 characters/);
  }
});

test('each kind of name fails with its own code', () => {
  assert.throws(() => checkDatabaseName('1'), { code: 'DATABASE_INVALID_NAME' });
  assert.throws(() => checkFieldName('1'), {
    code: 'FIELD_INVALID_NAME',
    message: /^invalid field name: 1, the first character/,
  });
  assert.throws(() => checkCollectionName('1'), {
    code: 'PARAMETER_INVALID',
    message: /^invalid collection name: 1, /,
  });
});

test('fields cannot be called like words of the filter language', () => {
  for (const name of ['and', 'OR', 'exists', 'json_contains', 'ARRAY_LENGTH', 'true']) {
    assert.throws(() => checkFieldName(name), /is a keyword of the filter language/);
  }
});

test('partitions may begin with digits and contain hyphens, indexes may have no name', () => {
  checkPartitionName('2024-01');
  assert.throws(() => checkPartitionName('-a'), /first character of a partition name/);
  assert.throws(() => checkPartitionName(''), /should not be empty/);
  checkIndexName('');
  assert.throws(() => checkIndexName('1'), /index name/);
});
