import assert from 'node:assert/strict';
import { test } from 'node:test';
import { growthOf } from '../../scripts/soak/growth-rule.ts';

const COUNT = 180;
const judged = (valueAt: (index: number) => number, allowance = 10): boolean | undefined =>
  growthOf({ name: 'x', values: Array.from({ length: COUNT }, (_, index) => valueAt(index)), allowance })
    ?.isUnbounded;

test('a leak is growth, sawteeth and a plateau are not', () => {
  assert.equal(
    judged((index) => 100 + index),
    true,
  );
  assert.equal(
    judged((index) => 100 + 0.5 * index + 30 * (index % 7)),
    true,
    'a leak under sawteeth',
  );
  assert.equal(
    judged((index) => 100 + 80 * (index % 20)),
    false,
  );
  assert.equal(
    judged((index) => Math.min(300, 100 + 2 * index)),
    true,
    'still rising into the last third',
  );
  assert.equal(
    judged((index) => Math.min(200, 100 + 2 * index)),
    false,
    'a plateau from the second third on',
  );
  assert.equal(
    judged((index) => 300 - index),
    false,
  );
});

test('growth within the allowance, or within a quarter, is let pass', () => {
  assert.equal(
    judged((index) => 5 + index / 20, 10),
    false,
  );
  assert.equal(
    judged((index) => 1_000 + index, 10),
    false,
  );
});

test('too few samples say nothing', () => {
  assert.equal(growthOf({ name: 'x', values: [1, 2, 3], allowance: 0 }), null);
});
