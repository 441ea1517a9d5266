import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Interleaving } from '../../../test/support/interleaving.ts';
import { testSeed } from '../../../test/support/seed.ts';
import { isErrorWithCode, type ErrorCode } from '../../errors/index.ts';
import { SeededRandom, type Random } from '../../host/index.ts';
import { MemoryDisk, SimulatedClock, fileError, type MemoryFileSystem } from '../../host/simulated/index.ts';
import type { ChannelId, Epoch, Timestamp } from '../../schema/index.ts';
import type { LogAppender, LogEntry, LogRecord } from '../log.ts';
import { createLocalLog, type LocalLog } from './local-log.ts';

const CHANNEL = '1-0' as ChannelId;
const LIMITS = { fileBytesMax: 300, writeBytesMax: 1_000 };

const newDisk = (): MemoryDisk => new MemoryDisk({ clock: new SimulatedClock() });
const record = (text: string): LogRecord => {
  return { type: 1, timestamp: 1n as Timestamp, payload: new TextEncoder().encode(text) };
};
const textOf = ({ payload }: LogEntry): string => new TextDecoder().decode(payload);

async function openLog(files: MemoryFileSystem, limits: object = LIMITS): Promise<LocalLog> {
  return await createLocalLog({ host: { files }, directory: '/log', ...limits });
}

/** Everything from `from` on, or from where the channel was truncated. */
async function readAll(log: LocalLog, from = 1): Promise<LogEntry[]> {
  const entries: LogEntry[] = [];
  for (;;) {
    const read = await log.read(CHANNEL, from + entries.length, 1_000_000);
    if (read.length === 0) return entries;
    read.forEach((entry, index) => assert.equal(entry.sequence, from + entries.length + index));
    entries.push(...read);
  }
}

const rejectsWith = (promise: Promise<unknown>, ...codes: ErrorCode[]): Promise<void> =>
  assert.rejects(promise, (error) => isErrorWithCode(error, ...codes) || assert.fail(String(error)));

test('many appends at once share few syncs', async () => {
  const files = newDisk().mount();
  const log = await openLog(files, {});
  await using appender = await log.openAppender(CHANNEL, 1);
  await appender.append([record('opens the file')]);
  let syncCount = 0;
  files.intercept = (operation) => void (operation === 'sync' && syncCount++);
  await Promise.all(Array.from({ length: 500 }, (_, index) => appender.append([record(String(index))])));
  assert.equal(syncCount, 1);
  const first = appender.append([record('first')]);
  files.intercept = async (operation) => {
    if (operation !== 'append') return;
    files.intercept = (later) => void (later === 'sync' && syncCount++);
    for (let index = 0; index < 100; index++) void appender.append([record(`while writing ${index}`)]);
  };
  await first;
  const last = await appender.append([record('last')]);
  assert.equal(last.last, 603);
  assert.equal(syncCount, 4);
});

test('more waiting bytes than allowed are refused, and the appender goes on', async () => {
  const log = await openLog(newDisk().mount(), { waitingBytesMax: 1_000 });
  await using appender = await log.openAppender(CHANNEL, 1);
  const appends = Array.from({ length: 30 }, () => appender.append([record('x'.repeat(60))]));
  const results = await Promise.allSettled(appends);
  const refused = results.filter(({ status }) => status === 'rejected');
  assert.equal(refused.length, 21);
  await rejectsWith(appends.at(-1)!, 'OVERLOADED');
  assert.deepEqual(await appender.append([record('y')]), { first: 10, last: 10 });
});

