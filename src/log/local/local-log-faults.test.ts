import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CHANNEL,
  holdAt,
  newDisk,
  openLog,
  readAll,
  readTexts,
  record,
  rejectsWith,
  textOf,
} from '../../../test/support/local-log.ts';
import { testSeed } from '../../../test/support/seed.ts';
import { isErrorWithCode, type MishardsError } from '../../errors/index.ts';
import { SeededRandom } from '../../host/index.ts';
import { fileError, type MemoryFileSystem } from '../../host/simulated/index.ts';
import { fencingOf } from '../log-rules.ts';
import type { LocalLog } from './local-log.ts';

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

test('an epoch that the disk has no room to seal stays live and readable', async () => {
  const disk = newDisk();
  const log = await openLog(disk.mount(), {});
  await using first = await log.openAppender(CHANNEL, 1);
  await first.append([record('a'), record('b')]);
  disk.capacityBytes = disk.usedBytes() + 100;
  const other = await openLog(disk.mount(), {});
  await rejectsWith(other.openAppender(CHANNEL, 2), 'STORAGE_UNAVAILABLE');
  assert.deepEqual(await readTexts(other), ['a', 'b']);
  disk.capacityBytes = Number.POSITIVE_INFINITY;
  await first.append([record('c')]);
  await using second = await other.openAppender(CHANNEL, 2);
  await rejectsWith(first.append([record('too late')]), 'FENCED', 'CONNECTION_LOST');
  await second.append([record('d')]);
  assert.deepEqual(await readTexts(other), ['a', 'b', 'c', 'd']);
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
    const before = await readTexts(log);
    await using appender = await log.openAppender(CHANNEL, 2);
    if (kept !== undefined) assert.equal(appender.lastSequence, kept, `cut at ${cut}`);
    await appender.append([record('after')]);
    const after = await readTexts(log);
    assert.deepEqual(after, [...before, 'after'], `cut at ${cut}`);
    assert.deepEqual(before, ['one', 'two', 'and a half', 'the third'].slice(0, before.length));
  }
});

