import { MishardsError } from '../errors/index.ts';
import type { FileSystem, Turns } from '../host/index.ts';
import { crc32c } from '../util/crc32c.ts';
import { decodePacket, encodePacket, type Packet } from '../util/packet.ts';

/** A file of a scalar index: 'MSHDSIX1', u32 CRC-32C of the packet, u32 0, then the packet. */
const MAGIC = new TextEncoder().encode('MSHDSIX1');
const HEADER_BYTES = 16;
/** Read and summed in one go. */
const CHUNK_BYTES = 2 ** 20;

export async function encodeIndexFile(content: Packet, turns: Turns): Promise<Uint8Array> {
  const packet = encodePacket(content);
  const bytes = new Uint8Array(HEADER_BYTES + packet.byteLength);
  bytes.set(MAGIC);
  bytes.set(packet, HEADER_BYTES);
  let crc = 0;
  for (let at = HEADER_BYTES; at < bytes.byteLength; at += CHUNK_BYTES) {
    crc = crc32c(bytes.subarray(at, at + CHUNK_BYTES), crc);
    if (turns.isOver) await turns.next();
  }
  new DataView(bytes.buffer).setUint32(MAGIC.byteLength, crc, true);
  return bytes;
}

/** The whole file in one buffer, its checksum compared: `CORRUPT_DATA` where it does not fit. */
export async function readIndexFile(files: FileSystem, path: string): Promise<Packet> {
  const { sizeBytes } = await files.stat(path);
  const bytes = new Uint8Array(sizeBytes);
  let crc = 0;
  for (let at = 0; at < sizeBytes;) {
    const length = at === 0 ? HEADER_BYTES : CHUNK_BYTES;
    const chunk = await files.readRange(path, at, Math.min(length, sizeBytes - at));
    if (chunk.byteLength === 0) throw corrupt('it became shorter');
    bytes.set(chunk, at);
    if (at >= HEADER_BYTES) crc = crc32c(chunk, crc);
    at += chunk.byteLength;
  }
  if (sizeBytes < HEADER_BYTES || MAGIC.some((byte, index) => bytes[index] !== byte))
    throw corrupt('it does not begin as one');
  const view = new DataView(bytes.buffer);
  if (view.getUint32(8, true) !== crc || view.getUint32(12, true) !== 0)
    throw corrupt('its checksum does not fit its content');
  return decodePacket(bytes.subarray(HEADER_BYTES));
}

export function corrupt(problem: string): MishardsError {
  return new MishardsError('CORRUPT_DATA', `the scalar index is damaged: ${problem}`);
}
