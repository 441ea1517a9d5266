import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MishardsError, type ErrorCode } from '../../src/errors/index.ts';
import { SeededRandom } from '../../src/host/index.ts';
import type { JsonValue, Packet } from '../../src/util/packet.ts';
import type { WireLimits } from '../../src/wire/wire-limits.ts';
import type { CallContext, Wire, WireHandler, WirePeer, WireServer } from '../../src/wire/wire.ts';
import { spawnWireChild } from '../support/spawn-wire-child.ts';

export interface WireSuite {
  readonly name: string;
  /** An address to listen at, a new one with each call. */
  address(): string;
  createWire(limits?: Partial<WireLimits>): Wire;
  /** `NOT_SUPPORTED`: packets pass by reference, so they have no size, no frames, and no process can die alone. */
  readonly processes: 'supported' | 'NOT_SUPPORTED';
}

interface Pair extends AsyncDisposable {
  readonly wire: Wire;
  readonly server: WireServer;
  readonly peer: WirePeer;
}

const TIMEOUT = { timeoutMs: 60_000 };
const packet = (head: JsonValue, ...parts: Uint8Array[]): Packet => ({ head, parts });
const echo: WireHandler = async (_method, request) => request;

export function wireConformance(suite: WireSuite): void {
  const pair = async (handler: WireHandler, limits?: Partial<WireLimits>): Promise<Pair> => {
    const wire = suite.createWire(limits);
    const stack = new AsyncDisposableStack();
    const server = stack.use(await wire.listen(suite.address(), handler));
    const peer = stack.use(wire.connect(server.address));
    return { wire, server, peer, [Symbol.asyncDispose]: () => stack.disposeAsync() };
  };
  const check = (what: string, body: () => Promise<void>): void => {
    test(`${suite.name}: ${what}`, body);
  };
  registerCalls(check, pair);
  registerEnds(check, pair);
  registerServing(check, pair, suite);
  if (suite.processes === 'supported') registerProcesses(check, pair, suite);
  else test(`${suite.name}: NOT_SUPPORTED death of a process, size of frames`, () => {});
}

type Check = (what: string, body: () => Promise<void>) => void;
type MakePair = (handler: WireHandler, limits?: Partial<WireLimits>) => Promise<Pair>;

function registerCalls(check: Check, pair: MakePair): void {
  check('parts of every size come back, aligned to 8 bytes', async () => {
    await using both = await pair(async (_method, request) => {
      for (const part of request.parts) assert.equal(part.byteOffset % 8, 0);
      return request;
    });
    const random = new SeededRandom(7);
    const sizes = [0, 1, 7, 8, 9, 4095, 4096, 4097, 65_535, 65_536, 1_000_003];
    for (let round = 0; round < sizes.length; round++) {
      const parts = sizes.slice(0, round + 1).map((size) => bytes(size, random));
      const answer = await both.peer.call('echo', packet({ round, text: 'é\n"' }, ...parts), TIMEOUT);
      assert.deepEqual(answer.head, { round, text: 'é\n"' });
      assert.equal(answer.parts.length, parts.length);
      answer.parts.forEach((part, index) => {
        assert.equal(part.byteOffset % 8, 0);
        assert.deepEqual(part, parts[index]);
      });
    }
  });

  check('method, time left and trace context arrive', async () => {
    const seen: { method: string; context: CallContext }[] = [];
    await using both = await pair(async (method, _request, context) => {
      seen.push({ method, context });
      return packet(null);
    });
    const trace = {
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      tracestate: 'a=ü',
    };
    await both.peer.call('reader.search', packet(null), { timeoutMs: 5_000, trace });
    await both.peer.call('ping', packet(null), { timeoutMs: 5_000 });
    assert.deepEqual(
      seen.map((call) => [call.method, call.context.trace]),
      [
        ['reader.search', trace],
        ['ping', {}],
      ],
    );
    for (const { context } of seen) assert.ok(context.timeoutMs > 0 && context.timeoutMs <= 5_000);
  });

  check('typed errors arrive as thrown, others as INTERNAL', async () => {
    await using both = await pair((method) => {
      if (method === 'typed') throw new MishardsError('STALE_PLAN', 'revision 7 is behind 9');
      return Promise.reject(new TypeError('x is not a function'));
    });
    const typed = await failure(both.peer.call('typed', packet(null), TIMEOUT), 'STALE_PLAN');
    assert.equal(typed.message, 'revision 7 is behind 9');
    assert.equal(typed.retriable, true);
    const other = await failure(both.peer.call('other', packet(null), TIMEOUT), 'INTERNAL');
    assert.equal(other.message, 'x is not a function');
  });

  check('1 000 concurrent calls each get their own answer', async () => {
    const gate = Promise.withResolvers<void>();
    let arrived = 0;
    await using both = await pair(async (_method, request) => {
      if (++arrived === 1_000) gate.resolve();
      await gate.promise;
      return request;
    });
    const random = new SeededRandom(11);
    const calls = Array.from({ length: 1_000 }, async (_, id) => {
      const part = bytes(random.below(3_000), random);
      const answer = await both.peer.call('echo', packet(id, part), TIMEOUT);
      assert.equal(answer.head, id);
      assert.deepEqual(answer.parts, [part]);
    });
    await Promise.all(calls);
    assert.equal(arrived, 1_000);
  });
}