test('an unfinished write with holes is cut as a whole end', async () => {
  const { bytes, path, writeEnds } = await threeWrites();
  const torn = bytes.slice(0, writeEnds[1]);
  torn.fill(0, writeEnds[0], writeEnds[0]! + 40);
  const log = await withBytes(path, torn);
  assert.deepEqual(await readTexts(log), ['one']);
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
    for (let round = 0; round < 6; round++)
      await appender.append([record(`${epoch}.${round} with a few more words`)]);
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

test('a channel is dropped although another process opens the log meanwhile', async () => {
  const disk = newDisk();
  const files = disk.mount();
  const log = await openLog(files);
  await using appender = await log.openAppender(CHANNEL, 1);
  await appender.append([record('a')]);
  const held = holdAt(files, 'rename', CHANNEL);
  const dropping = log.drop(CHANNEL);
  await held.reached;
  const other = await openLog(disk.mount());
  held.release();
  await dropping;
  assert.deepEqual(await readAll(other), []);
  assert.equal(await files.exists(`/log/${CHANNEL}`), false);
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
function stopAt(
  files: MemoryFileSystem,
  index: number,
  stop: () => void | Promise<void>,
): { readonly count: number } {
  const counter = { count: 0 };
  files.intercept = () => (counter.count++ === index ? stop() : undefined);
  return counter;
}

/** `beforeBytes`: bytes the appender wrote earlier; enough of them make the paused write begin a new file. */
async function pauseEverywhere(beforeBytes: number): Promise<Set<string>> {
  const outcomes = new Set<string>();
  let isPaused = true;
  for (let index = 0; isPaused; index++) {
    const disk = newDisk();
    const files = disk.mount();
    const stale = await (await openLog(files)).openAppender(CHANNEL, 1);
    await stale.append([record('a'.repeat(beforeBytes))]);
    const pause = Promise.withResolvers<void>();
    const reached = Promise.withResolvers<void>();
    const counter = stopAt(files, index, () => {
      reached.resolve();
      return pause.promise;
    });
    const append = stale.append([record('stale')]).then(
      () => 'acknowledged',
      (error: unknown) => (fencingOf(error) === null ? String(error) : (error as MishardsError).code),
    );
    await Promise.race([reached.promise, append]);
    isPaused = counter.count > index;
    const other = await openLog(disk.mount());
    const fresh = await other.openAppender(CHANNEL, 2);
    await fresh.append([record('fresh')]);
    const before = await readTexts(other);
    pause.resolve();
    const outcome = await append;
    outcomes.add(outcome);
    assert.ok(outcome === 'acknowledged' ? !isPaused : isPaused, outcome);
    if (before.includes('stale')) assert.notEqual(outcome, 'FENCED', 'it is in the log');
    const again = stale.append([record('stale again')]);
    await rejectsWith(again, isPaused ? 'FENCED' : 'CONNECTION_LOST');
    await rejectsWith(stale.append([record('and again')]), 'FENCED');
    assert.deepEqual(await readTexts(other), before);
    assert.deepEqual(await readTexts(await openLog(disk.mount())), before);
    await fresh.append([record('fresh again')]);
    await using last = await other.openAppender(CHANNEL, 3);
    assert.equal(last.lastSequence, before.length + 1);
  }
  return outcomes;
}

test('an appender that is paused anywhere, replaced, and goes on later is fenced', async () => {
  assert.deepEqual(await pauseEverywhere(10), new Set(['CONNECTION_LOST', 'acknowledged']));
  assert.deepEqual(await pauseEverywhere(300), new Set(['FENCED', 'CONNECTION_LOST', 'acknowledged']));
});

test('an append whose bytes the seal took is not said to be missing; those that waited behind it are', async () => {
  const disk = newDisk();
  const files = disk.mount();
  const stale = await (await openLog(files, {})).openAppender(CHANNEL, 1);
  await stale.append([record('first')]);
  const held = holdAt(files, 'sync', '.log');
  const written = stale.append([record('written')]);
  await held.reached;
  const waiting = stale.append([record('waiting')]);
  const other = await openLog(disk.mount());
  await using _next = await other.openAppender(CHANNEL, 2);
  held.release();
  await assert.rejects(written, (error) => {
    assert.ok(isErrorWithCode(error, 'CONNECTION_LOST'), String(error));
    return isErrorWithCode(error.cause, 'FENCED');
  });
  await rejectsWith(waiting, 'FENCED');
  await rejectsWith(stale.append([record('late')]), 'FENCED');
  assert.deepEqual(await readTexts(other), ['first', 'written']);
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
    assert.deepEqual((await readTexts(reader)).slice(-1), ['next']);
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
    assert.deepEqual(await readTexts(log), ['kept']);
    disk.capacityBytes = Number.POSITIVE_INFINITY;
    await using next = await log.openAppender(CHANNEL, 2);
    await next.append([record('after')]);
    assert.deepEqual(await readTexts(log), ['kept', 'after']);
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
    (await readTexts(log)).filter((text) => text !== 'b'),
    ['a', 'd'],
  );
});

test('what was read from an unfinished write outlives a power cut', async () => {
  const disk = newDisk();
  const files = disk.mount();
  const appender = await (await openLog(files)).openAppender(CHANNEL, 1);
  await appender.append([record('acknowledged')]);
  const held = holdAt(files, 'sync', '.log');
  void appender.append([record('unfinished')]).catch(() => undefined);
  await held.reached;
  assert.deepEqual(await readTexts(await openLog(disk.mount())), ['acknowledged', 'unfinished']);
  disk.crash();
  const log = await openLog(disk.mount());
  await using _next = await log.openAppender(CHANNEL, 2);
  assert.deepEqual(await readTexts(log), ['acknowledged', 'unfinished']);
});

test('what was read while the epoch was being sealed stays in the log', async () => {
  const disk = newDisk();
  const appender = await (await openLog(disk.mount())).openAppender(CHANNEL, 1);
  await appender.append([record('one')]);
  const reader = await openLog(disk.mount());
  assert.equal((await readAll(reader)).length, 1);
  const files = disk.mount();
  const opener = await openLog(files);
  const held = holdAt(files, 'writeExclusive', '.seal');
  const opening = opener.openAppender(CHANNEL, 2);
  await held.reached;
  await rejectsWith(appender.append([record('after the sealer looked')]), 'FENCED', 'CONNECTION_LOST');
  // One read, for what follows the last entry is a reason of its own to finish the sealing.
  const seen = (await reader.read(CHANNEL, 1, 1_000_000)).map(textOf);
  held.release();
  await using next = await opening;
  await next.append([record('next')]);
  assert.deepEqual(await readTexts(reader), [...seen, 'next']);
  assert.deepEqual(await readTexts(opener), [...seen, 'next']);
});

test('an epoch without files is seen also while it is being sealed', async () => {
  const disk = newDisk();
  const [staleFiles, openerFiles] = [disk.mount(), disk.mount()];
  const stale = await (await openLog(staleFiles)).openAppender(CHANNEL, 1);
  const heldStale = holdAt(staleFiles, 'openAppend', '.log');
  const append = stale.append([record('never acknowledged')]);
  await heldStale.reached;
  const opener = await openLog(openerFiles);
  const heldOpener = holdAt(openerFiles, 'readRange', '.seal');
  const opening = opener.openAppender(CHANNEL, 2);
  await heldOpener.reached;
  const third = await openLog(disk.mount());
  await using appender = await third.openAppender(CHANNEL, 3);
  heldStale.release();
  await rejectsWith(append, 'CONNECTION_LOST');
  heldOpener.release();
  await using fenced = await opening;
  await rejectsWith(fenced.append([record('stale')]), 'FENCED');
  await appender.append([record('three')]);
  await using _fourth = await third.openAppender(CHANNEL, 4);
  assert.deepEqual((await readTexts(third)).slice(-1), ['three']);
});

test(`a power cut during the first write of a file leaves no damage (seed ${testSeed})`, async () => {
  const random = new SeededRandom(testSeed);
  for (let run = 0; run < 100; run++) {
    const disk = newDisk();
    const files = disk.mount();
    const appender = await (await openLog(files)).openAppender(CHANNEL, 1);
    disk.crashAfter(1 + random.below(6), random);
    await assert.rejects(appender.append([record('x'.repeat(random.below(2_000)))]));
    const log = await openLog(disk.mount());
    await using next = await log.openAppender(CHANNEL, 2);
    await next.append([record('next')]);
    assert.equal((await readTexts(log)).at(-1), 'next');
  }
});
