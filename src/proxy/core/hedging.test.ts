import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hedged, Hedging, OUTPACED, type HedgedCall } from './hedging.ts';
import { MishardsError, type ErrorCode } from '../../errors/index.ts';
import { createSimulatedHost } from '../../host/simulated/index.ts';

function measured(percentMax: number, count: number): Hedging {
  const hedging = new Hedging({ percentMax, delayMinMs: 10 });
  for (let index = 0; index < count; index++) hedging.record(index % 100);
  return hedging;
}

test('the wait is twice what all but the slowest twentieth took, and never below the least', () => {
  assert.equal(measured(5, 30).delayMs(), null, 'too few measurements');
  const delayMs = measured(5, 256).delayMs();
  assert.ok(delayMs !== null && delayMs >= 180 && delayMs < 200, String(delayMs));
  const quick = new Hedging({ percentMax: 5, delayMinMs: 10 });
  for (let index = 0; index < 64; index++) quick.record(1);
  assert.equal(quick.delayMs(), 10);
  assert.equal(measured(0, 256).delayMs(), null, 'switched off');
});

test('second sub-requests stay within their part of the first ones', () => {
  const hedging = measured(5, 1_000);
  let spent = 0;
  while (hedging.spend()) spent++;
  assert.ok(spent > 0 && spent <= 16, `${spent} were saved`);
  for (let index = 0; index < 400; index++) {
    hedging.record(1);
    if (hedging.spend()) spent++;
  }
  assert.ok(spent <= 16 + 20, `${spent} of 400`);
});

interface Side {
  readonly answer: PromiseWithResolvers<string>;
  signal: AbortSignal | null;
}

class Race {
  readonly host = createSimulatedHost();
  readonly whole = new AbortController();
  readonly primary: Side = { answer: Promise.withResolvers(), signal: null };
  readonly backup: Side = { answer: Promise.withResolvers(), signal: null };

  run(mayHedge = true): Promise<string> {
    const side = (of: Side): HedgedCall<string>['primary'] => {
      return (signal) => {
        of.signal = signal;
        return of.answer.promise;
      };
    };
    return hedged({
      timers: this.host.timers,
      signal: this.whole.signal,
      delayMs: 100,
      mayHedge: () => mayHedge,
      primary: side(this.primary),
      backup: side(this.backup),
    });
  }
}

const failure = (code: ErrorCode): MishardsError => new MishardsError(code, 'scripted');

test('an answer in time is all that is sent', async () => {
  const race = new Race();
  const answer = race.run();
  await race.host.timers.advance(99);
  race.primary.answer.resolve('primary');
  assert.equal(await answer, 'primary');
  await race.host.timers.advance(1_000);
  assert.equal(race.backup.signal, null);
  assert.equal(race.host.timers.pendingCount, 0);
});

test('the backup is asked after the delay, and the loser is given up', async () => {
  const race = new Race();
  const answer = race.run();
  await race.host.timers.advance(100);
  assert.notEqual(race.backup.signal, null);
  assert.equal(race.primary.signal?.aborted, false);
  race.backup.answer.resolve('backup');
  assert.equal(await answer, 'backup');
  assert.equal(race.primary.signal?.reason, OUTPACED);
});

test('the end of the whole call ends both', async () => {
  const race = new Race();
  const answer = race.run();
  await race.host.timers.advance(100);
  race.whole.abort('given up');
  assert.deepEqual([race.primary.signal?.reason, race.backup.signal?.reason], ['given up', 'given up']);
  race.primary.answer.reject(failure('CANCELLED'));
  await assert.rejects(answer, { code: 'CANCELLED' });
});

test('without budget the primary is waited for', async () => {
  const race = new Race();
  const answer = race.run(false);
  await race.host.timers.advance(1_000);
  assert.equal(race.backup.signal, null);
  race.primary.answer.resolve('primary');
  assert.equal(await answer, 'primary');
});

test('a backup that fails changes nothing', async () => {
  const race = new Race();
  const answer = race.run();
  await race.host.timers.advance(100);
  race.backup.answer.reject(failure('NO_READER'));
  await race.host.timers.advance(1);
  race.primary.answer.resolve('primary');
  assert.equal(await answer, 'primary');
});

test('a node that fails while the backup runs leaves the answer to it; a failure of the request does not', async () => {
  const lost = new Race();
  const answer = lost.run();
  await lost.host.timers.advance(100);
  lost.primary.answer.reject(failure('CONNECTION_LOST'));
  await lost.host.timers.advance(1);
  lost.backup.answer.resolve('backup');
  assert.equal(await answer, 'backup');

  const wrong = new Race();
  const refused = wrong.run();
  await wrong.host.timers.advance(100);
  wrong.primary.answer.reject(failure('FILTER_INVALID'));
  await assert.rejects(refused, { code: 'FILTER_INVALID' });
  assert.equal(wrong.backup.signal?.aborted, true);
});

test('when both fail the primary is told', async () => {
  const race = new Race();
  const answer = race.run();
  await race.host.timers.advance(100);
  race.primary.answer.reject(failure('CONNECTION_LOST'));
  race.backup.answer.reject(failure('NO_READER'));
  await assert.rejects(answer, { code: 'CONNECTION_LOST' });
});