function registerEnds(check: Check, pair: MakePair): void {
  check('a deadline ends the call on both sides', async () => {
    const aborted = Promise.withResolvers<unknown>();
    await using both = await pair(async (method, request, context) => {
      if (method === 'echo') return request;
      const reason = await abortOf(context.signal);
      aborted.resolve(reason);
      throw reason;
    });
    // Connecting may take longer than the deadline, and then the handler would never hear of the call.
    await both.peer.call('echo', packet(null), TIMEOUT);
    await failure(both.peer.call('slow', packet(null), { timeoutMs: 30 }), 'DEADLINE_EXCEEDED');
    assert.ok(['DEADLINE_EXCEEDED', 'CANCELLED'].includes(codeOf(await aborted.promise)));
  });

  check('a call without time left is not sent', async () => {
    let calls = 0;
    await using both = await pair(async (_method, request) => {
      calls++;
      return request;
    });
    await failure(both.peer.call('echo', packet(null), { timeoutMs: 0 }), 'DEADLINE_EXCEEDED');
    await failure(both.peer.call('echo', packet(null), { timeoutMs: -5 }), 'DEADLINE_EXCEEDED');
    const aborted = { timeoutMs: 100, signal: AbortSignal.abort() };
    await failure(both.peer.call('echo', packet(null), aborted), 'CANCELLED');
    await both.peer.call('echo', packet(null), TIMEOUT);
    assert.equal(calls, 1);
  });

  check('a cancel rejects at once and aborts the handler', async () => {
    const started = Promise.withResolvers<void>();
    const aborted = Promise.withResolvers<unknown>();
    await using both = await pair(async (_method, _request, context) => {
      started.resolve();
      aborted.resolve(await abortOf(context.signal));
      throw new MishardsError('INTERNAL', 'this answer must not arrive');
    });
    const controller = new AbortController();
    const call = both.peer.call('slow', packet(null), { ...TIMEOUT, signal: controller.signal });
    await started.promise;
    controller.abort();
    await failure(call, 'CANCELLED');
    assert.equal(codeOf(await aborted.promise), 'CANCELLED');
  });

  check('a typed reason of the signal is passed on', async () => {
    await using both = await pair(() => new Promise(() => {}));
    const controller = new AbortController();
    const call = both.peer.call('slow', packet(null), { ...TIMEOUT, signal: controller.signal });
    controller.abort(new MishardsError('DEADLINE_EXCEEDED', 'the search took too long'));
    await failure(call, 'DEADLINE_EXCEEDED');
  });

  check('a closed server loses its calls and aborts their handlers', async () => {
    const started = Promise.withResolvers<void>();
    const aborted = Promise.withResolvers<unknown>();
    await using both = await pair(async (_method, _request, context) => {
      started.resolve();
      aborted.resolve(await abortOf(context.signal));
      return packet(null);
    });
    const call = failure(both.peer.call('slow', packet(null), TIMEOUT), 'CONNECTION_LOST');
    await started.promise;
    await both.server[Symbol.asyncDispose]();
    await call;
    assert.equal(codeOf(await aborted.promise), 'CONNECTION_LOST');
    await failure(both.peer.call('slow', packet(null), TIMEOUT), 'UNREACHABLE');
  });

  check('a closed peer loses its calls and takes no more', async () => {
    const started = Promise.withResolvers<void>();
    const aborted = Promise.withResolvers<unknown>();
    await using both = await pair(async (_method, _request, context) => {
      started.resolve();
      aborted.resolve(await abortOf(context.signal));
      return packet(null);
    });
    const call = failure(both.peer.call('slow', packet(null), TIMEOUT), 'CONNECTION_LOST');
    await started.promise;
    await both.peer[Symbol.asyncDispose]();
    await call;
    assert.equal(codeOf(await aborted.promise), 'CONNECTION_LOST');
    await failure(both.peer.call('slow', packet(null), TIMEOUT), 'CONNECTION_LOST');
  });
}