test('following the log reads only what is new', async () => {
  const disk = newDisk();
  const log = await openLog(disk.mount(), {});
  const files = disk.mount();
  const follower = await openLog(files, {});
  let bytesRead = 0;
  const readRange = files.readRange.bind(files);
  files.readRange = async (...parameters) => {
    const bytes = await readRange(...parameters);
    bytesRead += bytes.byteLength;
    return bytes;
  };
  await using appender = await log.openAppender(CHANNEL, 1);
  for (let next = 1; next <= 300; next++) {
    await appender.append([record('z'.repeat(1_000))]);
    assert.equal((await follower.read(CHANNEL, next, 1_000_000)).length, 1);
  }
  assert.ok(bytesRead < 300 * 1_200, `${bytesRead} bytes were read for 300 000`);
  bytesRead = 0;
  await follower.read(CHANNEL, 150, 1_000);
  assert.ok(bytesRead < 200_000, `${bytesRead} bytes were read for 1 000 in the middle`);
});

/** A channel of three acknowledged writes and its one file. */
async function threeWrites(): Promise<{ bytes: Uint8Array; path: string; writeEnds: number[] }> {
  const disk = newDisk();
  const files = disk.mount();
  const log = await openLog(files, {});
  await using appender = await log.openAppender(CHANNEL, 1);
  const writeEnds: number[] = [];
  let path = '';
  for (const texts of [['one'], ['two', 'and a half'], ['the third']]) {
    await appender.append(texts.map(record));
    path = `/log/${CHANNEL}/${(await files.list(`/log/${CHANNEL}`)).find((name) => name.endsWith('.log'))}`;
    writeEnds.push((await files.stat(path)).sizeBytes);
  }
  return { bytes: await files.read(path), path, writeEnds };
}

/** The same channel with other bytes in its file, as a process finds it that comes later. */
async function withBytes(path: string, bytes: Uint8Array): Promise<LocalLog> {
  const files = newDisk().mount();
  const log = await openLog(files, {});
  await log.openAppender(CHANNEL, 1);
  await files.write(path, bytes);
  return log;
}

test('a torn end is cut at whatever byte it tore', async () => {
  const { bytes, path, writeEnds } = await threeWrites();
  for (let cut = 0; cut <= bytes.byteLength; cut++) {
    const log = await withBytes(path, bytes.subarray(0, cut));
    const kept = cut < writeEnds[0]! ? 0 : cut < writeEnds[1]! ? undefined : cut < writeEnds[2]! ? 3 : 4;
    const before = (await readAll(log)).map(textOf);
    await using appender = await log.openAppender(CHANNEL, 2);
    if (kept !== undefined) assert.equal(appender.lastSequence, kept, `cut at ${cut}`);
    await appender.append([record('after')]);
    const after = (await readAll(log)).map(textOf);
    assert.deepEqual(after, [...before, 'after'], `cut at ${cut}`);
    assert.deepEqual(before, ['one', 'two', 'and a half', 'the third'].slice(0, before.length));
  }
});

test('an unfinished write with holes is cut as a whole end', async () => {
  const { bytes, path, writeEnds } = await threeWrites();
  const torn = bytes.slice(0, writeEnds[1]);
  torn.fill(0, writeEnds[0], writeEnds[0]! + 40);
  const log = await withBytes(path, torn);
  assert.deepEqual((await readAll(log)).map(textOf), ['one']);
  await using appender = await log.openAppender(CHANNEL, 2);
  assert.equal(appender.lastSequence, 1);
});

test('every flipped bit before the last write is refused, by readers and by openers', async () => {
  const { bytes, path, writeEnds } = await threeWrites();
  for (let index = 0; index < writeEnds[1]!; index++) {
    const damaged = bytes.slice();
    damaged[index]! ^= 1 << (index % 8);
    const log = await withBytes(path, damaged);
    await rejectsWith(readAll(log), 'CORRUPT_DATA');
    await rejectsWith(log.openAppender(CHANNEL, 2), 'CORRUPT_DATA');
    await rejectsWith(log.openAppender(CHANNEL, 2), 'CORRUPT_DATA');
  }
});

