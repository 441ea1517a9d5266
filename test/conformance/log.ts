import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isErrorWithCode, type ErrorCode } from '../../src/errors/index.ts';
import { SeededRandom } from '../../src/host/index.ts';
import type { Log, LogAppender, LogEntry, LogRecord } from '../../src/log/log.ts';
import type { ChannelId, Timestamp } from '../../src/schema/index.ts';
import { testSeed } from '../support/seed.ts';

/** One empty place where channels are kept. Disposing closes what was opened and removes the place. */
export interface LogFixture extends AsyncDisposable {
  /** A log on the place: each call is as another process would open it. */
  open(): Promise<Log>;
}

interface Stage {
  readonly log: Log;
  readonly other: Log;
}

type It = (title: string, run: (stage: Stage) => Promise<void>) => void;

const CHANNEL = '7-0' as ChannelId;
const EVERYTHING = Number.MAX_SAFE_INTEGER;

function record(text: string, type = 1): LogRecord {
  return { type, timestamp: BigInt(text.length) as Timestamp, payload: new TextEncoder().encode(text) };
}

function textOf({ payload }: LogEntry): string {
  return new TextDecoder().decode(payload);
}

async function readAll(log: Log, from = 1, bytesMax = EVERYTHING, channel = CHANNEL): Promise<LogEntry[]> {
  const entries: LogEntry[] = [];
  for (;;) {
    const read = await log.read(channel, from + entries.length, bytesMax);
    if (read.length === 0) return entries;
    entries.push(...read);
  }
}

async function textsOf(log: Log, from = 1, bytesMax = EVERYTHING): Promise<string[]> {
  const entries = await readAll(log, from, bytesMax);
  entries.forEach((entry, index) => assert.equal(entry.sequence, from + index));
  return entries.map(textOf);
}

async function rejectsWith(promise: Promise<unknown>, code: ErrorCode): Promise<void> {
  await assert.rejects(promise, (error) => isErrorWithCode(error, code) || assert.fail(String(error)));
}

/** Of an appender whose epoch has ended. Gives whether it is certain that the append is not in the log. */
async function refusedAsStale(append: Promise<unknown>): Promise<boolean> {
  const error: unknown = await append.then(
    () => assert.fail('a stale append was acknowledged'),
    (reason: unknown) => reason,
  );
  if (isErrorWithCode(error, 'FENCED')) return true;
  assert.ok(isErrorWithCode(error, 'CONNECTION_LOST'), String(error));
  assert.ok(isErrorWithCode(error.cause, 'FENCED'), String(error.cause));
  return false;
}

const numbers = (from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, index) => String(from + index));

async function appendAll(appender: LogAppender, texts: readonly string[]): Promise<void> {
  for (const text of texts) await appender.append([record(text)]);
}

/** What every driver of `Log` must do. */
export function testLog(name: string, createFixture: () => Promise<LogFixture>): void {
  const it: It = (title, run) => {
    test(title, async () => {
      await using fixture = await createFixture();
      await run({ log: await fixture.open(), other: await fixture.open() });
    });
  };
  describe(`${name} log`, () => {
    testAppending(it);
    testReading(it);
    testFollowing(it);
    testEpochs(it);
    testTruncation(it);
    testRefusals(it);
  });
}