function registerServing(check: Check, pair: MakePair, suite: WireSuite): void {
  check('more calls than the bound are refused with OVERLOADED', async () => {
    const gate = Promise.withResolvers<void>();
    await using both = await pair(
      async (_method, request) => {
        await gate.promise;
        return request;
      },
      { callsMax: 8 },
    );
    const calls = Array.from({ length: 8 }, (_, id) => both.peer.call('slow', packet(id), TIMEOUT));
    const refused = await failure(both.peer.call('slow', packet(9), TIMEOUT), 'OVERLOADED');
    assert.match(refused.message, /wire\.calls_max/);
    gate.resolve();
    assert.deepEqual(
      (await Promise.all(calls)).map((answer) => answer.head),
      [0, 1, 2, 3, 4, 5, 6, 7],
    );
    await both.peer.call('slow', packet(10), TIMEOUT);
  });

  check('drain refuses new calls and waits for those under way', async () => {
    const started = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    await using both = await pair(async (_method, request) => {
      started.resolve();
      await gate.promise;
      return request;
    });
    const call = both.peer.call('slow', packet('late'), TIMEOUT);
    await started.promise;
    let drained = false;
    const drain = both.server.drain(60_000).then(() => {
      drained = true;
    });
    await failure(both.peer.call('slow', packet(null), TIMEOUT), 'SERVICE_NOT_READY');
    await using newcomer = both.wire.connect(both.server.address);
    await failure(newcomer.call('slow', packet(null), TIMEOUT), 'SERVICE_NOT_READY');
    assert.equal(drained, false);
    gate.resolve();
    assert.equal((await call).head, 'late');
    await drain;
  });

  check('drain ends when its time is up', async () => {
    const started = Promise.withResolvers<void>();
    await using both = await pair(() => {
      started.resolve();
      return new Promise(() => {});
    });
    const call = failure(both.peer.call('hang', packet(null), TIMEOUT), 'CONNECTION_LOST');
    await started.promise;
    await both.server.drain(10);
    await both.server[Symbol.asyncDispose]();
    await call;
  });

  check('drain without calls resolves at once', async () => {
    await using both = await pair(echo);
    await both.peer.call('echo', packet(null), TIMEOUT);
    await both.server.drain(60_000);
  });

  check('a peer finds a restarted server by itself', async () => {
    await using both = await pair(echo, { reconnectMinMs: 1, reconnectMaxMs: 5 });
    await both.peer.call('echo', packet(1), TIMEOUT);
    await both.server.drain(1_000);
    await both.server[Symbol.asyncDispose]();
    await untilCode(both.peer, 'UNREACHABLE');
    await using _again = await both.wire.listen(both.server.address, echo);
    await untilAnswered(both.peer);
  });

  check('a second server at one address is refused', async () => {
    await using both = await pair(echo);
    await assert.rejects(both.wire.listen(both.server.address, echo), { code: 'CONFIG_INVALID' });
    await both.peer.call('echo', packet(1), TIMEOUT);
  });

  check('nobody listening means that nothing was executed', async () => {
    const wire = suite.createWire();
    const gone = await wire.listen(suite.address(), echo);
    await gone[Symbol.asyncDispose]();
    await using peer = wire.connect(gone.address);
    await failure(peer.call('echo', packet(null), TIMEOUT), 'UNREACHABLE');
  });
}

