import assert from 'node:assert/strict';
import { test } from 'node:test';
import { abortable } from './abortable.ts';

test('abortable gives what the promise gives', async () => {
  const { signal } = new AbortController();
  assert.equal(await abortable(Promise.resolve(7), signal), 7);
  await assert.rejects(abortable(Promise.reject(new Error('broken')), signal), /broken/);
});

test('abortable gives up with the reason and swallows the late failure', async () => {
  const controller = new AbortController();
  const { promise, reject } = Promise.withResolvers<never>();
  const waiting = abortable(promise, controller.signal);
  controller.abort(new Error('too late'));
  await assert.rejects(waiting, /too late/);
  await assert.rejects(abortable(promise, controller.signal), /too late/);
  reject(new Error('nobody listens'));
  await new Promise((resolve) => setImmediate(resolve));
});
