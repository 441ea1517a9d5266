import { MishardsError } from '../../errors/index.ts';
import type { WireLimits } from '../wire-limits.ts';

/**
 * Bytes between two nodes, little-endian. Each side first sends a hello of 24 bytes:
 *
 *     u32 magic "MSHW", u16 version, u16 zero, u32 largest frame it accepts, u32 calls it serves at once,
 *     u32 milliseconds between its signs of life, u32 zero
 *
 * then frames of 16 + `bodyBytes` bytes. `bodyBytes` is a multiple of 8, so that every frame, and every part of the packet in
 * it, starts at a multiple of 8:
 *
 *     u32 bodyBytes, u8 kind, u8 zero, u16 metaBytes, u32 callId, u32 timeoutMs
 *
 *     request    metaBytes of `method` or `method LF trace-as-JSON`, zeros up to a multiple of 8, an encoded packet
 *     response   an encoded packet
 *     error      an encoded packet without parts whose head is `{ code, message }`
 *     cancel     the caller gave the call up
 *     heartbeat  sent when nothing else was sent for the announced time
 *     goaway     the server takes no new calls on this connection
 *
 * A caller sends request, cancel and heartbeat; a server the others and heartbeat. Everything else closes the connection.
 */
export const FRAME_KINDS = ['request', 'response', 'error', 'cancel', 'heartbeat', 'goaway'] as const;
export type FrameKind = (typeof FRAME_KINDS)[number];

export const HEADER_BYTES = 16;
export const HELLO_BYTES = 24;
export const META_BYTES_MAX = 0xffff;
const PROTOCOL_VERSION = 1;
const MAGIC = 0x5748534d;
const HEARTBEAT_MS_MAX = 600_000;

export interface FrameHeader {
  readonly kind: FrameKind;
  readonly bodyBytes: number;
  readonly metaBytes: number;
  readonly callId: number;
  readonly timeoutMs: number;
}

export interface Frame extends FrameHeader {
  /** Starts at a multiple of 8 of its buffer. */
  readonly body: Uint8Array;
}

export interface Hello {
  readonly frameBytesMax: number;
  readonly callsMax: number;
  readonly heartbeatMs: number;
}

export function align8(bytes: number): number {
  return Math.ceil(bytes / 8) * 8;
}

export function violation(message: string, cause?: unknown): MishardsError {
  return new MishardsError('CORRUPT_DATA', message, { cause });
}

export function encodeHello(limits: WireLimits): Uint8Array {
  const bytes = new Uint8Array(HELLO_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint16(4, PROTOCOL_VERSION, true);
  view.setUint32(8, limits.frameBytesMax, true);
  view.setUint32(12, limits.callsMax, true);
  view.setUint32(16, limits.heartbeatMs, true);
  return bytes;
}

export function decodeHello(bytes: Uint8Array): Hello {
  const view = new DataView(bytes.buffer, bytes.byteOffset, HELLO_BYTES);
  if (view.getUint32(0, true) !== MAGIC) throw violation('the other side does not speak the node protocol');
  const version = view.getUint16(4, true);
  if (version !== PROTOCOL_VERSION) {
    throw violation(
      `the other side speaks version ${version} of the node protocol, this process ${PROTOCOL_VERSION}`,
    );
  }
  const hello = {
    frameBytesMax: view.getUint32(8, true),
    callsMax: view.getUint32(12, true),
    heartbeatMs: view.getUint32(16, true),
  };
  if (hello.frameBytesMax < HEADER_BYTES || hello.callsMax < 1) throw violation('the hello allows no calls');
  if (hello.heartbeatMs < 1 || hello.heartbeatMs > HEARTBEAT_MS_MAX) {
    throw violation(`the hello announces signs of life every ${hello.heartbeatMs} ms`);
  }
  return hello;
}

export function writeHeader(target: Buffer, offset: number, header: FrameHeader): void {
  target.writeUInt32LE(header.bodyBytes, offset);
  target.writeUInt8(FRAME_KINDS.indexOf(header.kind), offset + 4);
  target.writeUInt8(0, offset + 5);
  target.writeUInt16LE(header.metaBytes, offset + 6);
  target.writeUInt32LE(header.callId, offset + 8);
  target.writeUInt32LE(header.timeoutMs, offset + 12);
}

export function readHeader(bytes: Buffer, offset: number, frameBytesMax: number): FrameHeader {
  const header = {
    kind: kindOf(bytes.readUInt8(offset + 4)),
    bodyBytes: bytes.readUInt32LE(offset),
    metaBytes: bytes.readUInt16LE(offset + 6),
    callId: bytes.readUInt32LE(offset + 8),
    timeoutMs: bytes.readUInt32LE(offset + 12),
  };
  if (HEADER_BYTES + header.bodyBytes > frameBytesMax) {
    throw violation(
      `a frame of ${HEADER_BYTES + header.bodyBytes} bytes is above the limit ${frameBytesMax}`,
    );
  }
  checkShape(header, bytes.readUInt8(offset + 5));
  return header;
}

function kindOf(value: number): FrameKind {
  const kind = FRAME_KINDS[value];
  if (kind === undefined) throw violation(`frame kind ${value} is unknown`);
  return kind;
}

function checkShape(header: FrameHeader, reserved: number): void {
  const { kind, bodyBytes, metaBytes, timeoutMs, callId } = header;
  if (reserved !== 0) throw violation(`the reserved byte of a frame is ${reserved}`);
  if (bodyBytes % 8 !== 0) throw violation(`a body of ${bodyBytes} bytes is not a multiple of 8`);
  switch (kind) {
    case 'request':
      if (metaBytes === 0 || align8(metaBytes) > bodyBytes) throw violation('a request without a method');
      if (timeoutMs === 0) throw violation('a request without time');
      return;
    case 'response':
    case 'error':
      if (metaBytes !== 0 || timeoutMs !== 0) throw violation(`a frame ${kind} with fields of a request`);
      return;
    case 'cancel':
      if (bodyBytes + metaBytes + timeoutMs !== 0) throw violation('a frame cancel with a body');
      return;
    case 'heartbeat':
    case 'goaway':
      if (bodyBytes + metaBytes + timeoutMs + callId !== 0) throw violation(`a frame ${kind} with a body`);
  }
}
