import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fanOut, type FanOutRequest, type NodePart } from './fan-out.ts';
import { Hedging } from './hedging.ts';
import type { ReadPlan } from './read-plan.ts';
import { ReaderPool } from './reader-pool.ts';
import type { Timestamp } from '../../schema/index.ts';
import type { CollectionMeta } from '../../catalog/model.ts';
import type { Discovery, NodeInfo } from '../../discovery/discovery.ts';
import { MishardsError, type ErrorCode } from '../../errors/index.ts';
import { SeededRandom } from '../../host/index.ts';
import { nodeClock, nodeTimers } from '../../host/node/index.ts';
import type { ChannelPart, NodeStatus, ReaderApi } from '../../protocol/reader-api.ts';
import type { Positions } from '../../protocol/writer-api.ts';
import type { ChannelId, NodeId, SegmentId } from '../../schema/index.ts';

const NODES = ['reader-1', 'reader-2', 'reader-3'] as NodeId[];

/** Readers that answer with what they were asked for, or fail as scripted. */
class ScriptedCluster implements AsyncDisposable {
  readonly failures = new Map<NodeId, ErrorCode>();
  readonly calls: NodeId[] = [];
  readonly pool: ReaderPool;
  /** Knows nothing, so it hedges nothing, until a test tells it of latencies. */
  readonly hedging = new Hedging({ percentMax: 100, delayMinMs: 1 });

  constructor() {
    const nodes = NODES.map((id): NodeInfo => ({
      id,
      role: 'reader',
      address: `memory://${id}`,
      weight: 1,
      zone: '',
      version: '',
      startedMs: 0,
      labels: {},
    }));
    const discovery: Discovery = {
      driver: 'scripted',
      register: async () => ({ [Symbol.asyncDispose]: async () => {} }),
      nodes: () => nodes,
      subscribe: () => ({ [Symbol.dispose]: () => {} }),
      [Symbol.asyncDispose]: async () => {},
    };
    this.pool = new ReaderPool({
      discovery,
      clock: nodeClock,
      timers: nodeTimers,
      probeIntervalMs: 60_000,
      readerFor: (node) => ({
        ...unusedApi,
        ping: async () => this.#ping(node.id),
        [Symbol.asyncDispose]: async () => {},
      }),
    });
  }

  async read(plan: ReadPlan, overrides: Partial<FanOutRequest<Found>> = {}): Promise<string[]> {
    const results = await fanOut(
      {
        pool: this.pool,
        hedging: this.hedging,
        clock: nodeClock,
        timers: nodeTimers,
        random: new SeededRandom(1),
        retriesMax: 3,
      },
      {
        plan,
        copies: 2,
        deadlineMs: nodeClock.monotonicMs() + 10_000,
        signal: new AbortController().signal,
        trace: {},
        mayOverlap: false,
        describe: () => ({}),
        call: async (_api, { reader, segments, channels }) => {
          this.calls.push(reader.node.id);
          const failure = this.failures.get(reader.node.id);
          if (failure !== undefined)
            throw new MishardsError(failure, `scripted failure of ${reader.node.id}`);
          return found([...segments, ...channels]);
        },
        ...overrides,
      },
    );
    return results.flatMap((result) => result.ids).sort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.pool[Symbol.asyncDispose]();
  }

  #ping(id: NodeId): NodeStatus {
    if (this.failures.has(id)) throw new MishardsError('CONNECTION_LOST', 'scripted');
    return { ready: true, inFlight: 0, memoryBytes: 0, revision: 0 };
  }
}

interface Found {
  readonly ids: readonly string[];
  readonly stats: { readonly positions: Positions };
}

function found(items: readonly { readonly id: string }[], positions: Positions = new Map()): Found {
  return { ids: items.map((item) => item.id), stats: { positions } };
}

const unusedApi: ReaderApi = {
  search: () => Promise.reject(new Error('not scripted')),
  query: () => Promise.reject(new Error('not scripted')),
  loaded: () => Promise.reject(new Error('not scripted')),
  ping: () => Promise.reject(new Error('not scripted')),
};

