import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildParams } from './index-hints.ts';

test('an index is built with its parameters, not with hints on where to keep it', () => {
  assert.deepEqual(buildParams({ params: { M: '8', 'mmap.enabled': 'true', warmup: 'sync' } }), { M: '8' });
});
