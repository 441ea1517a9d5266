import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readerOptions } from './reader-role.ts';
import { writerOptions } from './writer-role.ts';
import { resolveConfig } from '../config/index.ts';
import { DEFAULT_READER_OPTIONS } from '../reader/reader-options.ts';
import { DEFAULT_WRITER_OPTIONS } from '../writer/writer-options.ts';

const { config } = resolveConfig({ file: null, environment: {}, flags: [] });

test('the defaults of the configuration are those of the roles', () => {
  assert.deepEqual(readerOptions(config), DEFAULT_READER_OPTIONS);
  assert.deepEqual(writerOptions(config), DEFAULT_WRITER_OPTIONS);
});
