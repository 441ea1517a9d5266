import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MilvusClient, MutationResult } from '@zilliz/milvus2-sdk-node';
import { createNodeHost } from '../../src/host/node/index.ts';
import { createMemoryLog } from '../../src/log/memory/memory-log.ts';
import { createMemoryObjectStore } from '../../src/object-store/memory/memory-object-store.ts';
import { FaultableLog } from '../support/faultable-log.ts';
import { InterceptedObjectStore } from '../support/intercepted-object-store.ts';
import { countRows, createPoints, indexAndLoad, randomPoints, searchIds } from '../support/points.ts';
import { TestCluster } from '../support/test-cluster.ts';

const NAME = 'points';
/** Of a request of about 300 KB. */
const ROWS = 5_000;
const REQUESTS = 12;
const query = randomPoints(1, 1_000_000)[0]!.vector;

/** Each request with rows of its own, all at once. */
class Burst {
  readonly outcomes: Promise<readonly MutationResult[]>;
  readonly #refused = Promise.withResolvers<void>();
  #refusals = 0;

  constructor(client: MilvusClient, first: number, refusalsAwaited: number) {
    const requests = Array.from({ length: REQUESTS }, async (_, index) => {
      const data = randomPoints(ROWS, first + index * ROWS);
      const answer = await client.insert({ collection_name: NAME, data });
      if (answer.status.error_code !== 'Success' && ++this.#refusals >= refusalsAwaited)
        this.#refused.resolve();
      return answer;
    });
    this.outcomes = Promise.all(requests);
  }

  /** Resolves when so many were refused, however long the others take. */
  async refused(): Promise<void> {
    await Promise.race([this.#refused.promise, this.outcomes]);
  }
}

/** How many were taken; the others must have been told to come again. */
function takenOf(answers: readonly MutationResult[]): number {
  for (const { status } of answers) {
    if (status.error_code === 'Success') continue;
    assert.equal(status.error_code, 'RateLimit');
    assert.deepEqual([status.code, status.retriable], [8, true]);
    assert.match(String(status.reason), /the write is refused: .*retry later/);
  }
  return answers.filter(({ status }) => status.error_code === 'Success').length;
}

async function gaugeOfWriter(cluster: TestCluster, metric: string): Promise<number> {
  const text = await (await fetch(`${cluster.node('writer-1').addresses.management}/metrics`)).text();
  return Number(new RegExp(`^mishards_${metric}[^ ]* (\\S+)$`, 'm').exec(text)?.[1]);
}

test('a log that hangs makes further writes refused at once, and loses nothing', async () => {
  const log = new FaultableLog(createMemoryLog());
  await using cluster = await TestCluster.start({
    overrides: { log },
    settings: ['writer.in_flight_bytes_max=1MiB'],
  });
  const client = await cluster.client();
  await createPoints(client, NAME, 1);
  await indexAndLoad(client, NAME);
  const gate = Promise.withResolvers<void>();
  log.gate = gate.promise;
  const burst = new Burst(client, 0, REQUESTS - 5);
  await burst.refused();
  const inFlight = await gaugeOfWriter(cluster, 'writer_in_flight_bytes');
  assert.ok(inFlight > 0 && inFlight <= 2 ** 20, `${inFlight} bytes are under way`);
  gate.resolve();
  const taken = takenOf(await burst.outcomes);
  assert.ok(taken > 0 && taken < REQUESTS, `${taken} were taken`);
  assert.equal(await countRows(client, NAME), taken * ROWS);
});

test('an object store that hangs makes writes refused when the unflushed rows are at their bound; searches go on', async () => {
  const host = createNodeHost();
  const gate = Promise.withResolvers<void>();
  let isSlow = true;
  const objectStore = new InterceptedObjectStore(createMemoryObjectStore({ host }), {
    before: (key) => (isSlow && key.startsWith('segment/') ? gate.promise : undefined),
  });
  await using cluster = await TestCluster.start({
    overrides: { objectStore },
    settings: ['writer.fresh_bytes_max=2MiB', 'writer.flush_bytes=1MiB'],
  });
  const client = await cluster.client();
  await createPoints(client, NAME, 1);
  await indexAndLoad(client, NAME);
  let taken = 0;
  for (let isFull = false; !isFull;) {
    const burst = new Burst(client, taken * ROWS, 1);
    const now = takenOf(await burst.outcomes);
    isFull = now < REQUESTS;
    taken += now;
    assert.ok(taken < 100, 'the bound is reached');
  }
  const more = await client.insert({ collection_name: NAME, data: randomPoints(ROWS, 400_000) });
  assert.equal(takenOf([more]), 0, 'time alone makes no room');
  assert.equal((await searchIds(client, NAME, query, 5)).length, 5);
  isSlow = false;
  gate.resolve();
  for (let first = 500_000; ; first += ROWS) {
    const answer = await client.insert({ collection_name: NAME, data: randomPoints(ROWS, first) });
    if (takenOf([answer]) === 1) break;
  }
  assert.equal(await countRows(client, NAME), (taken + 1) * ROWS);
});
