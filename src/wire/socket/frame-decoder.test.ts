import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testSeed } from '../../../test/support/seed.ts';
import { isErrorWithCode } from '../../errors/index.ts';
import { SeededRandom, type Random } from '../../host/index.ts';
import { encodePacket } from '../../util/packet.ts';
import { decodeError, decodeRequest } from './call-codec.ts';
import { FrameDecoder } from './frame-decoder.ts';
import { HEADER_BYTES, align8, writeHeader, type Frame, type FrameHeader, type FrameKind } from './frame.ts';

const FRAME_BYTES_MAX = 64 * 1024;

function makeFrame(
  fields: Partial<FrameHeader> & { kind: FrameKind },
  body: Uint8Array = new Uint8Array(0),
): Buffer {
  const frame = Buffer.alloc(HEADER_BYTES + body.byteLength);
  writeHeader(frame, 0, { bodyBytes: body.byteLength, metaBytes: 0, callId: 0, timeoutMs: 0, ...fields });
  frame.set(body, HEADER_BYTES);
  return frame;
}

function makeRequest(random: Random, callId: number): Buffer {
  const meta = Buffer.from(random.below(2) === 0 ? 'search' : 'search\n{"traceparent":"00-1-2-01"}');
  const part = new Uint8Array(random.below(9_000)).fill(random.below(256));
  const packet = encodePacket({ head: { callId }, parts: [part] });
  const body = new Uint8Array(align8(meta.byteLength) + packet.byteLength);
  body.set(meta);
  body.set(packet, align8(meta.byteLength));
  return makeFrame({ kind: 'request', callId, metaBytes: meta.byteLength, timeoutMs: 1_000 }, body);
}

function makeStream(random: Random): Buffer {
  const frames = Array.from({ length: 1 + random.below(20) }, (_, index) => {
    if (random.below(3) > 0) return makeRequest(random, index);
    const kind = (['cancel', 'heartbeat', 'goaway'] as const)[random.below(3)]!;
    return makeFrame({ kind, callId: kind === 'cancel' ? index : 0 });
  });
  return Buffer.concat(frames);
}

/** Feeds the stream in random pieces, some at odd addresses, and decodes each frame as a connection would. */
function decodeInPieces(stream: Buffer, random: Random): Frame[] {
  const decoder = new FrameDecoder(FRAME_BYTES_MAX);
  const frames: Frame[] = [];
  for (let start = 0; start < stream.byteLength;) {
    const end = Math.min(stream.byteLength, start + 1 + random.below(random.below(2) === 0 ? 40 : 20_000));
    const shift = random.below(9);
    const piece = Buffer.alloc(shift + end - start).subarray(shift);
    stream.copy(piece, 0, start, end);
    decoder.feed(piece);
    start = end;
    for (let frame = decoder.next(); frame !== null; frame = decoder.next()) {
      assert.equal(frame.body.byteOffset % 8, 0);
      assert.equal(frame.body.byteLength, frame.bodyBytes);
      if (frame.kind === 'request') decodeRequest(frame);
      if (frame.kind === 'error') decodeError(frame);
      frames.push(frame);
    }
  }
  return frames;
}

test('the decoder finds the same frames however the stream is cut', (context) => {
  context.diagnostic(`seed ${testSeed}`);
  const random = new SeededRandom(testSeed);
  for (let round = 0; round < 300; round++) {
    const stream = makeStream(random);
    const frames = decodeInPieces(stream, random);
    const again = Buffer.concat(frames.map((frame) => makeFrame(frame, frame.body)));
    assert.deepEqual(again, stream);
  }
});

test('mutated and random bytes are refused as CORRUPT_DATA and nothing else', (context) => {
  context.diagnostic(`seed ${testSeed}`);
  const random = new SeededRandom(testSeed).fork('mutations');
  let refused = 0;
  for (let round = 0; round < 3_000; round++) {
    const stream = round % 4 === 0 ? Buffer.alloc(random.below(2_000)) : makeStream(random);
    const changes = round % 4 === 0 ? stream.byteLength : 1 + random.below(4);
    for (let change = 0; change < changes; change++) {
      if (stream.byteLength > 0) stream[random.below(stream.byteLength)] = random.below(256);
    }
    try {
      decodeInPieces(stream, random);
    } catch (error) {
      assert.ok(isErrorWithCode(error, 'CORRUPT_DATA'), `seed ${testSeed}, round ${round}: ${String(error)}`);
      refused++;
    }
  }
  context.diagnostic(`${refused} of 3000 streams refused`);
  assert.ok(refused > 500);
});

test('every field of a header is checked', () => {
  const cases: [string, Buffer][] = [
    ['unknown kind', patched(makeFrame({ kind: 'heartbeat' }), 4, 17)],
    ['reserved byte', patched(makeFrame({ kind: 'heartbeat' }), 5, 1)],
    ['body above the bound', makeFrame({ kind: 'response', bodyBytes: FRAME_BYTES_MAX })],
    ['odd body', makeFrame({ kind: 'response', bodyBytes: 12 })],
    ['heartbeat with a call', makeFrame({ kind: 'heartbeat', callId: 1 })],
    ['cancel with a body', makeFrame({ kind: 'cancel', bodyBytes: 8 })],
    ['response with time', makeFrame({ kind: 'response', timeoutMs: 1 })],
    ['request without a method', makeFrame({ kind: 'request', bodyBytes: 8, timeoutMs: 1 })],
    ['request without time', makeFrame({ kind: 'request', bodyBytes: 8, metaBytes: 3 })],
    ['method beyond the body', makeFrame({ kind: 'request', bodyBytes: 8, metaBytes: 9, timeoutMs: 1 })],
  ];
  for (const [what, bytes] of cases) {
    const decoder = new FrameDecoder(FRAME_BYTES_MAX);
    decoder.feed(bytes);
    assert.throws(() => decoder.next(), { code: 'CORRUPT_DATA' }, what);
  }
});

function patched(bytes: Buffer, offset: number, value: number): Buffer {
  bytes[offset] = value;
  return bytes;
}
