import { MishardsError, isErrorWithCode } from '../errors/index.ts';
import type { ChannelId, Epoch, LogSequence } from '../schema/index.ts';
import type { LogRecord } from './log.ts';

export const PAYLOAD_BYTES_MAX = 128 * 1024 * 1024;
export const EPOCH_MAX = 999_999_999_999;
const CHANNEL = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}$/;
const TIMESTAMP_END = 1n << 64n;

export function checkChannel(channel: ChannelId): void {
  if (!CHANNEL.test(channel)) {
    throw invalid(
      `the channel "${channel}" is invalid; use up to 200 of [A-Za-z0-9._-], not beginning with a dot`,
    );
  }
}

export function checkEpoch(epoch: Epoch): void {
  if (!Number.isSafeInteger(epoch) || epoch < 0 || epoch > EPOCH_MAX) {
    throw invalid(`the epoch ${epoch} is out of range; use 0 to ${EPOCH_MAX}`);
  }
}

export function checkRead(from: LogSequence, bytesMax: number): void {
  if (!Number.isSafeInteger(from) || from < 0)
    throw invalid(`the log sequence ${from} is not a whole number from 0`);
  if (!(bytesMax >= 1)) throw invalid(`the read limit of ${bytesMax} bytes is below 1`);
}

/** Throws `PARAMETER_INVALID` or `PARAMETER_TOO_LARGE` unless the records can be stored. */
export function checkRecords(records: readonly LogRecord[]): void {
  if (records.length === 0) throw invalid('the append has no records; give one at least');
  for (const { type, timestamp, payload } of records) {
    if (!Number.isInteger(type) || type < 0 || type > 255) {
      throw invalid(`the record type ${type} is out of range; use 0 to 255`);
    }
    if (timestamp < 0n || timestamp >= TIMESTAMP_END)
      throw invalid(`the timestamp ${timestamp} has no 64 bits`);
    if (payload.byteLength > PAYLOAD_BYTES_MAX) {
      throw new MishardsError(
        'PARAMETER_TOO_LARGE',
        `a log record has ${payload.byteLength} bytes, above the limit of ${PAYLOAD_BYTES_MAX}; split it`,
      );
    }
  }
}

export function fenced(channel: ChannelId, epoch: Epoch): MishardsError {
  return new MishardsError(
    'FENCED',
    `the channel ${channel} was opened with this or a later epoch than ${epoch}; its writer has changed`,
  );
}

/** The epoch ended while records were written: the seal may hold them. */
export function fencedWhileWriting(channel: ChannelId, epoch: Epoch): MishardsError {
  return new MishardsError(
    'CONNECTION_LOST',
    `the epoch ${epoch} of the channel ${channel} ended while it was appended to; the records may or may not be in the log`,
    { cause: fenced(channel, epoch) },
  );
}

/** The `FENCED` that a failure of an append is, or is caused by; null when the epoch is not known to have ended. */
export function fencingOf(error: unknown): MishardsError | null {
  if (isErrorWithCode(error, 'FENCED')) return error;
  return error instanceof MishardsError && isErrorWithCode(error.cause, 'FENCED') ? error.cause : null;
}

/** Whether an append was refused for what was asked: nothing was written, and the appender goes on. */
export function isAppendRefusal(error: unknown): error is MishardsError {
  return isErrorWithCode(error, 'OVERLOADED', 'PARAMETER_INVALID', 'PARAMETER_TOO_LARGE');
}

export function logTruncated(channel: ChannelId, from: LogSequence, first: LogSequence): MishardsError {
  return new MishardsError(
    'LOG_TRUNCATED',
    `the channel ${channel} keeps entries from ${first} on, ${from} is gone; its rows are in segments`,
  );
}

export function appenderClosed(channel: ChannelId): MishardsError {
  return new MishardsError(
    'STORAGE_UNAVAILABLE',
    `the appender of the channel ${channel} is closed; open it anew`,
  );
}

export function logClosed(driver: string): MishardsError {
  return new MishardsError('STORAGE_UNAVAILABLE', `the ${driver} log is closed`);
}

function invalid(message: string): MishardsError {
  return new MishardsError('PARAMETER_INVALID', message);
}