function registerProcesses(check: Check, pair: MakePair, suite: WireSuite): void {
  check('a killed process loses its calls at once, and its successor is found', async () => {
    await using child = await spawnWireChild(suite.address());
    const wire = suite.createWire({ reconnectMinMs: 1, reconnectMaxMs: 5 });
    await using peer = wire.connect(child.address);
    await peer.call('echo', packet('up'), TIMEOUT);
    const calls = [1, 2, 3].map((id) => failure(peer.call('hang', packet(id), TIMEOUT), 'CONNECTION_LOST'));
    await peer.call('echo', packet('sent'), TIMEOUT);
    await child.kill('SIGKILL');
    await Promise.all(calls);
    await using _successor = await spawnWireChild(child.address);
    await untilAnswered(peer);
  });

  check('a silent process is a lost connection', async () => {
    await using child = await spawnWireChild(suite.address());
    const wire = suite.createWire({ heartbeatMs: 50 });
    await using peer = wire.connect(child.address);
    await peer.call('echo', packet('up'), TIMEOUT);
    child.process.kill('SIGSTOP');
    const lost = await failure(peer.call('echo', packet('still there?'), TIMEOUT), 'CONNECTION_LOST');
    assert.match(lost.message, /silent/);
  });

  check('a frame above the bound is refused and names it', async () => {
    await using both = await pair(
      async (method, request) => (method === 'grow' ? packet(null, new Uint8Array(70_000)) : request),
      { frameBytesMax: 65_536 },
    );
    const big = packet(null, new Uint8Array(65_536));
    const request = await failure(both.peer.call('echo', big, TIMEOUT), 'PARAMETER_TOO_LARGE');
    assert.match(request.message, /65536 of wire\.frame_bytes_max/);
    const answer = await failure(both.peer.call('grow', packet(null), TIMEOUT), 'PARAMETER_TOO_LARGE');
    assert.match(answer.message, /wire\.frame_bytes_max/);
    await both.peer.call('echo', packet('still usable'), TIMEOUT);
  });

  check('the larger side keeps to the smaller side’s bound', async () => {
    await using server = await suite.createWire({ frameBytesMax: 4_096 }).listen(suite.address(), echo);
    await using peer = suite.createWire().connect(server.address);
    const big = packet(null, new Uint8Array(5_000));
    await failure(peer.call('echo', big, TIMEOUT), 'PARAMETER_TOO_LARGE');
    await peer.call('echo', packet('connected'), TIMEOUT);
    await failure(peer.call('echo', big, TIMEOUT), 'PARAMETER_TOO_LARGE');
  });

  check('64 MiB travel whole under the default bound', async () => {
    await using both = await pair(echo);
    const part = new Uint8Array(64 * 1024 * 1024);
    for (let offset = 0; offset < part.byteLength; offset += 4_099) part[offset] = offset & 0xff;
    const answer = await both.peer.call('echo', packet(null, part), TIMEOUT);
    assert.equal(Buffer.compare(answer.parts[0]!, part), 0);
  });

  check('a slow handler holds its caller back within the bounds', async () => {
    let working = 0;
    let workingMax = 0;
    let release: (() => void)[] = [];
    await using server = await suite
      .createWire({ servedBytesMax: 1024 * 1024 })
      .listen(suite.address(), async () => {
        workingMax = Math.max(workingMax, ++working);
        await new Promise<void>((resolve) => release.push(resolve));
        working--;
        return packet(null);
      });
    await using peer = suite.createWire({ queuedBytesMax: 8 * 1024 * 1024 }).connect(server.address);
    const part = new Uint8Array(256 * 1024);
    const outcomes = Array.from({ length: 100 }, () =>
      peer.call('slow', packet(null, part), TIMEOUT).then(
        () => 'answered',
        (error: unknown) => codeOf(error),
      ),
    );
    let ended = 0;
    for (const outcome of outcomes) void outcome.then(() => ended++);
    while (ended < outcomes.length) {
      await new Promise((resolve) => setImmediate(resolve));
      release.splice(0).forEach((resolve) => resolve());
    }
    const counts = Object.groupBy(await Promise.all(outcomes), (outcome) => outcome);
    assert.deepEqual(Object.keys(counts).sort(), ['OVERLOADED', 'answered']);
    assert.ok(counts['answered']!.length >= 31, `${counts['answered']!.length} fit into 8 MiB`);
    assert.ok(workingMax <= 4, `${workingMax} requests of 256 KiB at once exceed 1 MiB`);
  });
}

function bytes(size: number, random: SeededRandom): Uint8Array {
  const all = new Uint8Array(size);
  for (let index = 0; index < size; index++) all[index] = random.below(256);
  return all;
}

function abortOf(signal: AbortSignal): Promise<unknown> {
  if (signal.aborted) return Promise.resolve(signal.reason);
  return new Promise((resolve) =>
    signal.addEventListener('abort', () => resolve(signal.reason), { once: true }),
  );
}

function codeOf(error: unknown): string {
  return error instanceof MishardsError ? error.code : String(error);
}

async function failure(call: Promise<unknown>, code: ErrorCode): Promise<MishardsError> {
  try {
    await call;
  } catch (error) {
    assert.ok(error instanceof MishardsError, `${String(error)} is not typed`);
    assert.equal(error.code, code, error.message);
    return error;
  }
  assert.fail(`expected ${code}`);
}

async function untilCode(peer: WirePeer, code: ErrorCode): Promise<void> {
  for (;;) {
    const error = await peer.call('echo', packet(null), TIMEOUT).then(
      () => null,
      (reason: unknown) => reason,
    );
    if (error !== null && codeOf(error) === code) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function untilAnswered(peer: WirePeer): Promise<void> {
  for (;;) {
    try {
      await peer.call('echo', packet(null), TIMEOUT);
      return;
    } catch (error) {
      assert.ok(['CONNECTION_LOST', 'UNREACHABLE'].includes(String(codeOf(error))));
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}
