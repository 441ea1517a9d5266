import assert from 'node:assert/strict';
import { test } from 'node:test';
import { valuesOf } from '../columns/index.ts';
import { MishardsError } from '../errors/index.ts';
import type { FilterText, Guarantee, QueryRequest, ReaderApi } from '../protocol/reader-api.ts';
import { ReaderClient } from '../protocol/reader-client.ts';
import { serveReader } from '../protocol/reader-server.ts';
import { InProcessWire } from '../wire/in-process/in-process-wire.ts';
import { PRICE, TAG, type ModelRow } from '../../test/support/model-rows.ts';
import { floatVectors } from '../../test/support/vectors.ts';
import {
  CALL,
  expectedHits,
  expectedRows,
  hitsOf,
  keysOf,
  planOf,
  queryOf,
  search,
  searchOf,
  strong,
} from '../../test/support/reader-asks.ts';
import { COLLECTION, ReaderWorld, type RowToWrite } from '../../test/support/reader-world.ts';

const none: Guarantee = { kind: 'none' };
const rowOf = (key: number, vector = [key, 0, 0]): RowToWrite => ({
  key: BigInt(key),
  vector,
  price: key % 3 === 0 ? null : key,
  tag: `t${key % 4}`,
});
const rowsOf = (from: number, to: number): RowToWrite[] =>
  Array.from({ length: to - from }, (_, index) => rowOf(from + index));

/** Rows 0 … 19 sealed, 20 … 29 fresh, of which 5 and 25 are deleted and 7 was written anew. */
async function mixedWorld(): Promise<ReaderWorld> {
  const world = await ReaderWorld.create();
  await world.insert(rowsOf(0, 10));
  await world.flush(world.channels[0]!);
  await world.insert(rowsOf(10, 20));
  await world.flush(world.channels[0]!);
  await world.insert(rowsOf(20, 30));
  await world.delete([5n, 25n]);
  await world.upsert([{ ...rowOf(7), price: 700 }]);
  return world;
}

function planWith(world: ReaderWorld, filter: FilterText | null) {
  return { ...planOf(world.catalog.snapshot(), strong(world)), filter };
}

async function query(
  world: ReaderWorld,
  api: ReaderApi,
  filter: FilterText | null,
  options: Partial<QueryRequest> = {},
) {
  return await world.run(api.query(queryOf(planWith(world, filter), options), CALL));
}

const FILTERS: readonly (readonly [FilterText, (row: ModelRow) => boolean])[] = [
  [{ text: 'price > 12', values: {} }, ({ price }) => price !== null && price > 12],
  [{ text: 'not (price > 12)', values: {} }, ({ price }) => price !== null && price <= 12],
  [{ text: 'price is null', values: {} }, ({ price }) => price === null],
  [{ text: 'tag in {tags}', values: { tags: ['t1', 't2'] } }, ({ tag }) => tag === 't1' || tag === 't2'],
  [{ text: 'tag like "t%" and id < 9', values: {} }, ({ key }) => key < 9n],
  [{ text: 'id == 7', values: {} }, ({ key }) => key === 7n],
  [{ text: 'id in [27, 3, 999, 25, 3, 11]', values: {} }, ({ key }) => [27n, 3n, 11n].includes(key)],
  [{ text: 'id > 1000', values: {} }, () => false],
  [{ text: '', values: {} }, () => true],
];

test('filters choose among sealed and fresh rows, nulls included', async () => {
  await using world = await mixedWorld();
  const { api } = await world.startReader();
  for (const [filter, passes] of FILTERS) {
    const rows = world.model.alive().filter(passes);
    // Twice: the second time the results on segments are at hand.
    for (let round = 0; round < 2; round++) {
      const result = await query(world, api, filter, { outputFieldIds: [PRICE] });
      const expected = expectedRows(rows);
      assert.deepEqual(
        keysOf(result),
        expected.map(({ key }) => key),
        filter.text,
      );
      assert.deepEqual(
        valuesOf(result.rows.columns.get(PRICE)!),
        expected.map(({ price }) => price),
      );
      const { count } = await query(world, api, filter, { countOnly: true });
      assert.equal(count, rows.length, filter.text);
      const hits = await search(api, world, searchOf(planWith(world, filter), [11, 0, 0], 6));
      assert.deepEqual(scoresOf(hits[0]!), scoresOf(expectedHits(rows, [11, 0, 0], 6)), filter.text);
    }
  }
});