test('every flipped bit and every lost byte of an ended epoch is refused', async () => {
  const disk = newDisk();
  const files = disk.mount();
  const writer = await openLog(files);
  for (let epoch = 1; epoch <= 2; epoch++) {
    await using appender = await writer.openAppender(CHANNEL, epoch);
    for (let round = 0; round < 6; round++) await appender.append([record(`${epoch}.${round} with a few more words`)]);
  }
  await writer.openAppender(CHANNEL, 3);
  const names = (await files.list(`/log/${CHANNEL}`)).filter((name) => /\.(log|seal)$/.test(name));
  assert.ok(names.length >= 4, names.join());
  for (const name of names) {
    const path = `/log/${CHANNEL}/${name}`;
    const bytes = await files.read(path);
    for (let index = 0; index < bytes.byteLength; index += 3) {
      const damaged = bytes.slice();
      damaged[index]! ^= 1 << (index % 8);
      for (const variant of [damaged, bytes.subarray(0, index)]) {
        await files.write(path, variant);
        await rejectsWith(readAll(await openLog(disk.mount())), 'CORRUPT_DATA');
      }
    }
    await files.write(path, bytes);
  }
  assert.equal((await readAll(writer)).length, 12);
});

test('a missing file is refused', async () => {
  const disk = newDisk();
  const files = disk.mount();
  const log = await openLog(files);
  await using appender = await log.openAppender(CHANNEL, 1);
  for (let round = 0; round < 20; round++) await appender.append([record(`${round} with a few more words`)]);
  const names = (await files.list(`/log/${CHANNEL}`)).filter((name) => name.endsWith('.log'));
  await files.remove(`/log/${CHANNEL}/${names[1]}`);
  await rejectsWith(readAll(await openLog(disk.mount())), 'CORRUPT_DATA');
});

/** Counts operations and stops before the one that is `index`-th. */
function stopAt(files: MemoryFileSystem, index: number, stop: () => void | Promise<void>): { readonly count: number } {
  const counter = { count: 0 };
  files.intercept = () => (counter.count++ === index ? stop() : undefined);
  return counter;
}

test('an appender that is paused anywhere, replaced, and goes on later is fenced', async () => {
  let isPaused = true;
  for (let index = 0; isPaused; index++) {
    const disk = newDisk();
    const files = disk.mount();
    const stale = await (await openLog(files)).openAppender(CHANNEL, 1);
    await stale.append([record('a'.repeat(index % 2 === 0 ? 10 : 300))]);
    const pause = Promise.withResolvers<void>();
    const reached = Promise.withResolvers<void>();
    const counter = stopAt(files, index, () => {
      reached.resolve();
      return pause.promise;
    });
    const append = stale.append([record('stale')]).then(
      () => 'acknowledged',
      (error: unknown) => (isErrorWithCode(error, 'FENCED') ? 'fenced' : String(error)),
    );
    await Promise.race([reached.promise, append]);
    isPaused = counter.count > index;
    const other = await openLog(disk.mount());
    const fresh = await other.openAppender(CHANNEL, 2);
    await fresh.append([record('fresh')]);
    const before = (await readAll(other)).map(textOf);
    pause.resolve();
    assert.equal(await append, isPaused ? 'fenced' : 'acknowledged');
    await rejectsWith(stale.append([record('stale again')]), 'FENCED');
    assert.deepEqual((await readAll(other)).map(textOf), before);
    assert.deepEqual((await readAll(await openLog(disk.mount()))).map(textOf), before);
    await fresh.append([record('fresh again')]);
    await using last = await other.openAppender(CHANNEL, 3);
    assert.equal(last.lastSequence, before.length + 1);
  }
});

