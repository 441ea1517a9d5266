import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Backoff } from './backoff.ts';

test('the rest doubles with each failure in a row, up to its bound', () => {
  let nowMs = 0;
  const backoff = new Backoff<string>(
    { nowMs: () => 0, monotonicMs: () => nowMs },
    { retryMs: 100, retryMaxMs: 300 },
  );
  const rests: number[] = [];
  for (let failure = 0; failure < 4; failure++) {
    backoff.failed('a');
    const startMs = nowMs;
    while (backoff.isResting('a')) nowMs += 10;
    rests.push(nowMs - startMs);
  }
  assert.deepEqual(rests, [100, 200, 300, 300]);
  backoff.succeeded('a');
  assert.equal(backoff.isResting('a'), false);
});

test('what is never tried again is forgotten, however much fails', () => {
  let nowMs = 0;
  const backoff = new Backoff<number>(
    { nowMs: () => 0, monotonicMs: () => nowMs },
    { retryMs: 1, retryMaxMs: 10 },
  );
  for (let key = 0; key < 10_000; key++) {
    backoff.failed(key);
    nowMs += 10;
  }
  assert.ok(backoff.size < 200, `${backoff.size}`);
});
