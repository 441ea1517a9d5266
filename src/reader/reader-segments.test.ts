import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeDocument } from '../catalog/document.ts';
import { collectionDocumentKey } from '../catalog/keys.ts';
import type { SegmentMeta } from '../catalog/model.ts';
import { columnOf, valuesOf } from '../columns/index.ts';
import { fieldOf } from '../../test/support/random-rows.ts';
import { MishardsError } from '../errors/index.ts';
import type { Guarantee, LoadedReport, ReaderApi } from '../protocol/reader-api.ts';
import { ConsistentHashRouter } from '../routing/consistent-hash/consistent-hash-router.ts';
import type { SegmentId } from '../schema/index.ts';
import type { Logger } from '../telemetry/logger.ts';
import { silentLogger } from '../telemetry/logger.ts';
import { CALL, keysOf, planOf, queryOf, search, searchOf, strong } from '../../test/support/reader-asks.ts';
import { COLLECTION, PARTITIONS, ReaderWorld, type RowToWrite } from '../../test/support/reader-world.ts';

const none: Guarantee = { kind: 'none' };
const rowsOf = (...keys: number[]): RowToWrite[] =>
  keys.map((key) => ({ key: BigInt(key), vector: [key, 0, 0], price: null, tag: '' }));

/** A world with this many flushed segments of one row, keys 1, 2, 3 … */
async function worldWith(segmentCount: number, replicas = 1): Promise<ReaderWorld> {
  const world = await ReaderWorld.create({
    load: { replicas, partitionIds: null, fieldIds: null, before: null },
  });
  for (let key = 1; key <= segmentCount; key++) {
    await world.insert(rowsOf(key));
    await world.flush(world.channels[0]!);
    await world.settle(10);
  }
  return world;
}

const loaded = (api: ReaderApi): Promise<LoadedReport> => api.loaded(COLLECTION, CALL);
const segmentIdsOf = (world: ReaderWorld): SegmentId[] =>
  world.catalog
    .snapshot()
    .segmentsOf(COLLECTION)
    .map(({ id }) => id);

async function keysSeen(world: ReaderWorld, api: ReaderApi, guarantee: Guarantee = strong(world)) {
  return keysOf(await world.run(api.query(queryOf(planOf(world.catalog.snapshot(), guarantee)), CALL)));
}

test('each segment is loaded on its replicas and moves with the readers', async () => {
  await using world = await worldWith(8, 2);
  const apis: ReaderApi[] = [];
  for (const id of ['reader-1', 'reader-2', 'reader-3']) apis.push((await world.startReader(id)).api);
  await world.settle(200);
  const holders = async (): Promise<number[]> => {
    const reports = await Promise.all(apis.map(loaded));
    return segmentIdsOf(world).map(
      (id) => reports.filter(({ segmentIds }) => segmentIds.includes(id)).length,
    );
  };
  // Before the graces end, also those that had a segment while fewer readers were known keep it.
  await world.settle(61_000);
  assert.deepEqual(await holders(), Array(8).fill(2));
  world.stopNode('reader-3');
  await world.settle(200);
  const [first, second] = await Promise.all(apis.map(loaded));
  assert.deepEqual(first!.segmentIds.toSorted(), segmentIdsOf(world));
  assert.deepEqual(second!.segmentIds.toSorted(), segmentIdsOf(world));
});

test('a reader answers for any segment, fetching it once for all who ask', async () => {
  await using world = await worldWith(3);
  world.nodes.replace([]);
  const { api } = await world.startReader('reader-1', { node: { id: 'elsewhere' as never } });
  assert.deepEqual((await loaded(api)).segmentIds, []);
  world.objectStore.fetched.length = 0;
  const answers = await Promise.all([1, 2, 3].map(() => keysSeen(world, api)));
  for (const keys of answers) assert.deepEqual(keys, [1n, 2n, 3n]);
  assert.equal(new Set(world.objectStore.fetched).size, world.objectStore.fetched.length);
  assert.equal((await loaded(api)).segmentIds.length, 3);
  // It stays while it is used, and goes after its grace.
  await world.settle(40_000);
  await keysSeen(world, api);
  await world.settle(40_000);
  assert.equal((await loaded(api)).segmentIds.length, 3);
  await world.settle(22_000);
  assert.equal((await loaded(api)).segmentIds.length, 0);
  assert.deepEqual(await keysSeen(world, api), [1n, 2n, 3n]);
});