function testAppending(it: It): void {
  it('keeps records as they are', async ({ log, other }) => {
    const payload = Uint8Array.from({ length: 1000 }, (_, index) => index * 31);
    const records: LogRecord[] = [
      { type: 0, timestamp: 0n as Timestamp, payload: new Uint8Array(0) },
      { type: 255, timestamp: ((1n << 64n) - 1n) as Timestamp, payload },
      { type: 7, timestamp: 123_456_789_012_345n as Timestamp, payload: payload.subarray(3, 10) },
    ];
    await using appender = await log.openAppender(CHANNEL, 3);
    assert.deepEqual([appender.channel, appender.epoch, appender.lastSequence], [CHANNEL, 3, 0]);
    assert.deepEqual(await appender.append(records), { first: 1, last: 3 });
    assert.equal(appender.lastSequence, 3);
    const entries = await readAll(other);
    entries.forEach((entry, index) => {
      const { type, timestamp, payload: expected } = records[index]!;
      assert.deepEqual(
        [entry.type, entry.timestamp, entry.sequence, entry.epoch],
        [type, timestamp, index + 1, 3],
      );
      assert.equal(Buffer.compare(entry.payload, expected), 0);
    });
    assert.equal(entries.length, 3);
  });

  it('keeps its own copy of what it acknowledged', async ({ log }) => {
    const mine = record('hello');
    await using appender = await log.openAppender(CHANNEL, 1);
    await appender.append([mine]);
    mine.payload.fill(0);
    (await log.read(CHANNEL, 1, 100))[0]?.payload.fill(1);
    assert.deepEqual(await textsOf(log), ['hello']);
  });

  it('keeps concurrent appends in order, each whole', async ({ log, other }) => {
    await using appender = await log.openAppender(CHANNEL, 1);
    const appends = Array.from({ length: 200 }, (_, index) =>
      appender.append(Array.from({ length: (index % 3) + 1 }, (_, part) => record(`${index}.${part}`))),
    );
    const results = await Promise.all(appends);
    let expected = 1;
    results.forEach(({ first, last }, index) => {
      assert.deepEqual([first, last], [expected, expected + (index % 3)]);
      expected = last + 1;
    });
    const texts = results.flatMap(({ first, last }, index) =>
      numbers(0, last - first).map((part) => `${index}.${part}`),
    );
    assert.deepEqual(await textsOf(other), texts);
    assert.equal(appender.lastSequence, texts.length);
  });

  it('keeps channels apart', async ({ log, other }) => {
    const second = '7-1' as ChannelId;
    await using appender = await log.openAppender(CHANNEL, 1);
    await using appenderOfSecond = await other.openAppender(second, 1);
    await Promise.all([appender.append([record('a')]), appenderOfSecond.append([record('b')])]);
    assert.deepEqual(await textsOf(other), ['a']);
    assert.deepEqual((await readAll(log, 1, 10, second)).map(textOf), ['b']);
  });

  it('finishes what was appended before it closes, then refuses', async ({ log, other }) => {
    const appender = await log.openAppender(CHANNEL, 1);
    const appends = numbers(1, 20).map((text) => appender.append([record(text)]));
    await appender[Symbol.asyncDispose]();
    await Promise.all(appends);
    await rejectsWith(appender.append([record('late')]), 'STORAGE_UNAVAILABLE');
    assert.deepEqual(await textsOf(other), numbers(1, 20));
    await appender[Symbol.asyncDispose]();
  });
}

