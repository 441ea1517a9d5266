import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CatalogSnapshot } from '../catalog/catalog.ts';
import { isErrorWithCode } from '../errors/index.ts';
import { SeededRandom, type Random } from '../host/index.ts';
import type { ReaderApi, SearchResult, SubRequest } from '../protocol/reader-api.ts';
import type { ModelRow } from '../../test/support/model-rows.ts';
import {
  CALL,
  expectedHits,
  expectedRows,
  hitsOf,
  keysOf,
  planOf,
  queryOf,
  searchOf,
  strong,
  type Hit,
} from '../../test/support/reader-asks.ts';
import { DIM, PARTITIONS, ReaderWorld, type RowToWrite } from '../../test/support/reader-world.ts';
import { testSeed } from '../../test/support/seed.ts';

const KEYS = 40;
const K = 12;

function randomVector(random: Random): number[] {
  return Array.from({ length: DIM }, () => Math.fround(random.next()));
}

function randomRows(random: Random): RowToWrite[] {
  const keys = new Set(Array.from({ length: 1 + random.below(6) }, () => BigInt(random.below(KEYS))));
  return [...keys].map((key) => ({ key, vector: randomVector(random), price: null, tag: '' }));
}

/** One change of rows or of where they lie. */
async function changeRandomly(world: ReaderWorld, random: Random): Promise<void> {
  const channel = world.channels[random.below(world.channels.length)]!;
  const partition = PARTITIONS[random.below(2)];
  switch (random.below(9)) {
    case 0:
    case 1:
      return await world.insert(randomRows(random), partition);
    case 2:
    case 3:
      return await world.upsert(randomRows(random), partition);
    case 4:
    case 5: {
      const keys = randomRows(random).map(({ key }) => key);
      return await world.delete(keys, random.below(3) === 0 ? partition! : null);
    }
    case 6:
    case 7:
      return await flushSome(world, random);
    default:
      await world.compact(channel);
  }
}

async function flushSome(world: ReaderWorld, random: Random): Promise<void> {
  const channel = world.channels[random.below(world.channels.length)]!;
  const from = world.catalog.snapshot().channel(channel)!.checkpoint;
  const last = world.lastSequence(channel);
  if (last > from) await world.flush(channel, from + 1 + random.below(last - from));
}

interface Answer {
  readonly hits: unknown;
  readonly keys: unknown;
}

async function ask(api: ReaderApi, plan: SubRequest, vector: readonly number[]): Promise<Answer> {
  const [found, rows] = await Promise.all([
    api.search(searchOf(plan, vector, K), CALL),
    api.query(queryOf(plan), CALL),
  ]);
  return { hits: hitsOf(found)[0], keys: keysOf(rows) };
}

function expected(rows: readonly ModelRow[], vector: readonly number[]): Answer {
  return { hits: expectedHits(rows, vector, K), keys: expectedRows(rows).map(({ key }) => key) };
}

// R3, R4, R5 of docs/internals/read-path.md.
test('plans from before and after a checkpoint moved find the same rows, each once', async (context) => {
  context.diagnostic(`seed ${testSeed}`);
  for (let round = 0; round < 6; round++) {
    const random = new SeededRandom(testSeed + round);
    await using world = await ReaderWorld.create({ channelCount: 1 + random.below(2) });
    // Short graces let rows and remembered deletes go, so that deltas are needed.
    const options = round % 2 === 0 ? {} : { freshGraceMs: 30, supersededGraceMs: 30, sweepIntervalMs: 10 };
    const apis: ReaderApi[] = [];
    const snapshots: CatalogSnapshot[] = [];
    let answered = 0;
    for (let step = 0; step < 50; step++) {
      await changeRandomly(world, random);
      // Readers that start late find their first rows in segments and deltas.
      if (step % 15 === 0) apis.push((await world.startReader(`reader-${step}`, { options })).api);
      const api = apis[random.below(apis.length)]!;
      if (random.below(3) === 0) await world.settle(10 * random.below(3));
      snapshots.push(world.catalog.snapshot());
      const snapshot = snapshots[snapshots.length - 1 - random.below(Math.min(12, snapshots.length))]!;
      const vector = randomVector(random);
      const what = `round ${round}, step ${step}, revision ${snapshot.revision}`;
      try {
        const answer = await world.run(ask(api, planOf(snapshot, strong(world)), vector));
        assert.deepEqual(answer, expected(world.model.alive(), vector), what);
        answered++;
      } catch (error) {
        // Compaction may take a segment away before it was opened for the first time.
        assert.ok(isErrorWithCode(error, 'STALE_PLAN'), `${what}: ${String(error)}`);
        const answer = await world.run(ask(api, planOf(world.catalog.snapshot(), strong(world)), vector));
        assert.deepEqual(answer, expected(world.model.alive(), vector), what);
      }
    }
    assert.ok(answered > (round % 2 === 0 ? 25 : 8), `${answered} of 50 plans were answered at once`);
  }
});

// R2, R6: no entry is seen by half, whatever happens while the request runs.
for (const native of [false, true]) {
  const kernel = native ? 'native kernel' : 'kernel in memory';
  test(`a request that races with changes sees the rows of one moment, with the ${kernel}`, async (context) => {
    context.diagnostic(`seed ${testSeed}`);
    for (let round = 0; round < (native ? 2 : 6); round++) await raceRequests(testSeed + round, native);
  });
}

async function raceRequests(seed: number, native: boolean): Promise<void> {
  const random = new SeededRandom(seed);
  await using world = await ReaderWorld.create({ native });
  const { api } = await world.startReader();
  const [channel] = world.channels;
  for (let step = 0; step < 25; step++) {
    await changeRandomly(world, random);
    const snapshot = world.catalog.snapshot();
    const vector = randomVector(random);
    const first = world.lastSequence(channel!);
    const filter = { text: 'id >= 0', values: {} };
    const plan = { ...planOf(snapshot, strong(world)), filter };
    const searching = api.search(searchOf(plan, vector, K), CALL).catch((error: unknown) => error);
    for (let change = random.below(4); change > 0; change--) {
      await changeRandomly(world, random);
      if (random.below(2) === 0) await world.timers.advance(1);
    }
    const last = world.lastSequence(channel!);
    const result = await world.run(searching);
    if (isErrorWithCode(result, 'STALE_PLAN')) continue;
    if (result instanceof Error) throw result;
    const found = hitsOf(result as SearchResult)[0]!;
    const moments = Array.from({ length: last - first + 1 }, (_, index) => {
      const alive = world.model.alive(({ sequence }) => sequence <= first + index);
      return expectedHits(alive, vector, K);
    });
    const isOne = moments.some((hits) => isSame(hits, found));
    assert.ok(isOne, `seed ${seed}, step ${step}: the hits are of no moment in ${first} to ${last}`);
  }
}

/** Kernels round in their own ways. */
function isSame(a: readonly Hit[], b: readonly Hit[]): boolean {
  const isNear = (hit: Hit, index: number): boolean =>
    hit.key === b[index]!.key && Math.abs(hit.score - b[index]!.score) < 1e-5;
  return a.length === b.length && a.every(isNear);
}
