import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Interleaving } from '../../../test/support/interleaving.ts';
import { CHANNEL, newDisk, openLog, readAll, record, textOf } from '../../../test/support/local-log.ts';
import { testSeed } from '../../../test/support/seed.ts';
import { isErrorWithCode } from '../../errors/index.ts';
import { SeededRandom, type Random } from '../../host/index.ts';
import type { MemoryDisk, MemoryFileSystem } from '../../host/simulated/index.ts';
import type { Epoch } from '../../schema/index.ts';
import { fencingOf } from '../log-rules.ts';
import type { LogAppender, LogEntry } from '../log.ts';
import type { LocalLog } from './local-log.ts';

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
  assert.deepEqual(
    texts.filter((text) => !promises.attempted.has(text)),
    [],
  );
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
  const follow = async (): Promise<void> =>
    noteSeen(promises, await readAll(follower, promises.truncatedBefore));
  for (let epoch = 1; epoch <= 3; epoch++) {
    const log = logs[epoch % 2]!;
    const appender = await log.openAppender(CHANNEL, epoch);
    await appendNoting(appender, promises, `${epoch} alone`);
    await follow();
    const batch = ['x', 'y', 'z'].map((text) =>
      appendNoting(appender, promises, `${epoch} ${text.repeat(150)}`),
    );
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
        const writes = ['a', 'b'].map((text) =>
          appendNoting(appender, promises, `${epoch}.${round} ${text.repeat(90)}`),
        );
        await Promise.all(writes);
      }
    } catch (error) {
      if (fencingOf(error) === null && !isErrorWithCode(error, 'STORAGE_UNAVAILABLE')) throw error;
    }
  };
  const follow = async (truncates: boolean): Promise<void> => {
    const { log } = await process();
    for (let [round, next] = [0, 1]; round < 25; round++) {
      try {
        const read = await log.read(CHANNEL, next, 1_000);
        noteSeen(promises, read);
        next += read.length;
      } catch (error) {
        if (!isErrorWithCode(error, 'LOG_TRUNCATED')) throw error;
        next = promises.truncatedBefore;
      }
      if (!truncates || round % 5 !== 4) continue;
      promises.truncatedBefore = next;
      await log.truncate(CHANNEL, next);
    }
  };
  await interleaving.run([
    write(1),
    write(2),
    write(3),
    write(4),
    follow(false),
    follow(false),
    follow(true),
  ]);
  await checkPromises(await openLog(disk.mount()), promises, 100);
}

function dieLater(
  files: MemoryFileSystem,
  interleaving: Interleaving,
  operations: number,
): MemoryFileSystem['intercept'] {
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
