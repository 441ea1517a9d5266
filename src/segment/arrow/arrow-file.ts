import { MishardsError } from '../../errors/index.ts';
import type { FileSystem } from '../../host/index.ts';
import { crc32c } from '../../util/crc32c.ts';

/*
 * An Arrow IPC file with one record batch and, between the end-of-stream mark and the footer, where readers of Arrow files
 * do not look, a check block:
 *
 *     'ARROW1' 0 0
 *     schema message
 *     record batch message, its body at a multiple of 64, each buffer padded to 64
 *     end of stream: ff ff ff ff 00 00 00 00
 *     check block: 'MSHDCRC1', u32 CRC-32C of all other bytes of the file, u32 0
 *     footer
 *     i32 footer bytes, 'ARROW1'
 */
export const ARROW_MAGIC = new TextEncoder().encode('ARROW1');
export const CHECK_MAGIC = new TextEncoder().encode('MSHDCRC1');
export const CHECK_BLOCK_BYTES = 16;
export const TRAILER_BYTES = 4 + ARROW_MAGIC.byteLength;
export const BODY_ALIGNMENT = 64;
const CRC_BYTES = 4;
const CHUNK_BYTES = 4 * 2 ** 20;

/** Where the parts at the end of a file begin. */
export interface ArrowFileEnd {
  readonly sizeBytes: number;
  readonly crcOffset: number;
  readonly footerOffset: number;
  readonly footerBytes: number;
}

/** Finds the end's parts; `CORRUPT_DATA` when the file is not one of ours or is cut. */
export async function readArrowFileEnd(files: FileSystem, path: string): Promise<ArrowFileEnd> {
  const { sizeBytes } = await files.stat(path);
  const trailerOffset = sizeBytes - TRAILER_BYTES;
  if (trailerOffset < CHECK_BLOCK_BYTES) throw corrupt(`${sizeBytes} bytes are too few`);
  const trailer = await files.readRange(path, trailerOffset, TRAILER_BYTES);
  if (!equalBytes(trailer.subarray(4), ARROW_MAGIC)) throw corrupt('it does not end as an Arrow file');
  const footerBytes = new DataView(trailer.buffer, trailer.byteOffset).getInt32(0, true);
  const footerOffset = trailerOffset - footerBytes;
  const checkOffset = footerOffset - CHECK_BLOCK_BYTES;
  if (footerBytes <= 0 || checkOffset <= 0) throw corrupt(`its footer has ${footerBytes} bytes`);
  const magic = await files.readRange(path, checkOffset, CHECK_MAGIC.byteLength);
  if (!equalBytes(magic, CHECK_MAGIC)) throw corrupt('it has no check block');
  return { sizeBytes, crcOffset: checkOffset + CHECK_MAGIC.byteLength, footerOffset, footerBytes };
}

/** Reads the whole file once and compares its checksum; `CORRUPT_DATA` when any byte changed. */
export async function verifyArrowFile(files: FileSystem, path: string): Promise<void> {
  const { sizeBytes, crcOffset } = await readArrowFileEnd(files, path);
  const stored = await files.readRange(path, crcOffset, CRC_BYTES);
  let crc = await crcOfRange(files, path, 0, crcOffset, 0);
  crc = await crcOfRange(files, path, crcOffset + CRC_BYTES, sizeBytes, crc);
  if (new DataView(stored.buffer, stored.byteOffset).getUint32(0, true) !== crc)
    throw corrupt('its checksum does not fit its content');
}

async function crcOfRange(
  files: FileSystem,
  path: string,
  from: number,
  to: number,
  seed: number,
): Promise<number> {
  let crc = seed;
  for (let at = from; at < to;) {
    const chunk = await files.readRange(path, at, Math.min(CHUNK_BYTES, to - at));
    if (chunk.byteLength === 0) throw corrupt('it became shorter');
    crc = crc32c(chunk, crc);
    at += chunk.byteLength;
  }
  return crc;
}

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.byteLength === b.byteLength && a.every((byte, index) => byte === b[index]);
}

export function corrupt(problem: string): MishardsError {
  return new MishardsError('CORRUPT_DATA', `the file is damaged: ${problem}`);
}