test('a plan that is ahead of this catalog waits for it, one from before a compaction is stale after the grace', async () => {
  await using world = await worldWith(2);
  const { api } = await world.startReader();
  await world.settle();
  const old = planOf(world.catalog.snapshot(), none);
  const ahead = { ...old, segments: [...old.segments, '999' as SegmentId] };
  await assert.rejects(world.run(api.query(queryOf(ahead), CALL)), { code: 'STALE_PLAN', message: /999/ });

  const next = String(1 + Math.max(...old.segments.map(Number)));
  const waiting = api.query(queryOf({ ...old, segments: [next as SegmentId], channels: [] }), CALL);
  await world.settle();
  await world.compact(world.channels[0]!);
  assert.deepEqual(keysOf(await world.run(waiting)), [1n, 2n]);

  await world.settle(59_000);
  assert.deepEqual(keysOf(await world.run(api.query(queryOf(old), CALL))), [1n, 2n]);
  await world.settle(2_000);
  await assert.rejects(world.run(api.query(queryOf(old), CALL)), {
    code: 'STALE_PLAN',
    message: /superseded/,
  });
});

// R4 of docs/internals/read-path.md.
test('flushed rows stay fresh for their grace and not longer', async () => {
  await using world = await ReaderWorld.create();
  const { api } = await world.startReader();
  const before = planOf(world.catalog.snapshot(), none);
  await world.insert(rowsOf(1, 2));
  await world.flush(world.channels[0]!);
  await world.settle(59_000);
  assert.deepEqual(keysOf(await world.run(api.query(queryOf(before), CALL))), [1n, 2n]);
  assert.equal((await loaded(api)).freshRowCount, 0);
  await world.settle(2_000);
  await assert.rejects(world.run(api.query(queryOf(before), CALL)), { code: 'STALE_PLAN' });
  assert.deepEqual(await keysSeen(world, api), [1n, 2n]);
});

// R7 of docs/internals/read-path.md.
test('a segment that is leaving still receives deletes while a request uses it', async () => {
  await using world = await worldWith(2);
  const { api } = await world.startReader('reader-1', {
    options: { supersededGraceMs: 0, sweepIntervalMs: 10 },
  });
  await world.settle();
  const plan = planOf(world.catalog.snapshot(), none);
  const positions = new Map([[world.channels[0]!, world.lastSequence(world.channels[0]!) + 1]]);
  const request = queryOf({ ...plan, channels: [], guarantee: { kind: 'positions', positions } });
  const waiting = api.query(request, CALL);
  await world.settle();
  await world.compact(world.channels[0]!);
  await world.settle();
  await world.delete([1n]);
  assert.deepEqual(keysOf(await world.run(waiting)), [2n]);
});

test('a reader waits for the schema that a request was made for, for a while', async () => {
  await using world = await worldWith(1);
  const { api } = await world.startReader();
  await world.settle();
  const snapshot = world.catalog.snapshot();
  const meta = snapshot.collections.get(COLLECTION)!;
  const added = fieldOf({ id: 200, type: 'VarChar', name: 'added', nullable: true, maxLength: 9 });
  const schemaVersion = meta.schemaVersion + 1;
  const ahead = { ...planOf(snapshot, none), schemaVersion, outputFieldIds: [200] };
  const late = { code: 'STALE_PLAN', message: /version 2 of the schema/ };
  await assert.rejects(world.run(api.query(queryOf(ahead), CALL)), late);
  const waiting = api.query(queryOf(ahead), CALL);
  const schema = { ...meta.schema, fields: [...meta.schema.fields, added] };
  const changed = encodeDocument({ ...meta, schema, schemaVersion });
  await world.commit([{ kind: 'put', key: collectionDocumentKey(COLLECTION), value: changed }]);
  const { rows } = await world.run(waiting);
  assert.deepEqual(valuesOf(columnOf(rows, 200)), [null]);
});

