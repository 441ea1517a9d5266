import type { Epoch, LogSequence, Timestamp } from '../../schema/index.ts';
import { crc32c } from '../../util/crc32c.ts';
import type { LogEntry, LogRecord } from '../log.ts';
import { PAYLOAD_BYTES_MAX } from '../log-rules.ts';

// The layout is described in docs/internals/log-format.md.

export const ENTRY_HEADER_BYTES = 40;
const ENTRY_MAGIC = 0x5245534d; // "MSER"
const ALIGNMENT = 8;
const CHECKED_FROM = 8;

/** Bytes an entry takes in a file. */
export function entryBytes(payloadBytes: number): number {
  return ENTRY_HEADER_BYTES + Math.ceil(payloadBytes / ALIGNMENT) * ALIGNMENT;
}

/**
 * One write: the records as entries from sequence `first` on. Each says that everything before `first` was durable when the
 * write began, which later tells a torn end from damage.
 */
export function encodeEntries(records: readonly LogRecord[], first: LogSequence): Uint8Array<ArrayBuffer> {
  const sizeBytes = records.reduce((sum, { payload }) => sum + entryBytes(payload.byteLength), 0);
  const bytes = new Uint8Array(sizeBytes);
  const view = new DataView(bytes.buffer);
  let offset = 0;
  records.forEach(({ type, timestamp, payload }, index) => {
    const end = offset + entryBytes(payload.byteLength);
    view.setUint32(offset, ENTRY_MAGIC, true);
    view.setUint32(offset + 8, payload.byteLength, true);
    view.setUint8(offset + 12, type);
    view.setBigUint64(offset + 16, BigInt(first + index), true);
    view.setBigUint64(offset + 24, timestamp, true);
    view.setBigUint64(offset + 32, BigInt(first - 1), true);
    bytes.set(payload, offset + ENTRY_HEADER_BYTES);
    view.setUint32(offset + 4, crc32c(bytes.subarray(offset + CHECKED_FROM, end)), true);
    offset = end;
  });
  return bytes;
}

/** Where decoding stopped, and why. */
export interface DecodedEntries {
  readonly entries: readonly LogEntry[];
  /** Bytes of `entries`. */
  readonly consumedBytes: number;
  /**
   * - `limit`: a limit of the caller was reached;
   * - `end`: nothing follows in `bytes`;
   * - `cut`: an entry follows that needs `neededBytes` from its start, more than `bytes` has;
   * - `invalid`: what follows is not the expected entry.
   */
  readonly stop: 'limit' | 'end' | 'cut' | 'invalid';
  readonly neededBytes: number;
}

/** Decodes the entries at the start of `bytes`, the first, which is always taken, with the sequence `sequence`; payloads are views. */
export function decodeEntries(
  bytes: Uint8Array,
  epoch: Epoch,
  sequence: LogSequence,
  limits: { readonly bytesMax?: number; readonly countMax?: number } = {},
): DecodedEntries {
  const { bytesMax = Number.POSITIVE_INFINITY, countMax = Number.POSITIVE_INFINITY } = limits;
  const entries: LogEntry[] = [];
  let offset = 0;
  const stopped = (stop: DecodedEntries['stop'], neededBytes = 0): DecodedEntries => {
    return { entries, consumedBytes: offset, stop, neededBytes };
  };
  while (offset < bytes.byteLength) {
    const rest = bytes.subarray(offset);
    if (rest.byteLength < ENTRY_HEADER_BYTES) return stopped('cut', ENTRY_HEADER_BYTES);
    const header = readHeader(rest);
    if (header === undefined || header.sequence !== sequence + entries.length) return stopped('invalid');
    if (header.sizeBytes > rest.byteLength) return stopped('cut', header.sizeBytes);
    if (entries.length > 0 && offset + header.sizeBytes > bytesMax) return stopped('limit');
    if (entries.length >= countMax) return stopped('limit');
    if (!isIntact(rest, header)) return stopped('invalid');
    entries.push(entryOf(rest, header, epoch));
    offset += header.sizeBytes;
  }
  return stopped('end');
}

/**
 * Whether `bytes`, which should begin with the entry `sequence` and do not, hold an intact entry that was written when
 * `sequence` was durable: then this is damage. Otherwise it is the end of an unfinished write.
 */
export function hasLaterWrite(bytes: Uint8Array, sequence: LogSequence): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = bytes.byteLength - ENTRY_HEADER_BYTES;
  for (let offset = 0; offset <= end; offset += ALIGNMENT) {
    if (view.getUint32(offset, true) !== ENTRY_MAGIC) continue;
    const rest = bytes.subarray(offset);
    const header = readHeader(rest);
    if (header === undefined || header.durableBefore < sequence || header.sizeBytes > rest.byteLength)
      continue;
    if (isIntact(rest, header)) return true;
  }
  return false;
}

interface EntryHeader {
  readonly crc: number;
  readonly payloadBytes: number;
  readonly sizeBytes: number;
  readonly sequence: LogSequence;
  readonly durableBefore: LogSequence;
}

function readHeader(bytes: Uint8Array): EntryHeader | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0, true) !== ENTRY_MAGIC) return undefined;
  const payloadBytes = view.getUint32(8, true);
  if (payloadBytes > PAYLOAD_BYTES_MAX) return undefined;
  return {
    crc: view.getUint32(4, true),
    payloadBytes,
    sizeBytes: entryBytes(payloadBytes),
    sequence: Number(view.getBigUint64(16, true)),
    durableBefore: Number(view.getBigUint64(32, true)),
  };
}

function isIntact(bytes: Uint8Array, { sizeBytes, crc }: EntryHeader): boolean {
  return crc32c(bytes.subarray(CHECKED_FROM, sizeBytes)) === crc;
}

function entryOf(bytes: Uint8Array, header: EntryHeader, epoch: Epoch): LogEntry {
  const view = new DataView(bytes.buffer, bytes.byteOffset, ENTRY_HEADER_BYTES);
  return {
    type: view.getUint8(12),
    timestamp: view.getBigUint64(24, true) as Timestamp,
    payload: bytes.subarray(ENTRY_HEADER_BYTES, ENTRY_HEADER_BYTES + header.payloadBytes),
    sequence: header.sequence,
    epoch,
  };
}