function testReading(it: It): void {
  it('is empty where nothing was ever opened or appended', async ({ log, other }) => {
    assert.deepEqual(await log.read(CHANNEL, 1, 100), []);
    assert.deepEqual(await log.read(CHANNEL, 50, 100), []);
    await using _appender = await log.openAppender(CHANNEL, 1);
    assert.deepEqual(await log.read(CHANNEL, 0, 100), []);
    assert.deepEqual(await other.read(CHANNEL, 1, 100), []);
  });

  it('reads from anywhere, in pieces of any size', async ({ log, other }) => {
    const texts = numbers(1, 60).map((text) => text.repeat(1 + (Number(text) % 40)));
    await using appender = await log.openAppender(CHANNEL, 1);
    await appendAll(appender, texts);
    for (const reader of [log, other]) {
      for (const bytesMax of [1, 30, 200, EVERYTHING]) {
        for (const from of [1, 2, 31, 59, 60, 61, 500]) {
          assert.deepEqual(await textsOf(reader, from, bytesMax), texts.slice(from - 1));
        }
      }
    }
    assert.equal((await other.read(CHANNEL, 10, 1)).length, 1);
    const piece = await other.read(CHANNEL, 1, 500);
    const pieceBytes = piece.reduce((sum, { payload }) => sum + payload.byteLength, 0);
    assert.ok(piece.length > 1 && pieceBytes < 1_000, `${piece.length} entries of ${pieceBytes} bytes`);
  });

  it('reads entries far larger than the limit', async ({ log, other }) => {
    const large = 'x'.repeat(300_000);
    await using appender = await log.openAppender(CHANNEL, 1);
    await appender.append([record('a'), record(large), record('b')]);
    assert.deepEqual(await textsOf(other, 1, 10), ['a', large, 'b']);
    assert.deepEqual(await textsOf(other, 2, 10), [large, 'b']);
  });

  it(`gives the same whatever the way of reading (seed ${testSeed})`, async ({ log, other }) => {
    const random = new SeededRandom(testSeed);
    await using appender = await log.openAppender(CHANNEL, 1);
    const texts: string[] = [];
    for (let round = 0; round < 40; round++) {
      const batch = Array.from({ length: 1 + random.below(20) }, () => 'y'.repeat(random.below(3_000)));
      await appender.append(batch.map((text) => record(text)));
      texts.push(...batch);
      const from = 1 + random.below(texts.length);
      const read = await other.read(CHANNEL, from, 1 + random.below(100_000));
      assert.ok(read.length > 0);
      read.forEach((entry, index) => {
        assert.equal(entry.sequence, from + index);
        assert.equal(textOf(entry), texts[from - 1 + index]);
      });
    }
    assert.deepEqual(await textsOf(other, 1, 10_000), texts);
  });
}

function testFollowing(it: It): void {
  it('shows every acknowledged append at once', async ({ log, other }) => {
    await using appender = await log.openAppender(CHANNEL, 1);
    for (let next = 1; next <= 50; next++) {
      await appender.append([record(String(next))]);
      assert.deepEqual((await other.read(CHANNEL, next, 100)).map(textOf), [String(next)]);
      assert.deepEqual(await other.read(CHANNEL, next + 1, 100), []);
    }
  });

  it('is read while it is appended to', async ({ log, other }) => {
    await using appender = await log.openAppender(CHANNEL, 1);
    const seen: string[] = [];
    const following = async (): Promise<void> => {
      while (seen.length < 300) seen.push(...(await other.read(CHANNEL, seen.length + 1, 500)).map(textOf));
    };
    const appending = async (): Promise<void> => {
      for (let round = 0; round < 30; round++) {
        await Promise.all(
          numbers(round * 10 + 1, round * 10 + 10).map((text) => appender.append([record(text)])),
        );
      }
    };
    await Promise.all([following(), appending()]);
    assert.deepEqual(seen, numbers(1, 300));
  });

  it('is followed across changes of the appender', async ({ log, other }) => {
    const seen: LogEntry[] = [];
    for (let epoch = 1; epoch <= 6; epoch++) {
      await using appender = await (epoch % 2 === 0 ? log : other).openAppender(CHANNEL, epoch * 10);
      assert.equal(appender.lastSequence, (epoch - 1) * 5);
      for (let round = 0; round < 5; round++) {
        await appender.append([record(`${epoch}.${round}`)]);
        seen.push(...(await other.read(CHANNEL, seen.length + 1, 100)));
      }
    }
    assert.deepEqual(
      seen.map(({ epoch }) => epoch),
      [1, 2, 3, 4, 5, 6].flatMap((epoch) => Array.from({ length: 5 }, () => epoch * 10)),
    );
    assert.deepEqual(await textsOf(log), seen.map(textOf));
  });
}

