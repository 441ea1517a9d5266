import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RequestScope } from './request-scope.ts';
import { MishardsError } from '../errors/index.ts';
import { createSimulatedHost } from '../host/simulated/index.ts';

test('the signal aborts when the time is up and its timer goes with the scope', async () => {
  const host = createSimulatedHost();
  {
    using scope = new RequestScope(host, { timeoutMs: 100 });
    await host.timers.advance(60);
    assert.equal(scope.signal.aborted, false);
    assert.equal(scope.remainingMs, 40);
    assert.equal(scope.elapsedMs, 60);
    await host.timers.advance(60);
    assert.equal((scope.signal.reason as MishardsError).code, 'DEADLINE_EXCEEDED');
    assert.equal(scope.remainingMs, 0);
  }
  const scope = new RequestScope(host, { timeoutMs: 100 });
  assert.equal(host.timers.pendingCount, 1);
  scope[Symbol.dispose]();
  assert.equal(host.timers.pendingCount, 0);
  assert.equal(scope.signal.aborted, true);
});

test('the caller’s cancellation becomes a typed error, a typed reason stays', () => {
  const host = createSimulatedHost();
  const controller = new AbortController();
  using cancelled = new RequestScope(host, { timeoutMs: 100, signal: controller.signal });
  controller.abort();
  assert.equal((cancelled.signal.reason as MishardsError).code, 'CANCELLED');
  const reason = new MishardsError('CONNECTION_LOST', 'the caller went away');
  using lost = new RequestScope(host, { timeoutMs: 100, signal: AbortSignal.abort(reason) });
  assert.equal(lost.signal.reason, reason);
});

test('a request without time left is over at once', () => {
  using scope = new RequestScope(createSimulatedHost(), { timeoutMs: 0 });
  assert.equal((scope.signal.reason as MishardsError).code, 'DEADLINE_EXCEEDED');
});
