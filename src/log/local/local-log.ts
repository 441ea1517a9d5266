import { MishardsError } from '../../errors/index.ts';
import { fileErrorCode, storageError, type FileSystem, type Host } from '../../host/index.ts';
import type { ChannelId, Epoch, LogSequence } from '../../schema/index.ts';
import type { Log, LogAppender, LogEntry } from '../log.ts';
import { checkChannel, checkEpoch, checkRead, fenced, logClosed } from '../log-rules.ts';
import {
  comparePairs,
  epochsOf,
  floorName,
  listChannelFiles,
  liveName,
  namesBelow,
} from './channel-files.ts';
import { ChannelReader } from './channel-reader.ts';
import { viewChannel } from './channel-view.ts';
import { LocalAppender, type AppenderLimits } from './local-appender.ts';
import { ignoreMissing, sealEpochsBelow, writeOnce } from './seal-epoch.ts';
import { checkSealRoom } from './seal-room.ts';

const READERS_MAX = 1024;
const DROP_ATTEMPTS_MAX = 8;

export interface LocalLogOptions extends Partial<AppenderLimits> {
  readonly host: Pick<Host, 'files'>;
  /** Absolute; created when missing. A channel is a directory in it. */
  readonly directory: string;
}

/**
 * The log as files on a local disk or on NFS (mounted with `lookupcache=none` or `actimeo=0`), for any number of processes.
 * docs/internals/log-format.md describes the files and argues why they are safe.
 */
export class LocalLog implements Log {
  readonly driver = 'local';
  readonly #files: FileSystem;
  readonly #directory: string;
  readonly #limits: AppenderLimits;
  readonly #readers = new Map<ChannelId, ChannelReader>();
  #isClosed = false;

  constructor(options: LocalLogOptions) {
    this.#files = options.host.files;
    this.#directory = options.directory;
    this.#limits = {
      fileBytesMax: options.fileBytesMax ?? 16 * 1024 * 1024,
      writeBytesMax: options.writeBytesMax ?? 8 * 1024 * 1024,
      waitingBytesMax: options.waitingBytesMax ?? 64 * 1024 * 1024,
    };
  }

  /** Makes the directory and removes what an interrupted `drop` left. */
  async open(): Promise<void> {
    await guard(`opening the log ${this.#directory}`, async () => {
      await this.#files.makeDirectory(this.#directory);
      await this.#files.removeTree(this.#droppedDirectory);
    });
  }

  async openAppender(channel: ChannelId, epoch: Epoch): Promise<LogAppender> {
    this.#check(channel);
    checkEpoch(epoch);
    const directory = this.#channelDirectory(channel);
    return await guard(`opening the channel ${channel}`, async () => {
      const live = `${directory}/${liveName(epoch)}`;
      await this.#files.writeExclusive(live, new Uint8Array(0)).catch((error: unknown) => {
        throw fileErrorCode(error) === 'EEXIST' ? fenced(channel, epoch) : error;
      });
      try {
        if (await this.#isOld(directory, epoch)) throw fenced(channel, epoch);
        await checkSealRoom(this.#files, directory, epoch, this.#limits.fileBytesMax);
        const nextSequence = await sealEpochsBelow(this.#files, directory, epoch);
        return new LocalAppender(this.#files, directory, channel, epoch, nextSequence - 1, this.#limits);
      } catch (error) {
        // Nothing was appended: the same epoch may try again.
        await this.#files.remove(live).catch(() => undefined);
        throw error;
      }
    });
  }

  async read(channel: ChannelId, from: LogSequence, bytesMax: number): Promise<readonly LogEntry[]> {
    this.#check(channel);
    checkRead(from, bytesMax);
    const reader = this.#readerOf(channel);
    return await guard(`reading the channel ${channel}`, () => reader.read(Math.max(1, from), bytesMax));
  }

  async truncate(channel: ChannelId, before: LogSequence): Promise<void> {
    this.#check(channel);
    const directory = this.#channelDirectory(channel);
    await guard(`truncating the channel ${channel}`, async () => {
      const { parts, files } = await viewChannel(this.#files, directory, new Map());
      const kept = parts.findLast((part, index) => index > 0 && part.firstSequence <= before);
      if (kept === undefined || comparePairs(kept, files.floor) <= 0) return;
      const floor = { epoch: kept.epoch, firstSequence: kept.firstSequence };
      await writeOnce(this.#files, `${directory}/${floorName(floor)}`, new Uint8Array(0));
      for (const name of namesBelow(files, floor)) {
        await this.#files.remove(`${directory}/${name}`).catch(ignoreMissing);
      }
    });
  }

  async drop(channel: ChannelId): Promise<void> {
    this.#check(channel);
    this.#readers.delete(channel);
    const directory = this.#channelDirectory(channel);
    await guard(`dropping the channel ${channel}`, async () => {
      for (let attempt = 0; attempt < DROP_ATTEMPTS_MAX; attempt++) {
        const away = await this.#files.makeUniqueDirectory(this.#droppedDirectory);
        await this.#files.rename(directory, away).catch(ignoreMissing);
        await this.#files.removeTree(away);
        // Another process that opens the log removes what was dropped, also the place made here a moment ago.
        if (!(await this.#files.exists(directory))) return;
      }
      throw notDropped(channel);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#readers.clear();
  }

  /** Whether this or a higher epoch has been there before. */
  async #isOld(directory: string, epoch: Epoch): Promise<boolean> {
    const listed = await listChannelFiles(this.#files, directory);
    return (
      epoch < listed.floor.epoch ||
      epochsOf(listed).some((other) => other > epoch) ||
      listed.fenced.includes(epoch) ||
      listed.sealed.includes(epoch) ||
      listed.logs.some((file) => file.epoch === epoch)
    );
  }

  #readerOf(channel: ChannelId): ChannelReader {
    const known = this.#readers.get(channel);
    const reader = known ?? new ChannelReader(this.#files, this.#channelDirectory(channel), channel);
    this.#readers.delete(channel);
    this.#readers.set(channel, reader);
    if (this.#readers.size > READERS_MAX) this.#readers.delete(this.#readers.keys().next().value!);
    return reader;
  }

  #channelDirectory(channel: ChannelId): string {
    return `${this.#directory}/${channel}`;
  }

  get #droppedDirectory(): string {
    return `${this.#directory}/.dropped`;
  }

  #check(channel: ChannelId): void {
    if (this.#isClosed) throw logClosed(this.driver);
    checkChannel(channel);
  }
}

function notDropped(channel: ChannelId): MishardsError {
  return new MishardsError(
    'STORAGE_UNAVAILABLE',
    `the channel ${channel} is still there after ${DROP_ATTEMPTS_MAX} attempts to drop it; is it being written to, or are many processes starting?`,
  );
}

async function guard<T>(doing: string, use: () => Promise<T>): Promise<T> {
  try {
    return await use();
  } catch (error) {
    throw storageError(error, doing);
  }
}

export async function createLocalLog(options: LocalLogOptions): Promise<LocalLog> {
  const log = new LocalLog(options);
  await log.open();
  return log;
}
