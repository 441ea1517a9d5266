import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSimulatedHost } from './simulated-host.ts';

test('timers fire in the order they fall due, at their time', async () => {
  const { clock, timers } = createSimulatedHost();
  const startMs = clock.nowMs();
  const fired: string[] = [];
  const note = (name: string) => () => void fired.push(`${name}@${clock.nowMs() - startMs}`);
  timers.after(30, note('late'));
  timers.after(10, note('first'));
  timers.after(10, note('second'));
  using every = timers.every(8, note('every'));
  timers.after(20, () => every[Symbol.dispose]());
  timers.after(15, note('cancelled'))[Symbol.dispose]();
  await timers.advance(100);
  assert.deepEqual(fired, ['every@8', 'first@10', 'second@10', 'every@16', 'late@30']);
  assert.equal(clock.monotonicMs(), 100);
  assert.equal(timers.pendingCount, 0);
});

test('what a callback or a promise sets fires in the same advance', async () => {
  const { clock, timers } = createSimulatedHost();
  const times: number[] = [];
  const loop = async (): Promise<void> => {
    for (let round = 0; round < 3; round++) {
      await timers.sleep(10);
      await Promise.resolve();
      times.push(clock.monotonicMs());
    }
  };
  const done = loop();
  await timers.advance(35);
  await done;
  assert.deepEqual(times, [10, 20, 30]);
});

test('a sleep is given up with the reason of its signal', async () => {
  const { timers } = createSimulatedHost();
  const reason = new Error('enough');
  const controller = new AbortController();
  const sleep = timers.sleep(1_000, controller.signal);
  controller.abort(reason);
  await assert.rejects(sleep, (error) => error === reason);
  await assert.rejects(timers.sleep(1, AbortSignal.abort(reason)), (error) => error === reason);
  assert.equal(timers.pendingCount, 0);
});

test('advancing until a promise settles gives its value, or says that it never does', async () => {
  const { timers } = createSimulatedHost();
  assert.equal(
    await timers.advanceUntil(
      timers.sleep(500).then(() => 'slept'),
      100,
    ),
    'slept',
  );
  await assert.rejects(timers.advanceUntil(new Promise(() => {}), 100, 1_000), /did not settle within 1000/);
});
