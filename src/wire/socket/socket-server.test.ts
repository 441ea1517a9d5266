import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { testSeed } from '../../../test/support/seed.ts';
import { spawnWireChild } from '../../../test/support/spawn-wire-child.ts';
import { SeededRandom } from '../../host/index.ts';
import { createNodeHost } from '../../host/node/index.ts';
import { DEFAULT_WIRE_LIMITS } from '../wire-limits.ts';
import type { WireHandler } from '../wire.ts';
import type { WireProtocolError } from './frame-channel.ts';
import { encodeHello } from './frame.ts';
import { SocketWire } from './socket-wire.ts';

const echo: WireHandler = async (_method, request) => request;
const request = { head: null, parts: [] };
const TIMEOUT = { timeoutMs: 60_000 };

function portOf(address: string): number {
  return Number(new URL(address).port);
}

/** Sends raw bytes and waits until the server has closed the connection. */
async function abuse(address: string, bytes: Uint8Array): Promise<void> {
  const socket = connect(portOf(address), '127.0.0.1');
  socket.on('error', () => {});
  socket.write(bytes);
  socket.resume();
  await once(socket, 'close');
}

test('malformed bytes close their connection only, and are reported', async (context) => {
  context.diagnostic(`seed ${testSeed}`);
  const events: WireProtocolError[] = [];
  const wire = new SocketWire(createNodeHost(testSeed), { onProtocolError: (event) => events.push(event) });
  await using server = await wire.listen('tcp://127.0.0.1:0', echo);
  await using peer = wire.connect(server.address);
  await peer.call('echo', request, TIMEOUT);
  const random = new SeededRandom(testSeed);
  const hello = encodeHello(DEFAULT_WIRE_LIMITS);
  for (let round = 0; round < 30; round++) {
    const garbage = Buffer.from(Array.from({ length: 64 }, () => random.below(256)));
    // A kind no protocol version has, so that no garbage can pass for a frame.
    garbage[4] = 200;
    await abuse(server.address, round % 2 === 0 ? garbage : Buffer.concat([hello, garbage]));
  }
  assert.equal(events.length, 30);
  for (const event of events) {
    assert.equal(event.error.code, 'CORRUPT_DATA');
    assert.match(event.remote, /127\.0\.0\.1:\d+/);
  }
  await peer.call('echo', request, TIMEOUT);
});

test('another protocol or version is refused by name', async () => {
  const events: WireProtocolError[] = [];
  const wire = new SocketWire(createNodeHost(1), { onProtocolError: (event) => events.push(event) });
  await using server = await wire.listen('tcp://127.0.0.1:0', echo);
  const newer = encodeHello(DEFAULT_WIRE_LIMITS);
  newer[4] = 2;
  await abuse(server.address, newer);
  await abuse(server.address, Buffer.from('GET / HTTP/1.1\r\nHost: example\r\n\r\n'));
  assert.match(events[0]!.error.message, /version 2/);
  assert.match(events[1]!.error.message, /does not speak/);
});

test('a caller that never shakes hands is let go', async () => {
  const wire = new SocketWire(createNodeHost(1), { limits: { connectTimeoutMs: 20 } });
  await using server = await wire.listen('tcp://127.0.0.1:0', echo);
  await abuse(server.address, new Uint8Array(0));
});

test('connections above the bound are closed and reported', async () => {
  const events: WireProtocolError[] = [];
  const wire = new SocketWire(createNodeHost(1), {
    limits: { connectionsMax: 1 },
    onProtocolError: (event) => events.push(event),
  });
  await using server = await wire.listen('tcp://127.0.0.1:0', echo);
  await using first = wire.connect(server.address);
  await first.call('echo', request, TIMEOUT);
  await using second = wire.connect(server.address);
  await assert.rejects(second.call('echo', request, TIMEOUT), { code: 'UNREACHABLE' });
  assert.match(events[0]!.error.message, /wire\.connections_max/);
});

test('failed attempts to connect are spaced out, and calls between them fail fast', async () => {
  const host = createNodeHost(1);
  let nowMs = 0;
  const clock = { nowMs: () => nowMs, monotonicMs: () => nowMs };
  const wire = new SocketWire({ ...host, clock }, { limits: { reconnectMinMs: 100, reconnectMaxMs: 1_000 } });
  const server = await wire.listen('tcp://127.0.0.1:0', echo);
  await server[Symbol.asyncDispose]();
  await using peer = wire.connect(server.address);
  const messageOf = async (): Promise<string> => {
    const error: unknown = await peer.call('echo', request, TIMEOUT).catch((reason: unknown) => reason);
    assert.ok(error instanceof Error);
    return error.message;
  };
  for (const waitMs of [100, 200, 400, 800, 1_000, 1_000]) {
    assert.match(await messageOf(), /ECONNREFUSED/);
    nowMs += waitMs / 2 - 1;
    const between = await messageOf();
    const leftMs = Number(/next attempt is in (\d+) ms/.exec(between)?.[1]);
    assert.ok(leftMs >= 1 && leftMs <= waitMs / 2 + 1, between);
    nowMs += waitMs / 2 + 1;
  }
});

test('the file of a killed process’s Unix socket is replaced, any other file is not', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'mishards-wire-'));
  try {
    const wire = new SocketWire(createNodeHost(1));
    const child = await spawnWireChild(`unix://${directory}/a.sock`);
    await child.kill('SIGKILL');
    await using server = await wire.listen(child.address, echo);
    await using peer = wire.connect(server.address);
    await peer.call('echo', request, TIMEOUT);
    writeFileSync(join(directory, 'notes'), 'precious');
    await assert.rejects(wire.listen(`unix://${directory}/notes`, echo), { code: 'CONFIG_INVALID' });
  } finally {
    rmSync(directory, { recursive: true });
  }
});