test('an opener that dies anywhere leaves a log that can be read and opened', async () => {
  let hasDied = true;
  for (let index = 0; hasDied; index++) {
    const disk = newDisk();
    const appender = await (await openLog(disk.mount())).openAppender(CHANNEL, 1);
    for (const text of ['one', 'two', 'three '.repeat(60), 'four']) await appender.append([record(text)]);
    const files = disk.mount();
    const log = await openLog(files);
    const counter = stopAt(files, index, () => files.kill());
    const opened = await log.openAppender(CHANNEL, 2).then(
      () => true,
      () => false,
    );
    hasDied = counter.count > index;
    // The last step is to remove the marker of a failed opening, so a death there was no death for the opener.
    assert.equal(opened, !hasDied);
    const reader = await openLog(disk.mount());
    assert.equal((await readAll(reader)).length, 4);
    await appender.append([record('five')]).catch(() => undefined);
    const stored = (await readAll(reader)).length;
    await using next = await reader.openAppender(CHANNEL, 3);
    assert.equal(next.lastSequence, stored);
    await next.append([record('next')]);
    assert.deepEqual((await readAll(reader)).map(textOf).slice(-1), ['next']);
  }
});

test('a full disk refuses the append and keeps what was acknowledged', async () => {
  for (let room = 0; room < 400; room += 7) {
    const disk = newDisk();
    const log = await openLog(disk.mount());
    const appender = await log.openAppender(CHANNEL, 1);
    await appender.append([record('kept')]);
    disk.capacityBytes = disk.usedBytes() + room;
    const failure = appender.append([record('x'.repeat(400))]);
    await assert.rejects(failure, /the disk is full/);
    await rejectsWith(appender.append([record('y')]), 'STORAGE_UNAVAILABLE');
    assert.deepEqual((await readAll(log)).map(textOf), ['kept']);
    disk.capacityBytes = Number.POSITIVE_INFINITY;
    await using next = await log.openAppender(CHANNEL, 2);
    await next.append([record('after')]);
    assert.deepEqual((await readAll(log)).map(textOf), ['kept', 'after']);
  }
});

test('a failed sync closes the appender, and an opener that failed may try its epoch again', async () => {
  const files = newDisk().mount();
  const log = await openLog(files);
  const appender = await log.openAppender(CHANNEL, 1);
  await appender.append([record('a')]);
  files.intercept = (operation, path) => {
    if (operation === 'sync') throw fileError('EIO', operation, path);
  };
  await rejectsWith(appender.append([record('b')]), 'STORAGE_UNAVAILABLE');
  await rejectsWith(log.openAppender(CHANNEL, 2), 'STORAGE_UNAVAILABLE');
  files.intercept = undefined;
  await rejectsWith(appender.append([record('c')]), 'STORAGE_UNAVAILABLE');
  await using next = await log.openAppender(CHANNEL, 2);
  await next.append([record('d')]);
  assert.deepEqual(
    (await readAll(log)).map(textOf).filter((text) => text !== 'b'),
    ['a', 'd'],
  );
});

/** What clients of a channel have been promised. */
interface Promises {
  readonly attempted: Set<string>;
  readonly acknowledged: Set<string>;
  readonly seen: Map<number, string>;
  truncatedBefore: number;
}

const newPromises = (): Promises => {
  return { attempted: new Set(), acknowledged: new Set(), seen: new Map(), truncatedBefore: 1 };
};

async function appendNoting(appender: LogAppender, promises: Promises, text: string): Promise<void> {
  promises.attempted.add(text);
  await appender.append([record(text)]);
  promises.acknowledged.add(text);
}

function noteSeen(promises: Promises, entries: readonly LogEntry[]): void {
  for (const entry of entries) {
    const text = textOf(entry);
    assert.equal(promises.seen.get(entry.sequence) ?? text, text, `the entry ${entry.sequence} has changed`);
    promises.seen.set(entry.sequence, text);
  }
}

async function checkPromises(log: LocalLog, promises: Promises, epoch: Epoch): Promise<void> {
  await using appender = await log.openAppender(CHANNEL, epoch);
  const stored = await readAll(log, promises.truncatedBefore);
  assert.equal(appender.lastSequence, promises.truncatedBefore + stored.length - 1);
  noteSeen(promises, stored);
  const texts = [...promises.seen.values()];
  assert.equal(new Set(texts).size, texts.length, 'an entry is stored twice');
  assert.deepEqual(texts.filter((text) => !promises.attempted.has(text)), []);
  const lost = [...promises.acknowledged].filter((text) => !texts.includes(text));
  assert.deepEqual(lost, [], 'acknowledged entries are lost');
  const lastSeen = Math.max(0, ...promises.seen.keys());
  assert.ok(lastSeen <= appender.lastSequence, 'an entry that was read is gone');
  await appender.append([record('at the end')]);
}

