import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scoreRange, scoresToWire } from './scores.ts';

test('distances are shown as such, similarities as they are', () => {
  const scores = Float32Array.of(-0, -1.5, -2);
  assert.deepEqual([...scoresToWire(scores, true, -1)], [0, 1.5, 2]);
  assert.ok(Object.is(scoresToWire(scores, true, -1)[0], 0), 'no negative zero');
  assert.equal(scoresToWire(scores, false, -1), scores);
});

test('scores are rounded to the digits asked for', () => {
  assert.deepEqual([...scoresToWire(Float32Array.of(1.2345, -0.005), false, 2)], [Math.fround(1.23), 0]);
  assert.deepEqual([...scoresToWire(Float32Array.of(-2.6), true, 0)], [3]);
});

test('a range of distances is turned round, a range of similarities is not', () => {
  assert.deepEqual(scoreRange('L2', 5, 1), { scoreAbove: -5, scoreUpTo: -1 });
  assert.deepEqual(scoreRange('L2', 5, null), { scoreAbove: -5, scoreUpTo: null });
  assert.deepEqual(scoreRange('COSINE', 0.2, 0.8), { scoreAbove: 0.2, scoreUpTo: 0.8 });
  assert.deepEqual(scoreRange('IP', null, null), { scoreAbove: null, scoreUpTo: null });
  for (const [metric, radius, filter] of [
    ['L2', 1, 1],
    ['IP', 2, 2],
    ['COSINE', 0.5, 0.4],
  ] as const) {
    assert.throws(() => scoreRange(metric, radius, filter), { code: 'PARAMETER_INVALID' });
  }
});
