import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TimestampOracle, millisecondsOf } from './timestamp-oracle.ts';

/** A wall clock that is set by hand. */
function clockAt(start: number) {
  const clock = { now: start, nowMs: () => clock.now, monotonicMs: () => clock.now };
  return clock;
}

test('timestamps carry the wall clock and increase strictly, also when it stands or goes back', () => {
  const clock = clockAt(1_000);
  const oracle = new TimestampOracle(clock);
  const first = oracle.next();
  assert.equal(millisecondsOf(first), 1_000);
  assert.equal(oracle.next(), first + 1n);
  clock.now = 500;
  assert.equal(oracle.next(), first + 2n);
  clock.now = 2_000;
  assert.equal(oracle.next(), 2_000n << 18n);
});

test('what was observed is passed, however far ahead it lies', () => {
  const oracle = new TimestampOracle(clockAt(1_000));
  oracle.observe(9_000n << 18n);
  oracle.observe(1n);
  assert.equal(oracle.next(), (9_000n << 18n) + 1n);
});

test('a range is consecutive and nothing in it is given again; the counter runs over into the milliseconds', () => {
  const oracle = new TimestampOracle(clockAt(1_000));
  const count = 2 ** 18 + 10;
  const first = oracle.take(count);
  assert.equal(oracle.last, first + BigInt(count) - 1n);
  assert.equal(millisecondsOf(oracle.last), 1_001);
  assert.equal(oracle.next(), first + BigInt(count));
});
