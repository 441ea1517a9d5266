import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeDocument } from './document.ts';
import {
  channelDocumentKey,
  channelId,
  collectionDocumentKey,
  databaseDocumentKey,
  nameDocumentKey,
  segmentDocumentKey,
} from './keys.ts';
import type { ChannelMeta, CollectionMeta, SegmentMeta } from './model.ts';
import { SnapshotDraft } from './snapshot-draft.ts';
import { EMPTY_PARTS, Snapshot } from './snapshot.ts';
import type { CollectionId, PartitionId, SegmentId } from '../schema/index.ts';
import { vectorSchema } from '../../test/support/schemas.ts';

const A = '1' as CollectionId;
const B = '2' as CollectionId;
const PARTITION = '10' as PartitionId;

function collection(id: CollectionId, change: Partial<CollectionMeta> = {}): CollectionMeta {
  return {
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
    partitions: [{ id: PARTITION, name: '_default', createdTimestamp: '5' }],
    newestPartitionId: PARTITION,
    indexes: [],
    load: null,
    ...change,
  };
}

function channel(collectionId: CollectionId, number: number): ChannelMeta {
  const delta = { objectKey: 'd', rowCount: 1, sizeBytes: 2, minTimestamp: '3', maxTimestamp: '4' };
  return {
    id: channelId(collectionId, number),
    collectionId,
    checkpoint: 7,
    deltas: [delta],
    newestTimestamp: '4',
  };
}

function segment(collectionId: CollectionId, id: string, partitionId = PARTITION): SegmentMeta {
  return {
    id: id as SegmentId,
    collectionId,
    partitionId,
    channelId: channelId(collectionId, 0),
    formatVersion: 1,
    schemaVersion: 1,
    rowCount: 3,
    sizeBytes: 4,
    minTimestamp: '18446744073709551615',
    maxTimestamp: '6',
    deletesThrough: '0',
    replaces: [],
    rows: { objectKey: 'r', sizeBytes: 1 },
    vectors: [{ objectKey: 'v', sizeBytes: 1, fieldId: 101 }],
    indexes: [{ objectKey: 'i', sizeBytes: 1, fieldId: 101, indexId: '9' as never, type: 'HNSW' }],
    stats: [{ fieldId: 100, min: '-5', max: '5', nullCount: 0 }],
  };
}

type Change = readonly [key: string, document: object | null];

function changed(base: Snapshot, ...changes: readonly Change[]): Snapshot {
  const draft = new SnapshotDraft(base);
  for (const [key, document] of changes)
    draft.apply(key, document === null ? null : encodeDocument(document));
  return draft.build(base.revision + 1);
}

const putCollection = (meta: CollectionMeta): Change => [collectionDocumentKey(meta.id), meta];
const putSegment = (meta: SegmentMeta): Change => [segmentDocumentKey(meta.collectionId, meta.id), meta];
const putChannel = (meta: ChannelMeta): Change => [channelDocumentKey(meta.id), meta];

function twoCollections(): Snapshot {
  return changed(
    new Snapshot(EMPTY_PARTS),
    putCollection(collection(A)),
    putCollection(collection(B)),
    [nameDocumentKey('default', 'c1'), { collectionId: A }],
    putChannel(channel(A, 10)),
    putChannel(channel(A, 9)),
    putSegment(segment(A, '100')),
    putSegment(segment(A, '99')),
    putSegment(segment(B, '98')),
  );
}

test('documents come back as they were put, in the order of their numbers', () => {
  const snapshot = twoCollections();
  assert.deepEqual(snapshot.collections.get(A), collection(A));
  assert.deepEqual(snapshot.channelsOf(A), [channel(A, 9), channel(A, 10)]);
  assert.deepEqual(snapshot.channel(channelId(A, 10)), channel(A, 10));
  assert.deepEqual(snapshot.segmentsOf(A), [segment(A, '99'), segment(A, '100')]);
  assert.deepEqual(snapshot.segment(A, '99' as SegmentId), segment(A, '99'));
  assert.equal(snapshot.findCollection('default', 'c1'), snapshot.collections.get(A));
  assert.equal(snapshot.findCollection('default', 'c2'), undefined);
});

