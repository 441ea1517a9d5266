import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WeightedCache } from './weighted-cache.ts';

test('the least recently used entries go when the weights exceed the bound', () => {
  const cache = new WeightedCache<string>(10);
  cache.set('a', 'A', 4);
  cache.set('b', 'B', 4);
  assert.equal(cache.get('a'), 'A');
  cache.set('c', 'C', 4);
  assert.equal(cache.get('b'), undefined);
  assert.equal(cache.get('a'), 'A');
  assert.equal(cache.get('c'), 'C');
  assert.equal(cache.weight, 8);
});

test('a replaced entry counts once, one that is too heavy is not kept', () => {
  const cache = new WeightedCache<string>(10);
  cache.set('a', 'A', 4);
  cache.set('a', 'B', 6);
  assert.equal(cache.weight, 6);
  cache.set('a', 'C', 11);
  assert.equal(cache.get('a'), undefined);
  assert.equal(cache.weight, 0);
  cache.delete('a');
  assert.equal(cache.weight, 0);
});
