import { MishardsError } from '../errors/index.ts';

export type JsonValue =
  null | boolean | number | string | readonly JsonValue[] | { readonly [key: string]: JsonValue | undefined };

/**
 * What travels between nodes and into the log: a small JSON head and binary parts that are never copied into
 * JavaScript arrays. In one process a packet is passed by reference; across processes it is encoded.
 *
 * Encoding (little-endian): u32 head bytes, u32 part count, u32 byte length of each part, the head as UTF-8, then each
 * part, starting at a multiple of 8 from the start of the packet, so that typed-array views need no copy when the packet
 * itself is aligned.
 */
export interface Packet {
  readonly head: JsonValue;
  readonly parts: readonly Uint8Array[];
}

const PART_ALIGNMENT = 8;
const PARTS_MAX = 65_536;
const decoder = new TextDecoder('utf-8', { fatal: true });

export function encodedPacketBytes(headBytes: number, parts: readonly Uint8Array[]): number {
  let size = align(8 + 4 * parts.length + headBytes);
  for (const part of parts) size = align(size + part.byteLength);
  return size;
}

export function encodePacket(packet: Packet): Uint8Array<ArrayBuffer> {
  const layout = layoutPacket(packet);
  const bytes = Buffer.from(new ArrayBuffer(layout.sizeBytes));
  writePacketPrefix(layout, packet, bytes, 0);
  let offset = layout.partsOffset;
  for (const part of packet.parts) {
    bytes.set(part, offset);
    offset = align(offset + part.byteLength);
  }
  return new Uint8Array(bytes.buffer);
}

/** Where the pieces of an encoded packet go, for writers that send the parts without copying them together first. */
export interface PacketLayout {
  readonly headJson: string;
  readonly headBytes: number;
  /** Offset of the first part; everything before it is the prefix. */
  readonly partsOffset: number;
  readonly sizeBytes: number;
}

export function layoutPacket(packet: Packet): PacketLayout {
  const headJson = JSON.stringify(packet.head);
  const headBytes = Buffer.byteLength(headJson);
  return {
    headJson,
    headBytes,
    partsOffset: align(8 + 4 * packet.parts.length + headBytes),
    sizeBytes: encodedPacketBytes(headBytes, packet.parts),
  };
}

/** Writes `[0, layout.partsOffset)` of the encoded packet at `offset`. The parts follow, each padded to a multiple of 8. */
export function writePacketPrefix(
  layout: PacketLayout,
  packet: Packet,
  target: Buffer,
  offset: number,
): void {
  let at = target.writeUInt32LE(layout.headBytes, offset);
  at = target.writeUInt32LE(packet.parts.length, at);
  for (const part of packet.parts) at = target.writeUInt32LE(part.byteLength, at);
  at += target.write(layout.headJson, at, layout.headBytes, 'utf8');
  target.fill(0, at, offset + layout.partsOffset);
}

/** Parts are views into `bytes`. Throws `CORRUPT_DATA` on anything that is not exactly one packet. */
export function decodePacket(bytes: Uint8Array): Packet {
  if (bytes.byteLength < 8) throw corrupt(`${bytes.byteLength} bytes are too few for a packet`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headBytes = view.getUint32(0, true);
  const partCount = view.getUint32(4, true);
  const headOffset = 8 + 4 * partCount;
  if (partCount > PARTS_MAX || headOffset + headBytes > bytes.byteLength)
    throw corrupt('the packet header is out of bounds');
  let offset = align(headOffset + headBytes);
  const parts: Uint8Array[] = [];
  for (let index = 0; index < partCount; index++) {
    const length = view.getUint32(8 + 4 * index, true);
    if (offset + length > bytes.byteLength) throw corrupt(`part ${index} of the packet is out of bounds`);
    parts.push(bytes.subarray(offset, offset + length));
    offset = align(offset + length);
  }
  if (offset !== bytes.byteLength) throw corrupt(`the packet ends at ${offset} of ${bytes.byteLength} bytes`);
  return { head: parseHead(bytes.subarray(headOffset, headOffset + headBytes)), parts };
}

function parseHead(bytes: Uint8Array): JsonValue {
  try {
    return JSON.parse(decoder.decode(bytes)) as JsonValue;
  } catch (error) {
    throw new MishardsError('CORRUPT_DATA', 'the packet head is not JSON', { cause: error });
  }
}

function align(offset: number): number {
  return Math.ceil(offset / PART_ALIGNMENT) * PART_ALIGNMENT;
}

function corrupt(message: string): MishardsError {
  return new MishardsError('CORRUPT_DATA', message);
}