function testEpochs(it: It): void {
  it('refuses epochs that are not higher', async ({ log, other }) => {
    await using _appender = await log.openAppender(CHANNEL, 5);
    for (const epoch of [5, 4, 0]) await rejectsWith(other.openAppender(CHANNEL, epoch), 'FENCED');
    await using _next = await other.openAppender(CHANNEL, 6);
    for (const epoch of [6, 5, 0]) await rejectsWith(log.openAppender(CHANNEL, epoch), 'FENCED');
  });

  it('fences the older appender, for good', async ({ log, other }) => {
    await using older = await log.openAppender(CHANNEL, 1);
    await older.append([record('old')]);
    await using newer = await other.openAppender(CHANNEL, 2);
    await refusedAsStale(older.append([record('stale')]));
    await rejectsWith(older.append([record('stale too')]), 'FENCED');
    assert.equal(older.lastSequence, 1);
    assert.deepEqual(await newer.append([record('new')]), { first: 2, last: 2 });
    await rejectsWith(older.append([record('still stale')]), 'FENCED');
    assert.deepEqual(await textsOf(log), ['old', 'new']);
    assert.deepEqual(await textsOf(other), ['old', 'new']);
  });

  it('fences an appender that never appended', async ({ log, other }) => {
    await using older = await log.openAppender(CHANNEL, 1);
    await using newer = await other.openAppender(CHANNEL, 2);
    await rejectsWith(older.append([record('stale')]), 'FENCED');
    await newer.append([record('new')]);
    await using _third = await log.openAppender(CHANNEL, 3);
    assert.deepEqual(await textsOf(other), ['new']);
  });

  it('acknowledges only what stays, when appenders race', async ({ log, other }) => {
    const acknowledged: string[] = [];
    const certainlyNot: string[] = [];
    const work = async (appender: LogAppender): Promise<void> => {
      for (let round = 0; ; round++) {
        const text = `${appender.epoch}.${round}`;
        try {
          await appender.append([record(text)]);
        } catch (error) {
          if (await refusedAsStale(Promise.reject(error))) certainlyNot.push(text);
          return;
        }
        acknowledged.push(text);
      }
    };
    const running: Promise<void>[] = [];
    for (let epoch = 1; epoch <= 8; epoch++) {
      const appender = await (epoch % 2 === 0 ? log : other).openAppender(CHANNEL, epoch);
      await appender.append([record(`${epoch}.start`)]);
      acknowledged.push(`${epoch}.start`);
      const working = work(appender);
      running.push(working);
      let hasEnded = false;
      void working.finally(() => (hasEnded = true)).catch(() => undefined);
      while (!acknowledged.includes(`${epoch}.3`) && !hasEnded) await log.read(CHANNEL, 1, 1);
    }
    await using _last = await log.openAppender(CHANNEL, 9);
    await Promise.all(running);
    const stored = await textsOf(other);
    assert.equal(new Set(stored).size, stored.length);
    assert.deepEqual(
      acknowledged.filter((text) => !stored.includes(text)),
      [],
    );
    assert.deepEqual(
      certainlyNot.filter((text) => stored.includes(text)),
      [],
    );
    // An append that was refused may be there all the same, but only the last one of each epoch.
    assert.ok(stored.length <= acknowledged.length + 8);
  });

  it('lets one of several openers of an epoch win', async ({ log, other }) => {
    const openings = Array.from({ length: 6 }, (_, index) =>
      (index % 2 === 0 ? log : other).openAppender(CHANNEL, 1),
    );
    const results = await Promise.allSettled(openings);
    const [winner, ...more] = results.flatMap((result) =>
      result.status === 'fulfilled' ? [result.value] : [],
    );
    assert.equal(more.length, 0);
    await using appender = winner!;
    await appender.append([record('a')]);
    assert.deepEqual(await textsOf(other), ['a']);
  });
}

