import { MishardsError } from '../../errors/index.ts';
import type { Epoch, LogSequence } from '../../schema/index.ts';
import { crc32c } from '../../util/crc32c.ts';

// The layout is described in docs/internals/log-format.md.

export const FILE_HEADER_BYTES = 40;
const MAGIC = new TextEncoder().encode('MSHLOG1\n');

export interface FileHeader {
  /** A `log` file grows; a `seal` is written once, ends an epoch and holds the entries of its last file. */
  readonly kind: 'log' | 'seal';
  readonly epoch: Epoch;
  readonly firstSequence: LogSequence;
  /** Of a seal: its last entry, `firstSequence - 1` when it has none. Of a log file 0. */
  readonly lastSequence: LogSequence;
}

export function encodeFileHeader(header: FileHeader): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(FILE_HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  bytes.set(MAGIC);
  view.setBigUint64(8, BigInt(header.epoch), true);
  view.setBigUint64(16, BigInt(header.firstSequence), true);
  view.setBigUint64(24, BigInt(header.lastSequence), true);
  view.setUint32(32, header.kind === 'seal' ? 1 : 0, true);
  view.setUint32(36, crc32c(bytes.subarray(0, 36)), true);
  return bytes;
}

/** Undefined when the bytes are not a header. Throws `NOT_SUPPORTED` for the header of another version. */
export function decodeFileHeader(bytes: Uint8Array): FileHeader | undefined {
  if (bytes.byteLength < FILE_HEADER_BYTES) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, FILE_HEADER_BYTES);
  if (view.getUint32(36, true) !== crc32c(bytes.subarray(0, 36))) return undefined;
  if (!MAGIC.every((byte, index) => bytes[index] === byte)) {
    const magic = JSON.stringify(new TextDecoder().decode(bytes.subarray(0, 8)));
    throw new MishardsError(
      'NOT_SUPPORTED',
      `the log file format ${magic} is unknown to this version; upgrade it`,
    );
  }
  return {
    kind: view.getUint32(32, true) === 1 ? 'seal' : 'log',
    epoch: Number(view.getBigUint64(8, true)),
    firstSequence: Number(view.getBigUint64(16, true)),
    lastSequence: Number(view.getBigUint64(24, true)),
  };
}