function planOf(segmentCount: number): ReadPlan {
  const rotated = (start: number): NodeId[] =>
    NODES.map((_, index) => NODES[(start + index) % NODES.length]!);
  return {
    collection: {} as CollectionMeta,
    revision: 1,
    partitions: { ids: [], newerThan: null },
    rowsSince: 0n as Timestamp,
    segments: Array.from({ length: segmentCount }, (_, index) => ({
      kind: 'segment',
      id: `s${index}` as SegmentId,
      channelId: 'c0' as ChannelId,
      weight: 100,
      nodes: rotated(index),
    })),
    channels: [{ kind: 'channel', id: 'c0' as ChannelId, after: 0, weight: 1, nodes: rotated(0) }],
  };
}

const everything = (segmentCount: number): string[] =>
  ['c0', ...Array.from({ length: segmentCount }, (_, index) => `s${index}`)].sort();

test('every item is asked for once, with one sub-request a node', async () => {
  await using cluster = new ScriptedCluster();
  assert.deepEqual(await cluster.read(planOf(12)), everything(12));
  assert.equal(new Set(cluster.calls).size, cluster.calls.length);
});

test('what a failing node was asked for goes to others, and nothing twice', async () => {
  await using cluster = new ScriptedCluster();
  cluster.failures.set(NODES[0]!, 'CONNECTION_LOST');
  for (let round = 0; round < 20; round++) assert.deepEqual(await cluster.read(planOf(12)), everything(12));
  const asked = cluster.calls.filter((id) => id === NODES[0]).length;
  assert.ok(asked <= 1, `the suspect node was asked ${asked} times; a healthy copy was there each time`);
});

test('one node left is enough', async () => {
  await using cluster = new ScriptedCluster();
  cluster.failures.set(NODES[0]!, 'CONNECTION_LOST');
  cluster.failures.set(NODES[2]!, 'OVERLOADED');
  for (let round = 0; round < 20; round++) assert.deepEqual(await cluster.read(planOf(7)), everything(7));
});

test('when every node fails the first failure is told, not that nobody was left', async () => {
  await using cluster = new ScriptedCluster();
  for (const id of NODES) cluster.failures.set(id, 'MEMORY_LIMIT');
  await assert.rejects(cluster.read(planOf(3)), { code: 'MEMORY_LIMIT' });
});

test('a failure of the request itself is not tried elsewhere', async () => {
  await using cluster = new ScriptedCluster();
  for (const id of NODES) cluster.failures.set(id, 'FILTER_INVALID');
  await assert.rejects(cluster.read(planOf(1)), { code: 'FILTER_INVALID' });
  assert.equal(cluster.calls.length, 1);
});

test('without readers the answer names it', async () => {
  await using cluster = new ScriptedCluster();
  const plan = planOf(1);
  const nowhere = { ...plan, segments: plan.segments.map((segment) => ({ ...segment, nodes: [] })) };
  await assert.rejects(cluster.read(nowhere), { code: 'NO_READER' });
});

test('no time left is told before anybody is asked', async () => {
  await using cluster = new ScriptedCluster();
  await assert.rejects(cluster.read(planOf(1), { deadlineMs: nodeClock.monotonicMs() - 1 }), {
    code: 'DEADLINE_EXCEEDED',
  });
  assert.equal(cluster.calls.length, 0);
});

/** As a stopped process: it answers when the call is given up, with a failure. */
async function silence(signal: AbortSignal): Promise<never> {
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  throw new MishardsError('CANCELLED', 'given up');
}

test('what a silent node was asked for is answered by other copies, nothing twice, and it is preferred less', async () => {
  await using cluster = new ScriptedCluster();
  for (let count = 0; count < 64; count++) cluster.hedging.record(1);
  const [silent] = NODES as [NodeId];
  const givenUp: NodeId[] = [];
  const call: FanOutRequest<Found>['call'] = async (_api, assignment, { signal }) => {
    if (assignment.reader.node.id === silent) {
      givenUp.push(silent);
      return await silence(signal!);
    }
    return found([...assignment.segments, ...assignment.channels]);
  };
  const before = cluster.pool.find(silent)!.latencyMs;
  for (let round = 0; round < 5; round++)
    assert.deepEqual(await cluster.read(planOf(12), { call }), everything(12));
  assert.ok(givenUp.length > 0, 'it was asked at first');
  assert.ok(cluster.pool.find(silent)!.latencyMs > before);
  assert.equal(cluster.pool.find(silent)!.inFlight, 0);
});