// R6 of docs/internals/read-path.md.
test('an upsert is not seen as neither row by a plan from before its flush on a reader that lags', async () => {
  await using world = await worldWith(1);
  const { api } = await world.startReader('reader-1', { node: { id: 'elsewhere' as never } });
  await world.settle();
  const before = planOf(world.catalog.snapshot(), none);
  world.writer.isAway = true;
  world.log.failure = new MishardsError('STORAGE_UNAVAILABLE', 'the disk is away');
  await world.settle();
  await world.upsert(rowsOf(1));
  await world.flush(world.channels[0]!);
  const waiting = api.query(queryOf(before), CALL);
  await world.settle();
  world.log.failure = null;
  const result = await world.run(waiting);
  assert.deepEqual(keysOf(result), [1n]);
  assert.deepEqual([...result.timestamps], [2n]);
});

test('released collections let everything go, and loading serves them again', async () => {
  await using world = await worldWith(2);
  const { api } = await world.startReader();
  await world.insert(rowsOf(3));
  assert.deepEqual(await keysSeen(world, api), [1n, 2n, 3n]);
  const plan = planOf(world.catalog.snapshot(), none);
  const never: Guarantee = { kind: 'positions', positions: new Map([[world.channels[0]!, 99]]) };
  const waiting = api.query(queryOf({ ...plan, guarantee: never }), CALL).catch((error: unknown) => error);
  await world.settle();
  await world.setLoad(null);
  assert.equal(((await world.run(waiting)) as MishardsError).code, 'STALE_PLAN');
  await world.settle();
  assert.deepEqual(await loaded(api), {
    segmentIds: [],
    indexedSegmentIds: [],
    freshRowCount: 0,
    memoryBytes: 0,
  });
  assert.equal((await api.ping(CALL)).memoryBytes, 0);
  await assert.rejects(world.run(api.query(queryOf(plan), CALL)), { code: 'COLLECTION_NOT_LOADED' });
  await world.setLoad({ replicas: 1, partitionIds: null, fieldIds: null, before: null });
  await world.settle();
  assert.deepEqual(await keysSeen(world, api), [1n, 2n, 3n]);
});

test('only loaded partitions are kept', async () => {
  await using world = await ReaderWorld.create({
    load: { replicas: 1, partitionIds: [PARTITIONS[1]], fieldIds: null, before: null },
  });
  await world.insert(rowsOf(1), PARTITIONS[0]);
  await world.insert(rowsOf(2), PARTITIONS[1]);
  const segments = await world.flush(world.channels[0]!);
  const { api } = await world.startReader();
  await world.settle();
  const wanted = segments.find(({ partitionId }) => partitionId === PARTITIONS[1])!;
  assert.deepEqual((await loaded(api)).segmentIds, [wanted.id]);
  await world.insert(rowsOf(3), PARTITIONS[0]);
  await world.insert(rowsOf(4), PARTITIONS[1]);
  const plan = planOf(world.catalog.snapshot(), strong(world));
  const request = { ...plan, segments: [wanted.id], partitions: { ids: [PARTITIONS[1]], newerThan: null } };
  assert.deepEqual(keysOf(await world.run(api.query(queryOf(request), CALL))), [2n, 4n]);
});

test('indexes are opened when the catalog shows them and closed when they are dropped', async () => {
  await using world = await worldWith(2);
  const { api } = await world.startReader();
  await world.settle();
  // FLAT needs no index, so a segment without any counts as indexed.
  assert.equal((await loaded(api)).indexedSegmentIds.length, 2);
  const gate = Promise.withResolvers<void>();
  world.objectStore.gate = gate.promise;
  await world.buildIndexes();
  await world.settle(50);
  assert.equal((await loaded(api)).indexedSegmentIds.length, 0);
  const plan = (): ReturnType<typeof planOf> => planOf(world.catalog.snapshot(), strong(world));
  const expected = [
    { key: 1n, score: -1 },
    { key: 2n, score: -4 },
  ];
  assert.deepEqual(await search(api, world, searchOf(plan(), [0, 0, 0], 5)), [expected]);
  gate.resolve();
  await world.settle();
  assert.equal((await loaded(api)).indexedSegmentIds.length, 2);
  const { memoryBytes } = await loaded(api);
  assert.deepEqual(await search(api, world, searchOf(plan(), [0, 0, 0], 5)), [expected]);
  const byProduct = { ...searchOf(plan(), [1, 0, 0], 1), metric: 'IP' } as const;
  assert.deepEqual(await search(api, world, byProduct), [[{ key: 2n, score: 2 }]]);
  await world.dropIndexes();
  await world.settle();
  assert.ok((await loaded(api)).memoryBytes < memoryBytes);
  assert.deepEqual(await search(api, world, searchOf(plan(), [0, 0, 0], 5)), [expected]);
});

