import type { FuzzTarget } from '../fuzz-target.ts';
import { encodePacket } from '../../../src/util/packet.ts';
import { decodeError, decodeRequest } from '../../../src/wire/socket/call-codec.ts';
import { FrameDecoder } from '../../../src/wire/socket/frame-decoder.ts';
import {
  HEADER_BYTES,
  HELLO_BYTES,
  align8,
  decodeHello,
  encodeHello,
  writeHeader,
  type FrameKind,
} from '../../../src/wire/socket/frame.ts';
import { DEFAULT_WIRE_LIMITS } from '../../../src/wire/wire-limits.ts';

const FRAME_BYTES_MAX = 2 ** 20;
/** No valid frame begins with it: its length would not be a multiple of 8. */
const HELLO_START = encodeHello(DEFAULT_WIRE_LIMITS)[0];
const META = 'reader.search\n{"traceparent":"00-1"}';

/** The bytes one side of a connection receives, in chunks as a socket may give them. */
export const frameTarget: FuzzTarget = {
  seeds: (random) => {
    const packet = encodePacket({
      head: { code: 'INTERNAL', message: 'x' },
      parts: [new Uint8Array(24).map(() => random.below(256)), new Uint8Array(3)],
    });
    const frames = [
      frame('request', packet, META, 1_000),
      frame('response', packet),
      frame('error', packet),
      ...(['cancel', 'heartbeat', 'goaway'] as const).map((kind) => frame(kind, new Uint8Array(0))),
    ];
    return [...frames, Buffer.concat(frames), Buffer.from(encodeHello(DEFAULT_WIRE_LIMITS))];
  },
  run(input, random) {
    if (input[0] === HELLO_START && input.byteLength >= HELLO_BYTES) {
      decodeHello(input);
      return;
    }
    const decoder = new FrameDecoder(FRAME_BYTES_MAX);
    for (let at = 0; at < input.byteLength;) {
      const end = Math.min(input.byteLength, at + 1 + random.below(random.below(2) === 0 ? 40 : 4_096));
      decoder.feed(Buffer.from(input.subarray(at, end)));
      at = end;
      for (let found = decoder.next(); found !== null; found = decoder.next()) {
        if (found.body.byteLength !== found.bodyBytes || found.body.byteOffset % 8 !== 0)
          throw new Error(`a body of ${found.body.byteLength} bytes instead of ${found.bodyBytes}`);
        if (found.kind === 'request') decodeRequest(found);
        if (found.kind === 'error') decodeError(found);
      }
    }
  },
};

function frame(kind: FrameKind, packet: Uint8Array, meta = '', timeoutMs = 0): Buffer {
  const metaBytes = Buffer.byteLength(meta);
  const bodyBytes = align8(metaBytes) + packet.byteLength;
  const bytes = Buffer.alloc(HEADER_BYTES + bodyBytes);
  const hasCall = kind !== 'heartbeat' && kind !== 'goaway';
  writeHeader(bytes, 0, { kind, bodyBytes, metaBytes, callId: hasCall ? 7 : 0, timeoutMs });
  bytes.write(meta, HEADER_BYTES);
  bytes.set(packet, HEADER_BYTES + align8(metaBytes));
  return bytes;
}
