import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSimulatedHost } from './simulated/index.ts';
import { Turns } from './turns.ts';

test('a turn is over after its time, and the next begins when others have had theirs', async () => {
  const host = createSimulatedHost();
  const turns = new Turns(host, 5);
  assert.equal(turns.isOver, false);
  await host.timers.advance(4);
  assert.equal(turns.isOver, false);
  await host.timers.advance(1);
  assert.equal(turns.isOver, true);
  let others = 0;
  host.timers.after(0, () => others++);
  const next = turns.next();
  await host.timers.advance(0);
  await next;
  assert.equal(others, 1);
  assert.equal(turns.isOver, false);
});