test('filters choose the same rows when segments have indexes on their fields', async () => {
  await using world = await mixedWorld();
  const { api } = await world.startReader();
  const answers = async (): Promise<unknown[]> => {
    const keys: unknown[] = [];
    for (const [filter] of FILTERS) keys.push(keysOf(await query(world, api, filter)));
    return keys;
  };
  const before = await answers();
  await world.buildScalarIndexes([PRICE, TAG]);
  const isOpen = async (): Promise<boolean> => {
    const { segmentIds, indexedSegmentIds } = await api.loaded(COLLECTION, CALL);
    return indexedSegmentIds.length > 0 && indexedSegmentIds.length === segmentIds.length;
  };
  for (let rounds = 0; !(await isOpen()); rounds++) {
    assert.ok(rounds < 100, 'the reader opens the indexes');
    await world.timers.advance(100);
  }
  // A reader that has kept no results has to ask the indexes.
  assert.deepEqual(await answers(), before);
  const fresh = await world.startReader('reader-2');
  for (const [index, [filter]] of FILTERS.entries())
    assert.deepEqual(keysOf(await query(world, fresh.api, filter)), before[index], filter.text);
});

test('a kept filter result does not hide later deletes', async () => {
  await using world = await mixedWorld();
  const { api } = await world.startReader();
  const filter = { text: 'tag == "t1"', values: {} };
  const before = keysOf(await query(world, api, filter));
  await world.delete([1n, 13n]);
  assert.deepEqual(
    keysOf(await query(world, api, filter)),
    before.filter((key) => key !== 1n && key !== 13n),
  );
});

test('a filter that does not fit the schema is refused', async () => {
  await using world = await mixedWorld();
  const { api } = await world.startReader();
  for (const text of ['price >', 'nothing == 1', 'price == "cheap"']) {
    await assert.rejects(query(world, api, { text, values: {} }), { code: 'FILTER_INVALID' });
  }
});

test('output fields come with each hit and row, in order, vectors and nulls included', async () => {
  await using world = await mixedWorld();
  const { api } = await world.startReader();
  const outputFieldIds = [100, 101, PRICE, TAG];
  const request = { ...searchOf(planWith(world, null), [19, 0, 0, 2, 0, 0], 5), outputFieldIds };
  const result = await world.run(api.search(request, CALL));
  const byKey = new Map(world.model.alive().map((row) => [row.key, row]));
  const rows = valuesOf(result.keys).map((key) => byKey.get(key as bigint)!);
  assert.deepEqual([...result.counts], [5, 5]);
  assert.equal(result.rows.rowCount, 10);
  assert.deepEqual(
    valuesOf(result.rows.columns.get(100)!),
    rows.map(({ key }) => key),
  );
  assert.deepEqual(
    valuesOf(result.rows.columns.get(101)!),
    rows.map(({ vector }) => Float32Array.from(vector)),
  );
  assert.deepEqual(
    valuesOf(result.rows.columns.get(PRICE)!),
    rows.map(({ price }) => price),
  );
  assert.deepEqual(
    valuesOf(result.rows.columns.get(TAG)!),
    rows.map(({ tag }) => tag),
  );
  const unknown = { ...searchOf(planWith(world, null), [0, 0, 0], 1), outputFieldIds: [999] };
  await assert.rejects(world.run(api.search(unknown, CALL)), { code: 'FIELD_NOT_FOUND' });
});