test('a node that answers nothing is soon asked no more, until it answers a probe', async () => {
  await using cluster = new ScriptedCluster();
  for (let count = 0; count < 64; count++) cluster.hedging.record(1);
  const [silent] = NODES as [NodeId];
  let asked = 0;
  const call: FanOutRequest<Found>['call'] = async (_api, assignment, { signal }) => {
    if (assignment.reader.node.id !== silent) return found([]);
    asked++;
    return await silence(signal!);
  };
  for (let round = 0; round < 30; round++) {
    // Whatever was measured: it would be asked first.
    for (const id of NODES) cluster.pool.find(id)!.latencyMs = id === silent ? 0 : 1_000;
    await cluster.read(planOf(12), { call });
  }
  assert.ok(cluster.pool.find(silent)!.suspect);
  assert.equal(asked, 3);
});

test('nobody is asked a second time who would have to load what is asked for', async () => {
  await using cluster = new ScriptedCluster();
  for (let count = 0; count < 64; count++) cluster.hedging.record(1);
  const asked: NodeId[] = [];
  const call: FanOutRequest<Found>['call'] = async (_api, { reader }) => {
    asked.push(reader.node.id);
    await nodeTimers.sleep(20);
    return found([]);
  };
  const plan = planOf(1);
  await cluster.read({ ...plan, channels: [] }, { call, copies: 1 });
  assert.deepEqual(asked, [NODES[0]]);
});

test('every node that reads segments of a channel brings the rows that may be newer than those of the one that answers for it', async () => {
  await using cluster = new ScriptedCluster();
  const channel = 'c0' as ChannelId;
  const parts: NodePart[] = [];
  const call: FanOutRequest<Found>['call'] = async (_api, part) => {
    parts.push(part);
    return found([], new Map([[channel, 7]]));
  };
  const ask = async (): Promise<readonly ChannelPart[]> => {
    parts.length = 0;
    await cluster.read(planOf(12), { call, mayOverlap: true });
    assert.ok(parts.length > 1, 'segments lie on several nodes');
    return parts.flatMap(({ channels }) => channels);
  };

  const first = await ask();
  assert.equal(first.length, parts.length);
  assert.ok(
    first.every(({ after }) => after === 0),
    'nobody has said how far it is',
  );
  // Once each has answered for the channel, all have said that they are at 7.
  for (const { node } of cluster.pool.readers().map(({ id }) => cluster.pool.find(id)!))
    cluster.pool.find(node.id)!.positions.set(channel, 7);
  const second = await ask();
  const own = second.filter(({ atLeast }) => atLeast > 0);
  assert.deepEqual(own, [{ id: channel, after: 0, atLeast: 7 }]);
  const overlaps = second.filter(({ atLeast }) => atLeast === 0);
  assert.equal(overlaps.length, parts.length - 1);
  assert.ok(overlaps.every(({ after }) => after === 7));
});

test('whoever takes a channel over comes up to where the first one was', async () => {
  await using cluster = new ScriptedCluster();
  const channel = 'c0' as ChannelId;
  const plan = planOf(12);
  for (const id of NODES) cluster.pool.find(id)!.positions.set(channel, 9);
  const asked: ChannelPart[] = [];
  let failed = false;
  const call: FanOutRequest<Found>['call'] = async (_api, { channels }) => {
    asked.push(...channels);
    if (channels.length > 0 && !failed) {
      failed = true;
      throw new MishardsError('CONNECTION_LOST', 'scripted');
    }
    return found([]);
  };
  await cluster.read(plan, { call });
  assert.deepEqual(asked, [
    { id: channel, after: 0, atLeast: 9 },
    { id: channel, after: 0, atLeast: 9 },
  ]);
});

test('where a row that comes twice would count twice, no node is asked for those of another', async () => {
  await using cluster = new ScriptedCluster();
  const asked: ChannelPart[] = [];
  const call: FanOutRequest<Found>['call'] = async (_api, { channels }) => {
    asked.push(...channels);
    return found([]);
  };
  await cluster.read(planOf(12), { call, mayOverlap: false });
  assert.equal(asked.length, 1);
});
