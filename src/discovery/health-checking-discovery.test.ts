import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reader } from '../../test/conformance/discovery.ts';
import { MishardsError } from '../errors/index.ts';
import { createSimulatedHost, type SimulatedHost } from '../host/simulated/index.ts';
import type { NodeId } from '../schema/index.ts';
import type { Discovery, NodeInfo } from './discovery.ts';
import { HealthCheckingDiscovery } from './health-checking-discovery.ts';
import { NodeList } from './node-list.ts';

/** A source whose nodes a test sets. */
class ScriptedDiscovery implements Discovery {
  readonly driver = 'scripted';
  readonly list = new NodeList([reader(1), reader(2)]);
  isDisposed = false;

  async register(): Promise<AsyncDisposable> {
    return { [Symbol.asyncDispose]: async () => {} };
  }

  nodes(): readonly NodeInfo[] {
    return this.list.nodes;
  }

  subscribe(listener: (nodes: readonly NodeInfo[]) => void): Disposable {
    return this.list.subscribe(listener);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.isDisposed = true;
  }
}

interface Scene {
  readonly host: SimulatedHost;
  readonly inner: ScriptedDiscovery;
  readonly checked: HealthCheckingDiscovery;
  /** Ids that fail their probes. */
  readonly ill: Set<string>;
  readonly probed: string[];
  /** Whose connection was closed. */
  readonly left: string[];
}

function createScene(options: { readonly hangs?: boolean; readonly onlyId?: string } = {}): Scene {
  const host = createSimulatedHost();
  const inner = new ScriptedDiscovery();
  const ill = new Set<string>();
  const probed: string[] = [];
  const left: string[] = [];
  const checked = new HealthCheckingDiscovery(inner, {
    host,
    intervalMs: 1_000,
    timeoutMs: 500,
    failuresMax: 3,
    connect: (node) => ({
      async probe() {
        probed.push(node.id);
        if (!ill.has(node.id)) return;
        if (options.hangs === true) await new Promise(() => {});
        throw new MishardsError('CONNECTION_LOST', 'refused');
      },
      [Symbol.asyncDispose]: async () => void left.push(node.id),
    }),
    ...(options.onlyId === undefined ? {} : { shouldProbe: (node: NodeInfo) => node.id === options.onlyId }),
  });
  return { host, inner, checked, ill, probed, left };
}

for (const hangs of [false, true]) {
  test(`a node whose probes ${hangs ? 'hang' : 'fail'} is hidden, and comes back after a success`, async () => {
    const { host, checked, ill, probed } = createScene({ hangs });
    const heard: string[][] = [];
    checked.subscribe((nodes) => heard.push(nodes.map((node) => node.id)));
    await host.timers.advance(10_000);
    assert.deepEqual(heard, []);
    assert.ok(probed.length >= 14 && probed.length <= 26, `${probed.length} probes of 2 nodes in 10 s`);

    ill.add('reader-2');
    await host.timers.advance(2_000);
    assert.equal(checked.nodes().length, 2, 'fewer than three failures');
    await host.timers.advance(5_000);
    assert.deepEqual(checked.nodes(), [reader(1)]);
    const health = checked.health().get('reader-2' as NodeId);
    assert.equal(health?.isHealthy, false);
    assert.equal(health.lastError?.code, hangs ? 'DEADLINE_EXCEEDED' : 'CONNECTION_LOST');

    ill.delete('reader-2');
    await host.timers.advance(2_000);
    assert.deepEqual(checked.nodes(), [reader(1), reader(2)]);
    assert.deepEqual(heard, [['reader-1'], ['reader-1', 'reader-2']]);
    await checked[Symbol.asyncDispose]();
  });
}

test('failures that are not in a row do not hide a node', async () => {
  const { host, checked, ill, probed } = createScene();
  for (let round = 0; round < 10; round++) {
    if (round % 3 === 2) ill.delete('reader-1');
    else ill.add('reader-1');
    const before = probed.filter((id) => id === 'reader-1').length;
    while (probed.filter((id) => id === 'reader-1').length === before) await host.timers.advance(50);
    assert.equal(checked.nodes().length, 2);
  }
  await checked[Symbol.asyncDispose]();
});

test('a restarted node counts as well again, and a vanished one is not probed', async () => {
  const { host, inner, checked, ill, probed } = createScene();
  ill.add('reader-2');
  await host.timers.advance(6_000);
  assert.deepEqual(checked.nodes(), [reader(1)]);
  const restarted = reader(2, { startedMs: 5_000 });
  inner.list.replace([reader(1), restarted]);
  assert.deepEqual(checked.nodes(), [reader(1), restarted]);
  inner.list.replace([reader(1)]);
  probed.length = 0;
  await host.timers.advance(5_000);
  assert.ok(!probed.includes('reader-2'));
  await checked[Symbol.asyncDispose]();
});

test('nodes that are not to be probed always count as well', async () => {
  const { host, checked, ill, probed } = createScene({ onlyId: 'reader-1' });
  ill.add('reader-1').add('reader-2');
  await host.timers.advance(10_000);
  assert.deepEqual(checked.nodes(), [reader(2)]);
  assert.ok(!probed.includes('reader-2'));
  await checked[Symbol.asyncDispose]();
});

test('disposing stops all probes and the source', async () => {
  const { host, inner, checked, probed, left } = createScene();
  await host.timers.advance(3_000);
  assert.deepEqual(left, [], 'a connection is kept from probe to probe');
  await checked[Symbol.asyncDispose]();
  assert.deepEqual(left.toSorted(), ['reader-1', 'reader-2']);
  probed.length = 0;
  await host.timers.advance(10_000);
  assert.deepEqual(probed, []);
  assert.equal(host.timers.pendingCount, 0);
  assert.ok(inner.isDisposed);
});
