import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import { LinkedAbort } from './linked-abort.ts';

test('aborts with the outer signal, before and after it was made, and with its reason', () => {
  const outer = new AbortController();
  using early = new LinkedAbort(outer.signal);
  assert.equal(early.signal.aborted, false);
  outer.abort('over');
  using late = new LinkedAbort(outer.signal);
  assert.deepEqual([early.signal.reason, late.signal.reason], ['over', 'over']);
});

test('aborts alone, and leaves nothing at the outer signal when disposed', () => {
  const outer = new AbortController();
  const linked = new LinkedAbort(outer.signal);
  linked.abort('alone');
  assert.equal(linked.signal.reason, 'alone');
  assert.equal(outer.signal.aborted, false);
  linked[Symbol.dispose]();
  assert.equal(getEventListeners(outer.signal, 'abort').length, 0);
});