test('what does not fit into memory is refused, after closing what belongs elsewhere', async () => {
  await using world = await worldWith(3);
  const [first, second, third] = world.catalog.snapshot().segmentsOf(COLLECTION);
  const node = { id: 'elsewhere' as never };
  const plan = { ...planOf(world.catalog.snapshot(), none), channels: [] };
  const ask = async ({ api }: { readonly api: ReaderApi }, { id }: SegmentMeta) =>
    keysOf(await world.run(api.query(queryOf({ ...plan, segments: [id] }), CALL)));
  const roomy = await world.startReader('reader-0', { node });
  await ask(roomy, first!);
  const { memoryBytes } = await loaded(roomy.api);
  // Room for what is open of one segment and for opening the next.
  const memoryBytesMax = memoryBytes + third!.sizeBytes;
  const reader = await world.startReader('reader-1', { node, options: { memoryBytesMax } });
  assert.deepEqual(await ask(reader, first!), [1n]);
  assert.deepEqual(await ask(reader, second!), [2n]);
  assert.deepEqual(await ask(reader, third!), [3n]);
  assert.deepEqual((await loaded(reader.api)).segmentIds, [second!.id, third!.id]);
  const tiny = await world.startReader('reader-2', { node, options: { memoryBytesMax: 10 } });
  await assert.rejects(ask(tiny, first!), { code: 'MEMORY_LIMIT' });
});

test('a load that failed is told once, tried again in the background, and at once for a request', async () => {
  await using world = await worldWith(1);
  const warnings: string[] = [];
  const logger: Logger = {
    ...silentLogger,
    warn: (_fields, message) => void warnings.push(message),
    child: () => logger,
  };
  world.objectStore.failure = new MishardsError('STORAGE_UNAVAILABLE', 'the bucket is away');
  const { api } = await world.startReader('reader-1', { logger });
  await world.settle(10_000);
  assert.deepEqual(warnings, ['a segment could not be loaded, it will be tried again']);
  assert.ok(world.objectStore.fetched.length > 2);
  await assert.rejects(keysSeen(world, api), { code: 'STORAGE_UNAVAILABLE' });
  world.objectStore.failure = null;
  assert.deepEqual(await keysSeen(world, api), [1n]);
  world.stopNode('nobody');
  await world.settle(3_000);
  assert.equal((await loaded(api)).segmentIds.length, 1);
});

test('a router that fails leaves segments where they are, and requests are answered', async () => {
  await using world = await worldWith(1);
  const router = new ConsistentHashRouter();
  let isBroken = false;
  const errors: string[] = [];
  const logger: Logger = {
    ...silentLogger,
    error: (_fields, message) => void errors.push(message),
    child: () => logger,
  };
  const { api } = await world.startReader('reader-1', {
    logger,
    router: {
      driver: 'moody',
      place: (...inputs) => {
        if (isBroken) throw new Error('no idea');
        return router.place(...inputs);
      },
    },
  });
  await world.settle();
  isBroken = true;
  await world.insert(rowsOf(2));
  await world.flush(world.channels[0]!);
  await world.settle();
  assert.equal((await loaded(api)).segmentIds.length, 1);
  assert.ok(errors.includes('the router failed, the former placement stays'));
  assert.deepEqual(await keysSeen(world, api), [1n, 2n]);
});

test('a request that gives up does not end the load that others wait for', async () => {
  await using world = await worldWith(1);
  const gate = Promise.withResolvers<void>();
  world.objectStore.gate = gate.promise;
  const { api } = await world.startReader();
  const plan = queryOf(planOf(world.catalog.snapshot(), none));
  const controller = new AbortController();
  const impatient = api.query(plan, { ...CALL, signal: controller.signal });
  const patient = api.query(plan, CALL);
  await world.settle();
  controller.abort();
  await assert.rejects(impatient, { code: 'CANCELLED' });
  gate.resolve();
  assert.deepEqual(keysOf(await world.run(patient)), [1n]);
});
