import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultLevel } from './altered-properties.ts';
import type { CollectionMeta } from '../../catalog/model.ts';

test('the level of a collection is the one it was altered to last', () => {
  const level = (properties: Readonly<Record<string, string>>): string =>
    defaultLevel({ consistencyLevel: 'Bounded', properties } as unknown as CollectionMeta);
  assert.equal(level({}), 'Bounded');
  assert.equal(level({ consistency_level: 'Strong' }), 'Strong');
  // By Milvus's number.
  assert.equal(level({ consistency_level: '3' }), 'Eventually');
  assert.throws(() => level({ consistency_level: '4' }), { code: 'PARAMETER_INVALID' });
});
