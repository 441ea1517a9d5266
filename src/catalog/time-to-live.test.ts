import assert from 'node:assert/strict';
import { test } from 'node:test';
import { oldestLiving, TTL_PROPERTY } from './time-to-live.ts';

const NOW_MS = 1_700_000_000_900;

test('a row lives for the seconds of its collection, counted in whole seconds', () => {
  const oldest = oldestLiving({ properties: { [TTL_PROPERTY]: '60' } }, NOW_MS);
  assert.equal(oldest, BigInt(1_700_000_000_000 - 60_000) << 18n);
  assert.equal(oldestLiving({ properties: { [TTL_PROPERTY]: '60' } }, NOW_MS + 99), oldest);
  assert.ok(oldestLiving({ properties: { [TTL_PROPERTY]: '60' } }, NOW_MS + 100) > oldest);
});

test('without a positive time to live rows live for ever', () => {
  for (const properties of [{}, { [TTL_PROPERTY]: '0' }, { [TTL_PROPERTY]: '-1' }]) {
    assert.equal(oldestLiving({ properties }, NOW_MS), 0n);
  }
});

test('a time to live longer than time itself lets every row live', () => {
  assert.equal(oldestLiving({ properties: { [TTL_PROPERTY]: '3155760000' } }, NOW_MS), 0n);
});
