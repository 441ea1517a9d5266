import { MishardsError } from '../../errors/index.ts';
import { storageError, type AppendFile, type FileSystem } from '../../host/index.ts';
import type { ChannelId, Epoch, LogSequence } from '../../schema/index.ts';
import type { AppendResult, LogAppender, LogRecord } from '../log.ts';
import { appenderClosed, checkRecords, fenced, fencedWhileWriting, fencingOf } from '../log-rules.ts';
import { logName } from './channel-files.ts';
import { encodeEntries, entryBytes } from './entry-format.ts';
import { encodeFileHeader } from './file-header.ts';
import { corrupt, isEpochLive } from './seal-epoch.ts';

export interface AppenderLimits {
  /** A file that has reached it is followed by a new one. */
  readonly fileBytesMax: number;
  /** Calls beyond the first are taken into one write up to this. */
  readonly writeBytesMax: number;
  /** Calls that would make more bytes wait are refused with `OVERLOADED`. */
  readonly waitingBytesMax: number;
}

interface WaitingCall {
  readonly records: readonly LogRecord[];
  readonly sizeBytes: number;
  readonly resolve: (result: AppendResult) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Appends to the files of one epoch. Calls that arrive while a write is under way wait and then share the next one. A write is
 * acknowledged when it is synced and the epoch is found live after that; see `sealEpoch` for why that fences.
 */
export class LocalAppender implements LogAppender {
  readonly channel: ChannelId;
  readonly epoch: Epoch;
  readonly #files: FileSystem;
  readonly #directory: string;
  readonly #limits: AppenderLimits;
  #lastSequence: LogSequence;
  #file: AppendFile | undefined;
  #waiting: WaitingCall[] = [];
  #waitingBytes = 0;
  #writing: Promise<void> | undefined;
  #failure: unknown;

  constructor(
    files: FileSystem,
    directory: string,
    channel: ChannelId,
    epoch: Epoch,
    lastSequence: LogSequence,
    limits: AppenderLimits,
  ) {
    this.#files = files;
    this.#directory = directory;
    this.channel = channel;
    this.epoch = epoch;
    this.#lastSequence = lastSequence;
    this.#limits = limits;
  }

  get lastSequence(): LogSequence {
    return this.#lastSequence;
  }

  async append(records: readonly LogRecord[]): Promise<AppendResult> {
    checkRecords(records);
    if (this.#failure !== undefined) throw this.#failure;
    const sizeBytes = records.reduce((sum, { payload }) => sum + entryBytes(payload.byteLength), 0);
    if (this.#waiting.length > 0 && this.#waitingBytes + sizeBytes > this.#limits.waitingBytesMax) {
      throw this.#overloaded(sizeBytes);
    }
    const { promise, resolve, reject } = Promise.withResolvers<AppendResult>();
    this.#waiting.push({ records, sizeBytes, resolve, reject });
    this.#waitingBytes += sizeBytes;
    this.#writing ??= this.#writeAll();
    return await promise;
  }

  /** Writes what waits, then refuses more. */
  async [Symbol.asyncDispose](): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
    this.#failure ??= appenderClosed(this.channel);
    await this.#closeFile();
  }

  async #writeAll(): Promise<void> {
    // Calls of the same turn come along with the first one.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const calls = this.#takeCalls();
      try {
        await this.#write(calls);
      } catch (error) {
        await this.#fail(error, calls);
      }
    }
    this.#writing = undefined;
  }

  #takeCalls(): WaitingCall[] {
    let sizeBytes = 0;
    const end = this.#waiting.findIndex((call, index) => {
      sizeBytes += call.sizeBytes;
      return index > 0 && sizeBytes > this.#limits.writeBytesMax;
    });
    const calls = this.#waiting.splice(0, end === -1 ? this.#waiting.length : end);
    for (const call of calls) this.#waitingBytes -= call.sizeBytes;
    return calls;
  }

  async #write(calls: readonly WaitingCall[]): Promise<void> {
    const first = this.#lastSequence + 1;
    const bytes = encodeEntries(
      calls.flatMap(({ records }) => records),
      first,
    );
    const file = await this.#fileForWrite();
    await file.append([bytes]);
    await file.sync();
    if (!(await this.#isLive())) throw fencedWhileWriting(this.channel, this.epoch);
    for (const { records, resolve } of calls) {
      const result = { first: this.#lastSequence + 1, last: this.#lastSequence + records.length };
      this.#lastSequence = result.last;
      resolve(result);
    }
  }

  async #fileForWrite(): Promise<AppendFile> {
    if (this.#file !== undefined && this.#file.sizeBytes < this.#limits.fileBytesMax) return this.#file;
    await this.#closeFile();
    const { epoch } = this;
    if (!(await this.#isLive())) throw fenced(this.channel, epoch);
    const firstSequence = this.#lastSequence + 1;
    const path = `${this.#directory}/${logName({ epoch, firstSequence })}`;
    const file = await this.#files.openAppend(path);
    this.#file = file;
    if (file.sizeBytes > 0) throw corrupt(path, 'it exists, though nothing of this epoch was written to it');
    // Synced before the entries, so that a damaged header is not taken for an unfinished first write.
    await file.append([encodeFileHeader({ kind: 'log', epoch, firstSequence, lastSequence: 0 })]);
    await file.sync();
    return file;
  }

  async #isLive(): Promise<boolean> {
    return await isEpochLive(this.#files, this.#directory, this.epoch);
  }

  /** Whether the write happened is unknown, so nothing may follow it: the next epoch finds out. */
  async #fail(error: unknown, calls: readonly WaitingCall[]): Promise<void> {
    const failure = storageError(error, `appending to the channel ${this.channel}`);
    // What waits was never written, so a fenced epoch is all there is to say of it.
    this.#failure = fencingOf(failure) ?? failure;
    const neverWritten = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = 0;
    for (const { reject } of calls) reject(failure);
    for (const { reject } of neverWritten) reject(this.#failure);
    await this.#closeFile().catch(() => undefined);
  }

  async #closeFile(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.[Symbol.asyncDispose]();
  }

  #overloaded(sizeBytes: number): MishardsError {
    return new MishardsError(
      'OVERLOADED',
      `${this.#waitingBytes} bytes wait to be appended to the channel ${this.channel}, ${sizeBytes} more are above the limit of ${this.#limits.waitingBytesMax}; retry later`,
    );
  }
}
