import assert from 'node:assert/strict';
import { isErrorWithCode, type ErrorCode } from '../../src/errors/index.ts';
import {
  MemoryDisk,
  SimulatedClock,
  type FileOperation,
  type MemoryFileSystem,
} from '../../src/host/simulated/index.ts';
import { createLocalLog, type LocalLog, type LocalLogOptions } from '../../src/log/local/local-log.ts';
import type { LogEntry, LogRecord } from '../../src/log/log.ts';
import type { ChannelId, Timestamp } from '../../src/schema/index.ts';

export const CHANNEL = '1-0' as ChannelId;
/** Files so small that a few writes fill one. */
const TINY = { fileBytesMax: 300, writeBytesMax: 1_000 };

export const newDisk = (): MemoryDisk => new MemoryDisk({ clock: new SimulatedClock() });

export function record(text: string): LogRecord {
  return { type: 1, timestamp: 1n as Timestamp, payload: new TextEncoder().encode(text) };
}

export const textOf = ({ payload }: LogEntry): string => new TextDecoder().decode(payload);

export async function openLog(
  files: MemoryFileSystem,
  limits: Partial<LocalLogOptions> = TINY,
): Promise<LocalLog> {
  return await createLocalLog({ host: { files }, directory: '/log', ...limits });
}

export async function readAll(log: LocalLog, from = 1): Promise<LogEntry[]> {
  const entries: LogEntry[] = [];
  for (;;) {
    const read = await log.read(CHANNEL, from + entries.length, 1_000_000);
    if (read.length === 0) return entries;
    read.forEach((entry, index) => assert.equal(entry.sequence, from + entries.length + index));
    entries.push(...read);
  }
}

export const readTexts = async (log: LocalLog): Promise<string[]> => (await readAll(log)).map(textOf);

export const rejectsWith = (promise: Promise<unknown>, ...codes: ErrorCode[]): Promise<void> =>
  assert.rejects(promise, (error) => isErrorWithCode(error, ...codes) || assert.fail(String(error)));

export interface Held {
  /** Resolves when the process has come to the operation. */
  readonly reached: Promise<void>;
  release(): void;
}

/** Pauses a process before the next operation of this kind on a path that ends so. */
export function holdAt(files: MemoryFileSystem, operation: FileOperation, ending: string): Held {
  const reached = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  files.intercept = (current, path) => {
    if (current !== operation || !path.endsWith(ending)) return undefined;
    files.intercept = undefined;
    reached.resolve();
    return released.promise;
  };
  return { reached: reached.promise, release: released.resolve };
}
