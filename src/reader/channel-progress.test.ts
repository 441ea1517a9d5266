import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ChannelProgress } from './channel-progress.ts';
import { MishardsError } from '../errors/index.ts';

const never = new AbortController().signal;

test('waits end when their sequence is reached, in whatever order they were asked', async () => {
  const progress = new ChannelProgress(5);
  await progress.reach(5, never);
  const reached: number[] = [];
  const waits = [9, 6, 8].map((sequence) =>
    progress.reach(sequence, never).then(() => reached.push(sequence)),
  );
  progress.advance(8);
  await Promise.all(waits.slice(1));
  assert.deepEqual(reached.toSorted(), [6, 8]);
  progress.advance(7);
  assert.equal(progress.applied, 8);
  progress.advance(9);
  await Promise.all(waits);
});

test('a wait ends with the reason of its signal', async () => {
  const progress = new ChannelProgress(0);
  const controller = new AbortController();
  const waiting = progress.reach(1, controller.signal);
  controller.abort(new Error('no more time'));
  await assert.rejects(waiting, /no more time/);
  await assert.rejects(progress.reach(1, controller.signal), /no more time/);
});

test('a failure is told to those who wait and to those who come, until the channel goes on', async () => {
  const progress = new ChannelProgress(0);
  const waiting = progress.reach(1, never);
  progress.fail(new MishardsError('CORRUPT_DATA', 'entry 1 is damaged'));
  await assert.rejects(waiting, { code: 'CORRUPT_DATA' });
  await assert.rejects(progress.reach(1, never), { code: 'CORRUPT_DATA' });
  progress.advance(1);
  await progress.reach(1, never);
  const next = progress.reach(2, never);
  progress.advance(2);
  await next;
});

test('the time of completeness never goes back', () => {
  const progress = new ChannelProgress(0);
  progress.markComplete(10);
  progress.markComplete(7);
  assert.equal(progress.completeAtMs, 10);
});
