import { MishardsError } from '../../src/errors/index.ts';
import type { Log, LogAppender, LogEntry, LogRecord, AppendResult } from '../../src/log/log.ts';
import type { ChannelId, Epoch, LogSequence } from '../../src/schema/index.ts';

/** A log in front of another whose writes can be held, or made to fail before or after they have happened. */
export class FaultableLog implements Log {
  readonly #inner: Log;
  /** What happens to appends from now on. */
  appends: 'pass' | 'fail' | 'happen-and-fail' = 'pass';
  /** Appends wait for it before they happen. */
  gate: Promise<void> = Promise.resolve();
  /** Channels that refuse appends by their bound. */
  readonly full = new Set<ChannelId>();
  /** Channels that cannot be read. */
  readonly damaged = new Set<ChannelId>();
  readonly truncations: { readonly channel: ChannelId; readonly before: LogSequence }[] = [];
  readonly dropped: ChannelId[] = [];

  constructor(inner: Log) {
    this.#inner = inner;
  }

  get driver(): string {
    return this.#inner.driver;
  }

  async openAppender(channel: ChannelId, epoch: Epoch): Promise<LogAppender> {
    const appender = await this.#inner.openAppender(channel, epoch);
    return {
      channel,
      epoch,
      get lastSequence() {
        return appender.lastSequence;
      },
      append: (records) => this.#append(appender, records),
      [Symbol.asyncDispose]: () => appender[Symbol.asyncDispose](),
    };
  }

  async read(channel: ChannelId, from: LogSequence, bytesMax: number): Promise<readonly LogEntry[]> {
    if (this.damaged.has(channel)) throw new MishardsError('CORRUPT_DATA', `channel ${channel} is damaged`);
    return await this.#inner.read(channel, from, bytesMax);
  }

  async truncate(channel: ChannelId, before: LogSequence): Promise<void> {
    this.truncations.push({ channel, before });
    await this.#inner.truncate(channel, before);
  }

  async drop(channel: ChannelId): Promise<void> {
    this.dropped.push(channel);
    await this.#inner.drop(channel);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#inner[Symbol.asyncDispose]();
  }

  async #append(appender: LogAppender, records: readonly LogRecord[]): Promise<AppendResult> {
    await this.gate;
    if (this.appends === 'fail') throw failure();
    if (this.full.has(appender.channel))
      throw new MishardsError('OVERLOADED', 'the log is full; retry later');
    const result = await appender.append(records);
    if (this.appends === 'happen-and-fail') throw failure();
    return result;
  }
}

function failure(): MishardsError {
  return new MishardsError('STORAGE_UNAVAILABLE', 'the disk failed');
}
