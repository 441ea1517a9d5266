import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { encodeDocument } from './document.ts';
import {
  WRITER_EPOCH_KEY,
  WRITER_LEASE_KEY,
  channelId,
  collectionDocumentKey,
  databaseDocumentKey,
  segmentDocumentKey,
} from './keys.ts';
import { openCatalog, type MetastoreCatalog } from './metastore-catalog.ts';
import type { SegmentMeta } from './model.ts';
import { createSimulatedHost, type SimulatedHost } from '../host/simulated/index.ts';
import { FaultableMetastore } from '../metastore/faultable-metastore.ts';
import { MemoryMetastore } from '../metastore/memory/memory-metastore.ts';
import type { Metastore, RangeResult, Watcher, Write } from '../metastore/metastore.ts';
import type { CollectionId, SegmentId } from '../schema/index.ts';
import { vectorSchema } from '../../test/support/schemas.ts';

const A = '1' as CollectionId;
const B = '2' as CollectionId;

let host: SimulatedHost;
let store: MemoryMetastore;
let faultable: FaultableMetastore;
let catalog: MetastoreCatalog;
let problems: unknown[];

beforeEach(async () => {
  host = createSimulatedHost();
  store = new MemoryMetastore({ host });
  faultable = new FaultableMetastore(store);
  problems = [];
  await write(...putCollection(A), ...putCollection(B), ...putSegment(A, '10'), ...putSegment(B, '11'));
  catalog = await open(faultable);
});

afterEach(async () => {
  await catalog[Symbol.asyncDispose]();
  await faultable[Symbol.asyncDispose]();
});

async function open(metastore: Metastore): Promise<MetastoreCatalog> {
  return await openCatalog({ metastore, timers: host.timers, onProblem: (error) => problems.push(error) });
}

/** As another process would, past the faults. */
async function write(...then: Write[]): Promise<number> {
  const { succeeded, revision } = await store.transact({ compares: [], then });
  assert.ok(succeeded);
  return revision;
}

function putDocument(key: string, document: object): Write[] {
  return [{ kind: 'put', key, value: encodeDocument(document) }];
}

function putCollection(id: CollectionId): Write[] {
  return putDocument(collectionDocumentKey(id), {
    id,
    databaseName: 'default',
    name: `c${id}`,
    aliases: [],
    schema: vectorSchema(),
    schemaVersion: 1,
    channels: [channelId(id, 0)],
    consistencyLevel: 'Bounded',
    properties: {},
    createdTimestamp: '5',
    partitions: [{ id: '7', name: '_default', createdTimestamp: '5' }],
    newestPartitionId: '7',
    indexes: [],
    load: null,
  });
}

function putSegment(collectionId: CollectionId, id: string, rowCount = 1): Write[] {
  return putDocument(segmentDocumentKey(collectionId, id as SegmentId), {
    id,
    collectionId,
    partitionId: '7',
    channelId: channelId(collectionId, 0),
    formatVersion: 1,
    schemaVersion: 1,
    rowCount,
    sizeBytes: 1,
    minTimestamp: '1',
    maxTimestamp: '2',
    deletesThrough: '0',
    replaces: [],
    rows: { objectKey: 'r', sizeBytes: 1 },
    vectors: [],
    indexes: [],
    stats: [],
  });
}

const idsOf = (segments: readonly SegmentMeta[]): string[] => segments.map((segment) => segment.id);

/** The snapshot once it shows `revision`. */
async function shown(revision: number) {
  const wanted = catalog.waitFor((snapshot) => snapshot.revision >= revision, AbortSignal.timeout(10_000));
  return await host.timers.advanceUntil(wanted);
}

test('what is in the metastore is in the first snapshot, and changes follow', async () => {
  const first = catalog.snapshot();
  assert.deepEqual(idsOf(first.segmentsOf(A)), ['10']);
  const next = await shown(await write(...putSegment(A, '12')));
  assert.deepEqual(idsOf(next.segmentsOf(A)), ['10', '12']);
  assert.deepEqual(idsOf(first.segmentsOf(A)), ['10']);
  assert.equal(next.segmentsOf(B), first.segmentsOf(B));
});

test('C5: a revision is seen whole', async () => {
  const seen: string[] = [];
  using _ = catalog.subscribe((snapshot) =>
    seen.push(`${snapshot.segmentsOf(A).length}${snapshot.segmentsOf(B).length}`),
  );
  await shown(await write(...putSegment(A, '12'), ...putSegment(B, '13')));
  assert.deepEqual(seen, ['22']);
});

