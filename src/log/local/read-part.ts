import type { FileSystem } from '../../host/index.ts';
import type { LogSequence } from '../../schema/index.ts';
import type { LogEntry } from '../log.ts';
import type { LogPart } from './channel-view.ts';
import { decodeEntries, hasLaterWrite } from './entry-format.ts';
import { FILE_HEADER_BYTES, decodeFileHeader } from './file-header.ts';
import type { EntryPosition, PartIndex } from './part-index.ts';
import { corrupt } from './seal-epoch.ts';

const WINDOW_BYTES_MIN = 64 * 1024;
const WINDOW_BYTES_MAX = 4 * 1024 * 1024;

/**
 * Entries of one file from sequence `from` on, about `bytesMax`, at least one when there is any. What follows the last
 * intact entry of a file that may grow is an unfinished write, or `CORRUPT_DATA` when it was durable once; in any other file
 * everything must be intact.
 */
export async function readPart(
  files: FileSystem,
  part: LogPart,
  index: PartIndex,
  from: LogSequence,
  bytesMax: number,
): Promise<LogEntry[]> {
  const { sizeBytes } = await files.stat(part.path);
  let position = index.before(from);
  if (position.offset === FILE_HEADER_BYTES && !(await checkHeader(files, part, sizeBytes))) return [];
  const read: LogEntry[] = [];
  let readBytes = 0;
  let windowBytes = Math.min(WINDOW_BYTES_MAX, Math.max(WINDOW_BYTES_MIN, bytesMax));
  while (position.offset < sizeBytes && (read.length === 0 || readBytes < bytesMax)) {
    const length = Math.min(windowBytes, sizeBytes - position.offset);
    const window = await files.readRange(part.path, position.offset, length);
    if (window.byteLength < length) throw corrupt(part.path, 'it became shorter while it was read');
    const toSkip = from - position.sequence;
    const limits = toSkip > 0 ? { countMax: toSkip } : { bytesMax: bytesMax - readBytes };
    const decoded = decodeEntries(window, part.epoch, position.sequence, limits);
    if (toSkip <= 0) {
      read.push(...decoded.entries);
      readBytes += decoded.consumedBytes;
    }
    position = advance(position, decoded.entries.length, decoded.consumedBytes);
    index.note(position);
    if (decoded.stop === 'end' || (decoded.stop === 'limit' && toSkip > 0)) continue;
    if (decoded.stop === 'limit') break;
    if (decoded.stop === 'cut' && position.offset + decoded.neededBytes <= sizeBytes) {
      windowBytes = Math.max(windowBytes, decoded.neededBytes);
      continue;
    }
    await checkUnfinished(files, part, position, sizeBytes);
    break;
  }
  if (position.offset >= sizeBytes) checkEnd(part, position);
  return read;
}

function advance(position: EntryPosition, count: number, bytes: number): EntryPosition {
  return { sequence: position.sequence + count, offset: position.offset + bytes };
}

/** False when a file that may grow has no whole header yet. */
async function checkHeader(files: FileSystem, part: LogPart, sizeBytes: number): Promise<boolean> {
  const header = decodeFileHeader(await files.readRange(part.path, 0, FILE_HEADER_BYTES));
  const { kind, epoch, firstSequence } = part;
  if (header?.kind === kind && header.epoch === epoch && header.firstSequence === firstSequence) return true;
  // The header is synced before any entry is written.
  if (part.endSequence === undefined && header === undefined && sizeBytes <= FILE_HEADER_BYTES) return false;
  throw corrupt(part.path, 'its header is damaged');
}

async function checkUnfinished(
  files: FileSystem,
  part: LogPart,
  { sequence, offset }: EntryPosition,
  sizeBytes: number,
): Promise<void> {
  const mayBeUnfinished =
    part.endSequence === undefined &&
    !hasLaterWrite(await files.readRange(part.path, offset, sizeBytes - offset), sequence);
  if (!mayBeUnfinished) throw corrupt(part.path, `the entry ${sequence} at byte ${offset} is damaged`);
}

function checkEnd(part: LogPart, { sequence }: EntryPosition): void {
  if (part.endSequence === undefined || part.endSequence === sequence) return;
  throw corrupt(part.path, `it ends before the entry ${sequence}, and should before ${part.endSequence}`);
}
