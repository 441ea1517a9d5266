import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Discovery, NodeInfo } from '../../src/discovery/discovery.ts';
import type { NodeId } from '../../src/schema/index.ts';

export type DiscoveryProperty =
  | 'announced nodes appear everywhere and vanish when their registration ends'
  | 'a process that dies without a word vanishes'
  | 'a restarted process takes over its id'
  | 'the last list stays while the source is away';

export interface DiscoverySuite {
  readonly name: string;
  /** A cluster without processes. `listed` are the nodes a driver that must be told of them knows. */
  createCluster(listed: readonly NodeInfo[]): Promise<DiscoveryCluster>;
  /** `NOT_SUPPORTED`: what the driver cannot give, and why. */
  readonly notSupported: Readonly<Partial<Record<DiscoveryProperty, string>>>;
}

export interface DiscoveryCluster extends AsyncDisposable {
  /** The discovery of one more process. */
  join(): Promise<JoinedProcess>;
  /** Lets time pass until whatever happened is known everywhere, expiry included. */
  settle(): Promise<void>;
  /** The shared source answers no more, or again. */
  setAway(away: boolean): void;
}

export interface JoinedProcess {
  readonly discovery: Discovery;
  /** The process stops as if killed. */
  kill(): void;
}

type Body = (cluster: DiscoveryCluster) => Promise<void>;

export function discoveryConformance(suite: DiscoverySuite): void {
  const check = (what: string, body: Body): void => {
    test(`${suite.name} discovery: ${what}`, async () => {
      await using cluster = await suite.createCluster([reader(1), reader(2), reader(3)]);
      await body(cluster);
    });
  };
  const checkProperty = (what: DiscoveryProperty, body: Body): void => {
    const why = suite.notSupported[what];
    if (why === undefined) check(what, body);
    else test(`${suite.name} discovery: NOT_SUPPORTED ${what}: ${why}`, () => {});
  };
  check('nodes are listed by id, and the array stays the same', checkList);
  check('subscribers hear of changes until they are disposed', checkSubscribers);
  checkProperty('announced nodes appear everywhere and vanish when their registration ends', checkPresence);
  checkProperty('a process that dies without a word vanishes', checkDeath);
  checkProperty('a restarted process takes over its id', checkRestart);
  checkProperty('the last list stays while the source is away', checkAway);
}

export function reader(index: number, changes: Partial<NodeInfo> = {}): NodeInfo {
  return {
    id: `reader-${index}` as NodeId,
    role: 'reader',
    address: `memory://reader-${index}`,
    weight: 1,
    zone: 'zone-a',
    version: '1.2.3',
    startedMs: 1_000 + index,
    labels: { pid: String(index) },
    ...changes,
  };
}

async function checkList(cluster: DiscoveryCluster): Promise<void> {
  const { discovery } = await cluster.join();
  for (const index of [3, 1, 2]) await discovery.register(reader(index));
  await cluster.settle();
  const nodes = discovery.nodes();
  assert.deepEqual(idsOf(nodes), ['reader-1', 'reader-2', 'reader-3']);
  for (const [index, node] of nodes.entries()) {
    assert.equal(node.role, 'reader');
    assert.equal(node.address, `memory://reader-${index + 1}`);
    assert.equal(node.weight, 1);
    assert.equal(node.zone, 'zone-a');
  }
  await cluster.settle();
  assert.equal(discovery.nodes(), nodes);
}

async function checkSubscribers(cluster: DiscoveryCluster): Promise<void> {
  const { discovery } = await cluster.join();
  const heard: (readonly NodeInfo[])[] = [];
  const subscription = discovery.subscribe((nodes) => heard.push(nodes));
  const before = discovery.nodes();
  const registration = await discovery.register(reader(1));
  await cluster.settle();
  if (discovery.nodes() === before) assert.deepEqual(heard, []);
  else assert.equal(heard.at(-1), discovery.nodes());
  subscription[Symbol.dispose]();
  const count = heard.length;
  await registration[Symbol.asyncDispose]();
  await cluster.settle();
  assert.equal(heard.length, count);
}

async function checkPresence(cluster: DiscoveryCluster): Promise<void> {
  const one = await cluster.join();
  const other = await cluster.join();
  assert.deepEqual(one.discovery.nodes(), []);
  const first = await one.discovery.register(reader(1));
  const second = await other.discovery.register(reader(2));
  await cluster.settle();
  for (const { discovery } of [one, other, await cluster.join()]) {
    assert.deepEqual(discovery.nodes(), [reader(1), reader(2)]);
  }
  await first[Symbol.asyncDispose]();
  await cluster.settle();
  for (const { discovery } of [one, other]) assert.deepEqual(discovery.nodes(), [reader(2)]);
  await second[Symbol.asyncDispose]();
  await cluster.settle();
  for (const { discovery } of [one, other]) assert.deepEqual(discovery.nodes(), []);
}

async function checkDeath(cluster: DiscoveryCluster): Promise<void> {
  const victim = await cluster.join();
  const witness = await cluster.join();
  await victim.discovery.register(reader(1));
  await witness.discovery.register(reader(2));
  await cluster.settle();
  assert.deepEqual(witness.discovery.nodes(), [reader(1), reader(2)]);
  victim.kill();
  await cluster.settle();
  assert.deepEqual(witness.discovery.nodes(), [reader(2)]);
}

async function checkRestart(cluster: DiscoveryCluster): Promise<void> {
  const old = await cluster.join();
  const witness = await cluster.join();
  await old.discovery.register(reader(1));
  await cluster.settle();
  old.kill();
  const successor = reader(1, { startedMs: 9_000, address: 'memory://moved' });
  const next = await cluster.join();
  await next.discovery.register(successor);
  await cluster.settle();
  assert.deepEqual(witness.discovery.nodes(), [successor]);
}

async function checkAway(cluster: DiscoveryCluster): Promise<void> {
  const one = await cluster.join();
  const other = await cluster.join();
  await one.discovery.register(reader(1));
  await other.discovery.register(reader(2));
  await cluster.settle();
  const nodes = one.discovery.nodes();
  assert.equal(nodes.length, 2);
  cluster.setAway(true);
  await cluster.settle();
  assert.equal(one.discovery.nodes(), nodes);
  const heard: string[][] = [];
  one.discovery.subscribe((now) => heard.push(idsOf(now)));
  cluster.setAway(false);
  await cluster.settle();
  for (const ids of heard) assert.deepEqual(ids, ['reader-1', 'reader-2'], 'nobody vanishes when it is back');
  assert.deepEqual(one.discovery.nodes(), [reader(1), reader(2)]);
  assert.deepEqual(other.discovery.nodes(), [reader(1), reader(2)]);
}

function idsOf(nodes: readonly NodeInfo[]): string[] {
  return nodes.map((node) => node.id);
}
