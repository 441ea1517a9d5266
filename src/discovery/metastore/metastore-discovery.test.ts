import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  discoveryConformance,
  reader,
  type DiscoveryCluster,
  type JoinedProcess,
} from '../../../test/conformance/discovery.ts';
import { createMortalHost } from '../../../test/support/mortal-host.ts';
import type { MishardsError } from '../../errors/index.ts';
import { createSimulatedHost, type SimulatedHost } from '../../host/simulated/index.ts';
import { FaultableMetastore } from '../../metastore/faultable-metastore.ts';
import { MemoryMetastore } from '../../metastore/memory/memory-metastore.ts';
import { MemoryMetastoreVolume } from '../../metastore/memory/memory-metastore-volume.ts';
import { MetastoreDiscovery } from './metastore-discovery.ts';

const LEASE_TTL_MS = 3_000;

interface Process extends JoinedProcess {
  readonly metastore: FaultableMetastore;
  readonly problems: MishardsError[];
}

/** Processes of one simulated time, each a client of one metadata service. */
class Cluster implements DiscoveryCluster {
  readonly host: SimulatedHost = createSimulatedHost();
  readonly #volume: MemoryMetastoreVolume;
  readonly #stack = new AsyncDisposableStack();
  readonly #metastores: FaultableMetastore[] = [];

  constructor(changesMax = 4_096) {
    this.#volume = new MemoryMetastoreVolume(changesMax);
  }

  async join(): Promise<Process> {
    const mortal = createMortalHost(this.host);
    const store = new MemoryMetastore({ host: this.host, volume: this.#volume });
    const metastore = this.#stack.use(new FaultableMetastore(store));
    this.#metastores.push(metastore);
    const problems: MishardsError[] = [];
    const discovery = await MetastoreDiscovery.open({
      metastore,
      host: mortal,
      leaseTtlMs: LEASE_TTL_MS,
      onProblem: (error) => problems.push(error),
    });
    this.#stack.use(discovery);
    const kill = (): void => {
      mortal.kill();
      metastore.stop();
    };
    return { discovery, metastore, problems, kill };
  }

  async settle(): Promise<void> {
    await this.host.timers.advance(4 * LEASE_TTL_MS);
  }

  setAway(away: boolean): void {
    for (const metastore of this.#metastores) {
      if (away) metastore.stop();
      else metastore.resume();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
    assert.equal(this.host.timers.pendingCount, 0, 'every timer is stopped');
  }
}

discoveryConformance({ name: 'metastore', createCluster: async () => new Cluster(), notSupported: {} });

test('an entry that somebody removed is put again at once', async () => {
  await using cluster = new Cluster();
  const { discovery, metastore } = await cluster.join();
  await discovery.register(reader(1));
  await metastore.transact({ compares: [], then: [{ kind: 'delete', key: 'discovery/nodes/reader-1' }] });
  await cluster.host.timers.advance(1);
  assert.notEqual(await metastore.get('discovery/nodes/reader-1'), null);
});

test('a process gives way to one that registers its id later', async () => {
  await using cluster = new Cluster();
  const one = await cluster.join();
  const other = await cluster.join();
  await one.discovery.register(reader(1));
  await cluster.settle();
  // Its clock is behind: what counts is the order in the metastore.
  const later = reader(1, { startedMs: 5, address: 'memory://other' });
  await other.discovery.register(later);
  await cluster.settle();
  assert.deepEqual(one.discovery.nodes(), [later]);
  assert.deepEqual(
    one.problems.map((problem) => problem.code),
    ['FENCED'],
  );
  assert.match(one.problems[0]!.message, /reader-1 .* give every process an id of its own/);
  assert.deepEqual(other.problems, []);
});

test('a lost answer to the first put does not leave two entries or none', async () => {
  await using cluster = new Cluster();
  const { discovery, metastore } = await cluster.join();
  metastore.loseReplies();
  await assert.rejects(discovery.register(reader(1)), { code: 'METASTORE_UNAVAILABLE' });
  await cluster.settle();
  assert.deepEqual(discovery.nodes(), []);
  await discovery.register(reader(1));
  await cluster.settle();
  assert.deepEqual(discovery.nodes(), [reader(1)]);
});

test('a lost answer while an entry is put again is not taken for another process', async () => {
  await using cluster = new Cluster();
  const { discovery, metastore, problems } = await cluster.join();
  await discovery.register(reader(1));
  metastore.loseReplies(2);
  await metastore
    .transact({ compares: [], then: [{ kind: 'delete', key: 'discovery/nodes/reader-1' }] })
    .catch(() => {});
  await cluster.settle();
  assert.deepEqual(discovery.nodes(), [reader(1)]);
  assert.deepEqual(
    problems.map((problem) => problem.code),
    ['METASTORE_UNAVAILABLE'],
  );
});

test('a process that was paused beyond its lease announces itself again', async () => {
  await using cluster = new Cluster();
  const one = await cluster.join();
  const witness = await cluster.join();
  await one.discovery.register(reader(1));
  one.metastore.stop();
  await cluster.settle();
  assert.deepEqual(witness.discovery.nodes(), []);
  one.metastore.resume();
  await cluster.settle();
  assert.deepEqual(witness.discovery.nodes(), [reader(1)]);
});

test('one outage is reported once', async () => {
  await using cluster = new Cluster();
  const { discovery, metastore, problems } = await cluster.join();
  await discovery.register(reader(1));
  metastore.stop();
  await cluster.settle();
  assert.deepEqual(
    problems.map((problem) => problem.code),
    ['METASTORE_UNAVAILABLE'],
  );
  metastore.resume();
  await cluster.settle();
  assert.equal(problems.length, 1);
});

test('a watch that fell too far behind reads the registry anew', async () => {
  await using cluster = new Cluster(8);
  const one = await cluster.join();
  const witness = await cluster.join();
  const leaving = await one.discovery.register(reader(1));
  await one.discovery.register(reader(2));
  await cluster.settle();
  witness.metastore.stop();
  await leaving[Symbol.asyncDispose]();
  for (let index = 0; index < 50; index++) {
    await one.metastore.transact({ compares: [], then: [{ kind: 'put', key: 'other', value: `${index}` }] });
  }
  await one.discovery.register(reader(3));
  assert.deepEqual(witness.discovery.nodes(), [reader(1), reader(2)]);
  witness.metastore.resume();
  await cluster.settle();
  assert.deepEqual(witness.discovery.nodes(), [reader(2), reader(3)]);
});

test('a malformed entry is left out and reported', async () => {
  await using cluster = new Cluster();
  const { discovery, metastore, problems } = await cluster.join();
  await discovery.register(reader(1));
  const wrong: [string, string][] = [
    ['a', 'not JSON'],
    ['b', '{"id":"b","role":"index"}'],
    ['c', '7'],
    ['d', JSON.stringify({ ...reader(9), weight: 0 })],
  ];
  for (const [name, value] of wrong) {
    await metastore.transact({
      compares: [],
      then: [{ kind: 'put', key: `discovery/nodes/${name}`, value }],
    });
  }
  await cluster.settle();
  assert.deepEqual(discovery.nodes(), [reader(1)]);
  assert.equal(problems.length, 4);
  assert.match(problems[1]!.message, /its address is undefined|its role "index"/);
});
