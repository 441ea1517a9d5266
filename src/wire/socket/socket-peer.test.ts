import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { test } from 'node:test';
import type { Host, Timers } from '../../host/index.ts';
import { createNodeHost } from '../../host/node/index.ts';
import { DEFAULT_WIRE_LIMITS } from '../wire-limits.ts';
import type { WireProtocolError } from './frame-channel.ts';
import { HEADER_BYTES, encodeHello, writeHeader, type FrameHeader, type FrameKind } from './frame.ts';
import { SocketWire } from './socket-wire.ts';

const request = { head: null, parts: [] };
const TIMEOUT = { timeoutMs: 60_000 };

interface RawServer extends AsyncDisposable {
  readonly address: string;
}

/** A server of raw bytes: `onConnection` does what it likes with each caller. */
async function rawServer(onConnection: (socket: Socket) => void): Promise<RawServer> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket.on('error', () => {}));
    onConnection(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const bound = server.address();
  assert.ok(typeof bound === 'object' && bound !== null);
  const close = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  };
  return { address: `tcp://127.0.0.1:${bound.port}`, [Symbol.asyncDispose]: close };
}

function frame(kind: FrameKind, fields: Partial<FrameHeader>, body: Uint8Array): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES + body.byteLength);
  const none = { bodyBytes: body.byteLength, metaBytes: 0, callId: 0, timeoutMs: 0 };
  writeHeader(bytes, 0, { kind, ...none, ...fields });
  bytes.set(body, HEADER_BYTES);
  return bytes;
}

test('malformed answers lose the connection at once, and are reported', async () => {
  const answers: [RegExp, Uint8Array][] = [
    [/does not speak/, Buffer.alloc(64, 'x')],
    [/out of bounds/, frame('response', { callId: 1 }, new Uint8Array(8).fill(0xff))],
    [/without code/, frame('error', { callId: 1 }, encodedPacket('7'))],
    [/server sent a frame request/, frame('request', { metaBytes: 1, timeoutMs: 1 }, new Uint8Array(8))],
    [/server sent a frame cancel/, frame('cancel', { callId: 1 }, new Uint8Array(0))],
  ];
  for (const [index, [message, answer]] of answers.entries()) {
    const events: WireProtocolError[] = [];
    await using server = await rawServer((socket) => {
      if (index > 0) socket.write(encodeHello(DEFAULT_WIRE_LIMITS));
      socket.write(answer);
    });
    const wire = new SocketWire(createNodeHost(1), { onProtocolError: (event) => events.push(event) });
    await using peer = wire.connect(server.address);
    const code = index > 0 ? 'CONNECTION_LOST' : 'UNREACHABLE';
    await assert.rejects(peer.call('echo', request, TIMEOUT), { code, message });
    assert.equal(events.length, 1);
    assert.match(events[0]!.error.message, message);
  }
});

test('a server that never shakes hands ends neither later than the deadline nor the time to connect', async () => {
  await using server = await rawServer(() => {});
  const patient = new SocketWire(createNodeHost(1)).connect(server.address);
  await assert.rejects(patient.call('echo', request, { timeoutMs: 20 }), { code: 'DEADLINE_EXCEEDED' });
  await patient[Symbol.asyncDispose]();
  const hasty = new SocketWire(createNodeHost(1), { limits: { connectTimeoutMs: 20 } });
  await using peer = hasty.connect(server.address);
  await assert.rejects(peer.call('echo', request, TIMEOUT), {
    code: 'UNREACHABLE',
    message: /no connection within 20 ms/,
  });
});

test('answers to calls that were given up are dropped', async () => {
  const wire = new SocketWire(createNodeHost(1));
  const gate = Promise.withResolvers<void>();
  await using server = await wire.listen('tcp://127.0.0.1:0', async (method, received) => {
    if (method === 'slow') await gate.promise;
    return received;
  });
  await using peer = wire.connect(server.address);
  await peer.call('echo', request, TIMEOUT);
  await assert.rejects(peer.call('slow', request, { timeoutMs: 10 }), { code: 'DEADLINE_EXCEEDED' });
  gate.resolve();
  assert.equal((await peer.call('echo', { head: 'next', parts: [] }, TIMEOUT)).head, 'next');
});

test('a caller held back and the server that holds it back do not take each other for silent', async () => {
  const beats = { count: 0, awaited: Promise.withResolvers<void>() };
  const host: Host = createNodeHost(1);
  const timers: Timers = {
    ...host.timers,
    every: (intervalMs, callback) =>
      host.timers.every(intervalMs, () => {
        // Two sides with two timers each: ten intervals, where three would be silence.
        if (++beats.count === 40) beats.awaited.resolve();
        callback();
      }),
  };
  const limits = { heartbeatMs: 10, servedBytesMax: 64 * 1024 };
  const wire = new SocketWire({ ...host, timers }, { limits });
  const gate = Promise.withResolvers<void>();
  await using server = await wire.listen('tcp://127.0.0.1:0', async () => {
    await gate.promise;
    return request;
  });
  await using peer = wire.connect(server.address);
  const big = { head: null, parts: [new Uint8Array(8 * 1024 * 1024)] };
  const calls = [1, 2, 3, 4].map(() => peer.call('slow', big, TIMEOUT));
  await beats.awaited.promise;
  gate.resolve();
  await Promise.all(calls);
});

/** A packet without parts; `json` of up to 8 characters. */
function encodedPacket(json: string): Uint8Array {
  const bytes = Buffer.alloc(16, 0);
  bytes.writeUInt32LE(json.length, 0);
  bytes.write(json, 8);
  return bytes;
}