test('C6: while the metastore is away the snapshot stays; afterwards it catches up', async () => {
  faultable.stop();
  const revision = await write(...putSegment(A, '12'), {
    kind: 'delete',
    key: segmentDocumentKey(B, '11' as SegmentId),
  });
  await host.timers.advance(5_000);
  assert.deepEqual(idsOf(catalog.snapshot().segmentsOf(A)), ['10']);
  assert.deepEqual(idsOf(catalog.snapshot().segmentsOf(B)), ['11']);
  assert.equal(catalog.snapshot().collections.get(A)!.name, 'c1');
  faultable.resume();
  const next = await shown(revision);
  assert.deepEqual(idsOf(next.segmentsOf(A)), ['10', '12']);
  assert.deepEqual(idsOf(next.segmentsOf(B)), []);
});

test('the writer is seen to come, to change and to go', async () => {
  const lease = await store.grantLease(3_000);
  const value = encodeDocument({ nodeId: 'w', address: 'memory://w', epoch: 4 });
  await write({ kind: 'put', key: WRITER_LEASE_KEY, value, leaseId: lease.id });
  const signal = AbortSignal.timeout(10_000);
  const named = await host.timers.advanceUntil(catalog.waitFor(({ writer }) => writer !== null, signal));
  assert.deepEqual(named.writer, { nodeId: 'w', address: 'memory://w', epoch: 4 });
  await write({ kind: 'put', key: WRITER_EPOCH_KEY, value: '4' });
  await lease.revoke();
  await host.timers.advanceUntil(catalog.waitFor(({ writer }) => writer === null, signal));
});

test('waiting looks at the present snapshot first and ends with its signal', async () => {
  assert.equal(await catalog.waitFor(() => true, AbortSignal.timeout(10_000)), catalog.snapshot());
  const controller = new AbortController();
  const waiting = catalog.waitFor(() => false, controller.signal);
  const reason = new Error('enough');
  controller.abort(reason);
  await assert.rejects(waiting, reason);
  await assert.rejects(
    catalog.waitFor(() => true, controller.signal),
    reason,
  );
});

test('a document that cannot be read leaves the last snapshot, is reported, and is gone past when it is mended', async () => {
  await write({ kind: 'put', key: databaseDocumentKey('x'), value: 'damaged' }, ...putSegment(A, '12'));
  await host.timers.advance(1_000);
  assert.deepEqual(idsOf(catalog.snapshot().segmentsOf(A)), ['10']);
  assert.ok(problems.some((problem) => (problem as { code?: string }).code === 'CORRUPT_DATA'));
  const before = catalog.snapshot().segmentsOf(B);
  const next = await shown(
    await write({ kind: 'delete', key: databaseDocumentKey('x') }, ...putSegment(A, '14')),
  );
  assert.deepEqual(idsOf(next.segmentsOf(A)), ['10', '12', '14']);
  assert.equal(next.segmentsOf(B), before);
  await assert.doesNotReject(async () => await shown(await write(...putSegment(A, '15'))));
});

test('a damaged catalog is refused when it is opened', async () => {
  await write({ kind: 'put', key: databaseDocumentKey('x'), value: 'damaged' });
  await assert.rejects(open(store), { code: 'CORRUPT_DATA' });
});

test('after a reset all is read anew, and what did not change is shared', async () => {
  const resets: Watcher[] = [];
  let ranges = 0;
  const resettable: Metastore = Object.assign(Object.create(store) as Metastore, {
    range: async (prefix: string): Promise<RangeResult> => {
      ranges++;
      return await store.range(prefix);
    },
    watch: (prefix: string, after: number, watcher: Watcher): AsyncDisposable => {
      resets.push(watcher);
      return prefix === 'catalog/' && resets.length <= 2
        ? { async [Symbol.asyncDispose]() {} }
        : store.watch(prefix, after, watcher);
    },
  });
  await using other = await open(resettable);
  const before = other.snapshot();
  await write(...putSegment(A, '12'), { kind: 'delete', key: segmentDocumentKey(B, '11' as SegmentId) });
  await host.timers.advance(100);
  assert.equal(other.snapshot(), before);
  resets[1]!.onReset('compacted');
  await host.timers.advance(1_000);
  assert.equal(ranges, 3);
  assert.deepEqual(idsOf(other.snapshot().segmentsOf(A)), ['10', '12']);
  assert.deepEqual(idsOf(other.snapshot().segmentsOf(B)), []);
  assert.equal(other.snapshot().segmentsOf(A)[0], before.segmentsOf(A)[0]);
  resets[1]!.onEvents([{ kind: 'delete', key: collectionDocumentKey(A), modRevision: 99 }], 99);
  assert.ok(other.snapshot().collections.has(A), 'what the first watch still says is ignored');
});

test('reading anew is tried until the metastore answers', async () => {
  await write({ kind: 'put', key: databaseDocumentKey('x'), value: 'damaged' });
  await host.timers.advance(50);
  faultable.stop();
  const revision = await write({ kind: 'delete', key: databaseDocumentKey('x') });
  await host.timers.advance(20_000);
  assert.ok(problems.length > 3);
  faultable.resume();
  await shown(revision);
});