test('a change touches its collection only; the snapshot before it stays as it was', () => {
  const before = twoCollections();
  const after = changed(before, putSegment(segment(A, '101')));
  assert.equal(before.segmentsOf(A).length, 2);
  assert.equal(after.segmentsOf(A).length, 3);
  assert.equal(after.segmentsOf(B), before.segmentsOf(B));
  assert.equal(after.collections, before.collections);
  assert.equal(after.segmentsOf(A)[0], before.segmentsOf(A)[0]);
  const loaded = collection(A, { load: { replicas: 1, partitionIds: null, fieldIds: [100], before: null } });
  const later = changed(after, putCollection(loaded));
  assert.deepEqual(later.collections.get(A), loaded);
  assert.equal(later.segmentsOf(A), after.segmentsOf(A));
});

test('segments of a dropped partition or collection are orphans, not part of the model', () => {
  const extra = '11' as PartitionId;
  const partitions = [...collection(A).partitions, { id: extra, name: 'p', createdTimestamp: '5' }];
  const withPartition = changed(
    twoCollections(),
    putCollection(collection(A, { partitions })),
    putSegment(segment(A, '102', extra)),
  );
  assert.equal(withPartition.segmentsOf(A).length, 3);
  const withoutPartition = changed(withPartition, putCollection(collection(A)));
  assert.equal(withoutPartition.segment(A, '102' as SegmentId), undefined);
  assert.deepEqual(withoutPartition.orphans(), { segments: [segment(A, '102', extra)], channels: [] });
  const dropped = changed(withoutPartition, [collectionDocumentKey(A), null]);
  assert.deepEqual(dropped.segmentsOf(A), []);
  assert.deepEqual(dropped.channelsOf(A), []);
  assert.equal(dropped.orphans().segments.length, 3);
  assert.equal(dropped.orphans().channels.length, 2);
  const swept = changed(
    dropped,
    ...['99', '100', '102'].map((id): Change => [segmentDocumentKey(A, id as SegmentId), null]),
    ...[9, 10].map((number): Change => [channelDocumentKey(channelId(A, number)), null]),
  );
  assert.deepEqual(swept.orphans(), { segments: [], channels: [] });
});

test('collections of a database are found; names may hold any character', () => {
  const meta = collection(A, { databaseName: 'a/b', name: 'c/d ü' });
  const snapshot = changed(
    new Snapshot(EMPTY_PARTS),
    [databaseDocumentKey('a/b'), { id: '1', name: 'a/b', properties: {}, createdTimestamp: '0' }],
    putCollection(meta),
    [nameDocumentKey('a/b', 'c/d ü'), { collectionId: A }],
  );
  assert.deepEqual([...snapshot.databases.keys()], ['a/b']);
  assert.deepEqual(snapshot.findCollection('a/b', 'c/d ü'), meta);
  assert.deepEqual(snapshot.collectionsOf('a/b'), [meta]);
  assert.deepEqual(snapshot.collectionsOf('default'), []);
});

test('a damaged document is refused by key and field, a newer one by its version', () => {
  const draft = new SnapshotDraft(new Snapshot(EMPTY_PARTS));
  const key = collectionDocumentKey(A);
  const refused = (value: string, code: string, message: RegExp): void =>
    assert.throws(() => draft.apply(key, value), { code, message });
  refused('{', 'CORRUPT_DATA', /^catalog\/collection\/1 is not JSON$/);
  refused('[]', 'CORRUPT_DATA', /not a JSON object/);
  refused(JSON.stringify({ version: 2 }), 'NOT_SUPPORTED', /has document version 2/);
  const load = { replicas: -1, partitionIds: null, fieldIds: null, before: null };
  refused(
    encodeDocument(collection(A, { load })),
    'CORRUPT_DATA',
    /\/1\.load\.replicas is -1, expected a whole/,
  );
  refused(encodeDocument({ ...collection(A), name: undefined }), 'CORRUPT_DATA', /\.name is absent/);
});

test('keys that say nothing about the model are passed over', () => {
  const base = twoCollections();
  const draft = new SnapshotDraft(base);
  for (const key of ['catalog/commit', 'catalog/later/1', 'catalog/segment/1']) draft.apply(key, 'anything');
  const next = draft.build(9);
  assert.deepEqual({ ...next.parts, revision: 0 }, { ...base.parts, revision: 0 });
});

test('a key whose name is not encoded as ours is told as damage', () => {
  const draft = new SnapshotDraft(new Snapshot(EMPTY_PARTS));
  for (const key of ['catalog/database/%ff', 'catalog/name/default/50%'])
    assert.throws(() => draft.apply(key, null), {
      code: 'CORRUPT_DATA',
      message: `${key} is no key of the catalog`,
    });
});
