import type { ChannelId, Epoch, LogSequence } from '../../schema/index.ts';
import type { AppendResult, Log, LogAppender, LogEntry, LogRecord } from '../log.ts';
import {
  appenderClosed,
  checkChannel,
  checkEpoch,
  checkRead,
  checkRecords,
  fenced,
  logClosed,
  logTruncated,
} from '../log-rules.ts';

interface StoredChannel {
  epoch: Epoch;
  /** Sequence of `entries[0]`, or of the next entry when it is empty. */
  firstSequence: LogSequence;
  entries: LogEntry[];
}

/** What shared storage is to the local log: the channels, shared by every log opened on it. */
export class MemoryLogVolume {
  readonly channels = new Map<ChannelId, StoredChannel>();
}

export interface MemoryLogOptions {
  /** Logs with the same volume see the same channels; by default a new one. */
  readonly volume?: MemoryLogVolume;
}

/** The log in this process's memory: for tests, simulation and throw-away servers. */
export class MemoryLog implements Log {
  readonly driver = 'memory';
  readonly #volume: MemoryLogVolume;
  #isClosed = false;

  constructor(options: MemoryLogOptions = {}) {
    this.#volume = options.volume ?? new MemoryLogVolume();
  }

  async openAppender(channel: ChannelId, epoch: Epoch): Promise<LogAppender> {
    this.#check(channel);
    checkEpoch(epoch);
    const stored = this.#volume.channels.get(channel);
    if (stored !== undefined && stored.epoch >= epoch) throw fenced(channel, epoch);
    if (stored === undefined) this.#volume.channels.set(channel, { epoch, firstSequence: 1, entries: [] });
    else stored.epoch = epoch;
    return new MemoryLogAppender(this.#volume, channel, epoch);
  }

  async read(channel: ChannelId, from: LogSequence, bytesMax: number): Promise<readonly LogEntry[]> {
    this.#check(channel);
    checkRead(from, bytesMax);
    const stored = this.#volume.channels.get(channel);
    if (stored === undefined) return [];
    const start = Math.max(1, from);
    if (start < stored.firstSequence) throw logTruncated(channel, from, stored.firstSequence);
    const entries: LogEntry[] = [];
    let bytes = 0;
    for (const entry of stored.entries.slice(start - stored.firstSequence)) {
      bytes += entry.payload.byteLength;
      if (entries.length > 0 && bytes > bytesMax) break;
      entries.push({ ...entry, payload: entry.payload.slice() });
    }
    return entries;
  }

  async truncate(channel: ChannelId, before: LogSequence): Promise<void> {
    this.#check(channel);
    const stored = this.#volume.channels.get(channel);
    if (stored === undefined) return;
    const count = Math.min(Math.max(0, before - stored.firstSequence), stored.entries.length);
    stored.entries = stored.entries.slice(count);
    stored.firstSequence += count;
  }

  async drop(channel: ChannelId): Promise<void> {
    this.#check(channel);
    this.#volume.channels.delete(channel);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
  }

  #check(channel: ChannelId): void {
    if (this.#isClosed) throw logClosed(this.driver);
    checkChannel(channel);
  }
}

class MemoryLogAppender implements LogAppender {
  readonly channel: ChannelId;
  readonly epoch: Epoch;
  readonly #volume: MemoryLogVolume;
  #lastSequence: LogSequence;
  #failure: Error | undefined;

  constructor(volume: MemoryLogVolume, channel: ChannelId, epoch: Epoch) {
    this.#volume = volume;
    this.channel = channel;
    this.epoch = epoch;
    this.#lastSequence = lastSequenceOf(volume.channels.get(channel)!);
  }

  get lastSequence(): LogSequence {
    return this.#lastSequence;
  }

  async append(records: readonly LogRecord[]): Promise<AppendResult> {
    checkRecords(records);
    const stored = this.#volume.channels.get(this.channel);
    if (stored?.epoch !== this.epoch) this.#failure ??= fenced(this.channel, this.epoch);
    if (this.#failure !== undefined || stored === undefined) throw this.#failure;
    const first = lastSequenceOf(stored) + 1;
    for (const { type, timestamp, payload } of records) {
      const sequence = lastSequenceOf(stored) + 1;
      stored.entries.push({ type, timestamp, payload: payload.slice(), sequence, epoch: this.epoch });
    }
    this.#lastSequence = lastSequenceOf(stored);
    return { first, last: this.#lastSequence };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#failure ??= appenderClosed(this.channel);
  }
}

function lastSequenceOf(stored: StoredChannel): LogSequence {
  return stored.firstSequence + stored.entries.length - 1;
}

export function createMemoryLog(options: MemoryLogOptions = {}): MemoryLog {
  return new MemoryLog(options);
}
