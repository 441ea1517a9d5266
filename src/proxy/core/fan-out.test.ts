import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fanOut, type FanOutRequest } from './fan-out.ts';
import { Hedging } from './hedging.ts';
import type { ReadPlan } from './read-plan.ts';
import { ReaderPool } from './reader-pool.ts';
import type { Timestamp } from '../../schema/index.ts';
import type { CollectionMeta } from '../../catalog/model.ts';
import type { Discovery, NodeInfo } from '../../discovery/discovery.ts';
import { MishardsError, type ErrorCode } from '../../errors/index.ts';
import { SeededRandom } from '../../host/index.ts';
import { nodeClock, nodeTimers } from '../../host/node/index.ts';
import type { NodeStatus, ReaderApi } from '../../protocol/reader-api.ts';
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

  async read(plan: ReadPlan, overrides: Partial<FanOutRequest<string>> = {}): Promise<string[]> {
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
        describe: () => ({}),
        call: async (_api, { reader, segments, channels }) => {
          this.calls.push(reader.node.id);
          const failure = this.failures.get(reader.node.id);
          if (failure !== undefined)
            throw new MishardsError(failure, `scripted failure of ${reader.node.id}`);
          return [...segments, ...channels].map((item) => item.id).join(' ');
        },
        ...overrides,
      },
    );
    return results.flatMap((result) => result.split(' ')).sort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.pool[Symbol.asyncDispose]();
  }

  #ping(id: NodeId): NodeStatus {
    if (this.failures.has(id)) throw new MishardsError('CONNECTION_LOST', 'scripted');
    return { ready: true, inFlight: 0, memoryBytes: 0, revision: 0 };
  }
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
  const call: FanOutRequest<string>['call'] = async (_api, assignment, { signal }) => {
    if (assignment.reader.node.id === silent) {
      givenUp.push(silent);
      return await silence(signal!);
    }
    return [...assignment.segments, ...assignment.channels].map((item) => item.id).join(' ');
  };
  const before = cluster.pool.find(silent)!.latencyMs;
  for (let round = 0; round < 5; round++)
    assert.deepEqual(await cluster.read(planOf(12), { call }), everything(12));
  assert.ok(givenUp.length > 0, 'it was asked at first');
  assert.ok(cluster.pool.find(silent)!.latencyMs > before);
  assert.equal(cluster.pool.find(silent)!.inFlight, 0);
});

test('nobody is asked a second time who would have to load what is asked for', async () => {
  await using cluster = new ScriptedCluster();
  for (let count = 0; count < 64; count++) cluster.hedging.record(1);
  const asked: NodeId[] = [];
  const call: FanOutRequest<string>['call'] = async (_api, { reader }) => {
    asked.push(reader.node.id);
    await nodeTimers.sleep(20);
    return 'late';
  };
  const plan = planOf(1);
  await cluster.read({ ...plan, channels: [] }, { call, copies: 1 });
  assert.deepEqual(asked, [NODES[0]]);
});