test('an answer without rows has its columns all the same', async () => {
  await using world = await ReaderWorld.create();
  const { api } = await world.startReader();
  const outputFieldIds = [101, PRICE];
  const found = await world.run(
    api.search({ ...searchOf(planWith(world, null), [0, 0, 0, 1, 1, 1], 5), outputFieldIds }, CALL),
  );
  assert.deepEqual([...found.counts], [0, 0]);
  assert.deepEqual([...found.rows.columns.keys()], outputFieldIds);
  const rows = await query(world, api, null, { outputFieldIds });
  assert.deepEqual([...rows.rows.columns.keys()], outputFieldIds);
  assert.equal(rows.count, 0);
});

test('a query gives the first rows by key, and the newest of several with one key', async () => {
  await using world = await mixedWorld();
  const { api } = await world.startReader();
  await world.insert([{ ...rowOf(3), price: 303 }]);
  await world.insert([{ ...rowOf(28), price: 2_828 }]);
  const result = await query(world, api, null, { limit: 6, outputFieldIds: [PRICE] });
  assert.deepEqual(keysOf(result), [0n, 1n, 2n, 3n, 4n, 6n]);
  assert.deepEqual(valuesOf(result.rows.columns.get(PRICE)!), [null, 1, 2, 303, 4, null]);
  assert.equal(result.count, 6);
  assert.deepEqual(keysOf(await query(world, api, null, { limit: 0 })), []);
  // Rows are counted, not keys.
  assert.equal((await query(world, api, null, { countOnly: true })).count, 30);
});

test('a key with several rows is found once, with its best', async () => {
  await using world = await ReaderWorld.create();
  await world.insert(Array.from({ length: 30 }, (_, index) => rowOf(1, [index, 0, 0])));
  await world.flush(world.channels[0]!);
  await world.insert([rowOf(1, [0.5, 0, 0]), rowOf(2, [50, 0, 0]), rowOf(3, [60, 0, 0])]);
  const { api } = await world.startReader();
  const hits = await search(api, world, searchOf(planWith(world, null), [0, 0, 0], 3));
  assert.deepEqual(hits, [
    [
      { key: 1n, score: 0 },
      { key: 2n, score: -2_500 },
      { key: 3n, score: -3_600 },
    ],
  ]);
});

test('scores are bounded on both sides', async () => {
  await using world = await mixedWorld();
  const { api } = await world.startReader();
  const request = { ...searchOf(planWith(world, null), [0, 0, 0], 100), scoreAbove: -37, scoreUpTo: -4 };
  const [hits] = await search(api, world, request);
  assert.deepEqual(
    hits!.map(({ key }) => key),
    [2n, 3n, 4n, 6n],
  );
});

test('a search that cannot be is refused with what is wrong', async () => {
  await using world = await mixedWorld();
  const { api } = await world.startReader();
  const good = searchOf(planWith(world, null), [0, 0, 0], 3);
  const refused = async (change: Partial<typeof good>, code: string, message: RegExp): Promise<void> => {
    await assert.rejects(world.run(api.search({ ...good, ...change }, CALL)), { code, message });
  };
  await refused({ queries: floatVectors(4, [0, 0, 0, 0]) }, 'PARAMETER_INVALID', /dimension 3/);
  await refused({ fieldId: PRICE }, 'PARAMETER_INVALID', /price/);
  await refused({ fieldId: 999 }, 'FIELD_NOT_FOUND', /999/);
  await refused({ k: 0 }, 'PARAMETER_INVALID', /1 to 16384/);
  await refused({ k: 16_385 }, 'PARAMETER_INVALID', /16385/);
  await refused({ params: { nprobes: 3 } }, 'PARAMETER_INVALID', /unknown parameter nprobes/);
  await refused({ channels: [{ id: '1-7' as never, after: 0, atLeast: 0 }] }, 'STALE_PLAN', /1-7/);
  await refused({ collectionId: '5' as never }, 'COLLECTION_NOT_FOUND', /5/);
});

