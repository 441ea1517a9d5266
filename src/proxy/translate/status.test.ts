import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ErrorCode as LegacyCode } from './generated/milvus.js';
import { legacyCodeOf, statusOf } from './status.ts';
import { ERROR_TABLE, MishardsError, type ErrorCode } from '../../errors/index.ts';

test('every error has a Milvus code and a legacy code that Milvus knows', () => {
  for (const [code, entry] of Object.entries(ERROR_TABLE)) {
    assert.ok(Object.hasOwn(LegacyCode, entry.legacyCode), `${code}: ${entry.legacyCode}`);
    const status = statusOf(new MishardsError(code as ErrorCode, 'why'));
    assert.equal(status.code, entry.milvusCode);
    assert.equal(status.errorCode, legacyCodeOf(entry.legacyCode));
    assert.notEqual(status.code, 0);
    assert.notEqual(status.errorCode, 0);
    assert.equal(status.retriable, entry.retriable);
    assert.match(status.reason!, /why$/);
  }
});

test('the fault of the client is marked as such', () => {
  const flags = (code: ErrorCode): unknown =>
    statusOf(new MishardsError(code, 'x')).extraInfo?.get('is_input_error');
  assert.equal(flags('PARAMETER_INVALID'), 'true');
  assert.equal(flags('NO_WRITER'), undefined);
});

test('what is thrown by mistake is an internal error', () => {
  const status = statusOf(new TypeError('boom'));
  assert.equal(status.code, ERROR_TABLE.INTERNAL.milvusCode);
  assert.equal(status.reason, 'service internal error: boom');
});

test('details for the log stay out of the status', () => {
  const status = statusOf(new MishardsError('NO_READER', 'none', { detail: 'secret' }));
  assert.doesNotMatch(JSON.stringify({ ...status, extraInfo: undefined }), /secret/);
});
