import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Admission } from './admission.ts';

test('admission refuses what is above the limit and counts places given back once', () => {
  const admission = new Admission(2);
  const first = admission.enter();
  using _second = admission.enter();
  assert.throws(() => admission.enter(), { code: 'OVERLOADED' });
  first[Symbol.dispose]();
  first[Symbol.dispose]();
  assert.equal(admission.running, 1);
  using _third = admission.enter();
  assert.throws(() => admission.enter(), { code: 'OVERLOADED' });
});

test('a closed admission lets nobody in', () => {
  const admission = new Admission(2);
  admission.close();
  assert.throws(() => admission.enter(), { code: 'SERVICE_NOT_READY' });
});
