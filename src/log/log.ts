import type { ChannelId, Epoch, LogSequence, Timestamp } from '../schema/index.ts';

/**
 * The ordered, durable log of every channel on shared storage. One appender a channel at a time, made sure by epochs:
 * opening with a higher epoch seals what came before, and the older appender's appends fail from then on: with `FENCED` when
 * nothing of them is in the log and never will be, with `CONNECTION_LOST` (caused by `FENCED`) when that is not known.
 *
 * Every stored entry carries its length, CRC32C, type, sequence and timestamp. A torn tail (a crash while writing) is cut
 * when the next epoch opens; a damaged middle is refused with `CORRUPT_DATA` and never skipped.
 *
 * Errors beside those named below: `STORAGE_UNAVAILABLE` (retriable), `PARAMETER_INVALID`, `PARAMETER_TOO_LARGE` (a payload above
 * 128 MiB), `OVERLOADED` (too many bytes wait to be appended).
 */
export interface Log extends AsyncDisposable {
  readonly driver: string;
  /** Seals all lower epochs and continues their sequence. `FENCED` when this or a higher epoch has opened the channel already. */
  openAppender(channel: ChannelId, epoch: Epoch): Promise<LogAppender>;
  /**
   * Entries with sequence ≥ `from`, ascending, without gaps, up to about `bytesMax` (at least one when there is any); empty
   * at the end. It sees every entry whose append resolved before the call. `LOG_TRUNCATED` when `from` is no longer kept.
   * A channel never opened is empty.
   */
  read(channel: ChannelId, from: LogSequence, bytesMax: number): Promise<readonly LogEntry[]>;
  /** Allows entries with sequence < `before` to be removed; some may stay. */
  truncate(channel: ChannelId, before: LogSequence): Promise<void>;
  /** Removes all of a channel. */
  drop(channel: ChannelId): Promise<void>;
}

export interface LogAppender extends AsyncDisposable {
  readonly channel: ChannelId;
  readonly epoch: Epoch;
  /** Sequence of the last durable entry; 0 for an empty channel. */
  readonly lastSequence: LogSequence;
  /**
   * Durable when it resolves; until then the payloads must not change. Concurrent calls share one write and one fsync and keep
   * their order. Refusals of what was asked (`PARAMETER_…`, `OVERLOADED`) change nothing. After any other failure the appender
   * is closed: every later append fails, and the channel must be opened anew. `FENCED` says that the records are not in the log;
   * after any other such failure they may be. An append cut off by a higher epoch while it was written fails with
   * `CONNECTION_LOST`, and those after it with `FENCED`.
   */
  append(records: readonly LogRecord[]): Promise<AppendResult>;
}

export interface LogRecord {
  /** A small integer whose meaning is the caller's, 0 … 255. */
  readonly type: number;
  readonly timestamp: Timestamp;
  readonly payload: Uint8Array;
}

export interface LogEntry extends LogRecord {
  readonly sequence: LogSequence;
  readonly epoch: Epoch;
}

export interface AppendResult {
  readonly first: LogSequence;
  readonly last: LogSequence;
}