test('too many requests at a time are refused, the rest is answered', async () => {
  await using world = await mixedWorld();
  const { api } = await world.startReader('reader-1', { options: { requestsMax: 3 } });
  const never: Guarantee = { kind: 'positions', positions: new Map([[world.channels[0]!, 99]]) };
  const plan = queryOf({ ...planWith(world, null), guarantee: never });
  const waiting = [1, 2, 3].map(() => api.query(plan, { timeoutMs: 500 }).catch((error: unknown) => error));
  await world.settle();
  assert.equal((await api.ping(CALL)).inFlight, 3);
  await assert.rejects(query(world, api, null), { code: 'OVERLOADED' });
  for (const error of await world.run(Promise.all(waiting))) {
    assert.equal((error as MishardsError).code, 'DEADLINE_EXCEEDED');
  }
  assert.equal((await query(world, api, null)).count, 28);
  assert.equal((await api.ping(CALL)).inFlight, 0);
});

test('cancelling and deadlines end a request wherever it waits', async () => {
  await using world = await mixedWorld();
  const gate = Promise.withResolvers<void>();
  world.objectStore.gate = gate.promise;
  const { api } = await world.startReader();
  const loading = queryOf({ ...planWith(world, null), guarantee: none });
  const unknown = { ...loading, segments: ['999' as never] };
  for (const request of [loading, unknown]) {
    await assert.rejects(world.run(api.query(request, { timeoutMs: 50 })), { code: 'DEADLINE_EXCEEDED' });
    const controller = new AbortController();
    const cancelled = api.query(request, { ...CALL, signal: controller.signal });
    await world.settle(20);
    controller.abort();
    await assert.rejects(cancelled, { code: 'CANCELLED' });
  }
  gate.resolve();
});

test('a reader that stops ends what waits and takes nothing new', async () => {
  await using world = await mixedWorld();
  const reader = await world.startReader();
  const never: Guarantee = { kind: 'positions', positions: new Map([[world.channels[0]!, 99]]) };
  const plan = queryOf({ ...planWith(world, null), guarantee: never });
  const waiting = reader.api.query(plan, CALL).catch((error: unknown) => error);
  await world.settle();
  assert.equal((await reader.api.ping(CALL)).ready, true);
  const stopping = Promise.resolve(reader[Symbol.asyncDispose]());
  assert.equal(((await world.run(waiting)) as MishardsError).code, 'SERVICE_NOT_READY');
  await world.run(stopping);
  await assert.rejects(reader.api.query(plan, CALL), { code: 'SERVICE_NOT_READY' });
  assert.equal((await reader.api.ping(CALL)).ready, false);
});

test('through the wire a reader answers the same', async () => {
  await using world = await mixedWorld();
  const { api } = await world.startReader();
  const wire = new InProcessWire(world.host.timers);
  await using _server = await wire.listen('memory://reader-1', serveReader(api));
  await using client = new ReaderClient(wire.connect('memory://reader-1'));
  const request = searchOf(planWith(world, FILTERS[0]![0]), [3, 0, 0, 30, 0, 0], 4);
  const direct = await world.run(api.search(request, CALL));
  const remote = await world.run(client.search(request, CALL));
  assert.deepEqual(hitsOf(remote), hitsOf(direct));
  assert.equal(remote.stats.segmentCount, 2);
  assert.ok(remote.stats.rowsSearched >= 20);
});

test('what a reader holds is metered', async () => {
  await using world = await mixedWorld();
  const gauges = new Map<string, () => number>();
  const { api } = await world.startReader('reader-1', {
    metrics: { gauge: (name, _help, read) => void gauges.set(name, read) },
  });
  await query(world, api, null);
  const values = Object.fromEntries([...gauges].map(([name, read]) => [name, read()]));
  assert.equal(values['reader_segments_open'], 2);
  assert.equal(values['reader_collections'], 1);
  assert.equal(values['reader_requests_running'], 0);
  assert.equal(values['reader_fresh_rows'], 11);
  assert.equal(values['reader_memory_bytes'], (await api.ping(CALL)).memoryBytes);
  assert.ok(values['reader_memory_bytes']! > 0);
});

function scoresOf(hits: readonly { readonly score: number }[]): number[] {
  return hits.map(({ score }) => score);
}