/** Some of everything, by three processes. */
async function liveThrough(disk: MemoryDisk, promises: Promises): Promise<void> {
  const [first, second, reader] = [disk.mount(), disk.mount(), disk.mount()];
  const logs = [await openLog(first), await openLog(second)];
  const follower = await openLog(reader);
  const follow = async (): Promise<void> => noteSeen(promises, await readAll(follower, promises.truncatedBefore));
  for (let epoch = 1; epoch <= 3; epoch++) {
    const log = logs[epoch % 2]!;
    const appender = await log.openAppender(CHANNEL, epoch);
    await appendNoting(appender, promises, `${epoch} alone`);
    await follow();
    const batch = ['x', 'y', 'z'].map((text) => appendNoting(appender, promises, `${epoch} ${text.repeat(150)}`));
    await Promise.all(batch);
    await follow();
    const before = appender.lastSequence - 1;
    promises.truncatedBefore = before;
    await log.truncate(CHANNEL, before);
    await appendNoting(appender, promises, `${epoch} end`);
  }
}

test(`a power cut at any moment loses nothing acknowledged or read (seed ${testSeed})`, async () => {
  const random = new SeededRandom(testSeed);
  let isOver = false;
  for (let moment = 0; !isOver; moment++) {
    const disk = newDisk();
    const promises = newPromises();
    disk.crashAfter(moment, moment % 3 === 0 ? undefined : random);
    try {
      await liveThrough(disk, promises);
      isOver = disk.generation === 0;
      disk.crash(random);
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error;
    }
    await checkPromises(await openLog(disk.mount()), promises, 100);
  }
});

async function interleave(random: Random): Promise<void> {
  const disk = newDisk();
  const promises = newPromises();
  const interleaving = new Interleaving(random);
  const process = async (): Promise<{ log: LocalLog; files: MemoryFileSystem }> => {
    const files = disk.mount();
    const log = await openLog(files);
    files.intercept = interleaving.intercept;
    return { log, files };
  };
  const write = async (epoch: Epoch): Promise<void> => {
    const { log, files } = await process();
    try {
      const appender = await log.openAppender(CHANNEL, epoch);
      if (epoch === 2) files.intercept = dieLater(files, interleaving, random.below(60));
      for (let round = 0; round < 6; round++) {
        const writes = ['a', 'b'].map((text) => appendNoting(appender, promises, `${epoch}.${round} ${text.repeat(90)}`));
        await Promise.all(writes);
      }
    } catch (error) {
      if (!isErrorWithCode(error, 'FENCED', 'STORAGE_UNAVAILABLE')) throw error;
    }
  };
  const follow = async (): Promise<void> => {
    const { log } = await process();
    for (let [round, next] = [0, 1]; round < 25; round++) {
      const read = await log.read(CHANNEL, next, 1_000);
      noteSeen(promises, read);
      next += read.length;
    }
  };
  await interleaving.run([write(1), write(2), write(3), write(4), follow(), follow()]);
  await checkPromises(await openLog(disk.mount()), promises, 100);
}

function dieLater(files: MemoryFileSystem, interleaving: Interleaving, operations: number): MemoryFileSystem['intercept'] {
  let count = 0;
  return (operation, path) => {
    if (count++ === operations) files.kill();
    return interleaving.intercept(operation, path);
  };
}

test(`racing writers and readers agree on one history (seed ${testSeed})`, async () => {
  const random = new SeededRandom(testSeed);
  for (let run = 0; run < 60; run++) await interleave(random.fork(String(run)));
});
