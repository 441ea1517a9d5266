import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Backoff } from './backoff.ts';
import { Limiter } from './limiter.ts';
import { createSimulatedHost } from '../host/simulated/index.ts';

test('a limiter runs so many at a time, in order, also after failures', async () => {
  const limiter = new Limiter(2);
  const started: number[] = [];
  const gates = Array.from({ length: 5 }, () => Promise.withResolvers<void>());
  const runs = gates.map((gate, index) =>
    limiter.run(async () => {
      started.push(index);
      await gate.promise;
      return index;
    }),
  );
  assert.deepEqual(started, [0, 1]);
  gates[1]!.reject(new Error('failed'));
  await assert.rejects(runs[1]!, /failed/);
  assert.deepEqual(started, [0, 1, 2]);
  for (const gate of gates) gate.resolve();
  assert.deepEqual(await Promise.all([runs[0], runs[2], runs[3], runs[4]]), [0, 2, 3, 4]);
  assert.deepEqual(started, [0, 1, 2, 3, 4]);
  assert.equal(await limiter.run(async () => 'later'), 'later');
});

test('what failed rests twice as long each time, up to a bound, until it succeeds', () => {
  const { clock } = createSimulatedHost();
  const backoff = new Backoff<string>(clock, { retryMs: 100, retryMaxMs: 300 });
  const restOf = (key: string): number => {
    let rest = 0;
    for (; backoff.isResting(key); rest += 10) clock.skip(10);
    return rest;
  };
  for (const expected of [100, 200, 300, 300]) {
    backoff.failed('a');
    assert.equal(backoff.isResting('b'), false);
    assert.equal(restOf('a'), expected);
  }
  backoff.succeeded('a');
  backoff.failed('a');
  assert.equal(restOf('a'), 100);
});