function testTruncation(it: It): void {
  it('keeps every entry from the given one on', async ({ log, other }) => {
    await using appender = await log.openAppender(CHANNEL, 1);
    await appendAll(appender, numbers(1, 30));
    await other.read(CHANNEL, 1, 100);
    let from = 1;
    for (const before of [0, 1, 11, 5, 31]) {
      await log.truncate(CHANNEL, before);
      from = Math.max(from, before);
      assert.deepEqual(await textsOf(other, from), numbers(from, 30));
      await textsOfWhatIsKept(other);
    }
    await appender.append([record('31')]);
    assert.deepEqual(await textsOf(other, 31), ['31']);
  });

  it('goes on after the last entry when everything before was truncated', async ({ log, other }) => {
    for (let epoch = 1; epoch <= 5; epoch++) {
      await using appender = await log.openAppender(CHANNEL, epoch);
      assert.equal(appender.lastSequence, (epoch - 1) * 3);
      await appendAll(appender, ['a', 'b', 'c']);
      await other.truncate(CHANNEL, epoch * 3 + 1);
      await other.truncate(CHANNEL, epoch * 3 + 100);
    }
    await using last = await log.openAppender(CHANNEL, 6);
    assert.deepEqual(await last.append([record('d')]), { first: 16, last: 16 });
    assert.deepEqual(await textsOf(other, 16), ['d']);
    for (const epoch of [1, 5, 6]) await rejectsWith(other.openAppender(CHANNEL, epoch), 'FENCED');
  });

  it('truncates a channel that was never opened', async ({ log }) => {
    await log.truncate(CHANNEL, 10);
    await using appender = await log.openAppender(CHANNEL, 1);
    assert.equal(appender.lastSequence, 0);
  });

  it('drops a channel whole, whose appender is then fenced', async ({ log, other }) => {
    const appender = await log.openAppender(CHANNEL, 1);
    await appendAll(appender, numbers(1, 5));
    await other.read(CHANNEL, 1, 100);
    await other.drop(CHANNEL);
    await other.drop(CHANNEL);
    await refusedAsStale(appender.append([record('late')]));
    await rejectsWith(appender.append([record('later')]), 'FENCED');
    assert.deepEqual(await log.read(CHANNEL, 1, 100), []);
    assert.deepEqual(await other.read(CHANNEL, 3, 100), []);
    await appender[Symbol.asyncDispose]();
  });
}

/** Whatever is still there is right; what is not is refused. */
async function textsOfWhatIsKept(log: Log): Promise<void> {
  for (let from = 1; from <= 30; from++) {
    try {
      assert.deepEqual(await textsOf(log, from), numbers(from, 30));
    } catch (error) {
      assert.ok(isErrorWithCode(error, 'LOG_TRUNCATED'), String(error));
    }
  }
}

function testRefusals(it: It): void {
  it('refuses what makes no sense, and goes on', async ({ log }) => {
    await using appender = await log.openAppender(CHANNEL, 1);
    const good = record('x');
    await rejectsWith(appender.append([]), 'PARAMETER_INVALID');
    for (const type of [-1, 256, 1.5])
      await rejectsWith(appender.append([{ ...good, type }]), 'PARAMETER_INVALID');
    for (const timestamp of [-1n, 1n << 64n]) {
      await rejectsWith(
        appender.append([{ ...good, timestamp: timestamp as Timestamp }]),
        'PARAMETER_INVALID',
      );
    }
    await rejectsWith(log.read(CHANNEL, -1, 10), 'PARAMETER_INVALID');
    await rejectsWith(log.read(CHANNEL, 1, 0), 'PARAMETER_INVALID');
    await rejectsWith(log.openAppender(CHANNEL, -1), 'PARAMETER_INVALID');
    for (const channel of ['', '..', 'a/b', '.x', 'ä'] as ChannelId[]) {
      await rejectsWith(log.read(channel, 1, 10), 'PARAMETER_INVALID');
      await rejectsWith(log.openAppender(channel, 1), 'PARAMETER_INVALID');
      await rejectsWith(log.drop(channel), 'PARAMETER_INVALID');
    }
    await appender.append([good]);
    assert.deepEqual(await textsOf(log), ['x']);
  });

  it('refuses everything once closed', async ({ log }) => {
    await log[Symbol.asyncDispose]();
    await log[Symbol.asyncDispose]();
    await rejectsWith(log.read(CHANNEL, 1, 10), 'STORAGE_UNAVAILABLE');
    await rejectsWith(log.openAppender(CHANNEL, 1), 'STORAGE_UNAVAILABLE');
    await rejectsWith(log.truncate(CHANNEL, 1), 'STORAGE_UNAVAILABLE');
  });
}
