import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planRead } from './read-plan.ts';
import type { CatalogSnapshot } from '../../catalog/catalog.ts';
import type { CollectionMeta, SegmentMeta } from '../../catalog/model.ts';
import type { PartitionId, Timestamp } from '../../schema/index.ts';

const IDS = ['2', '3'] as PartitionId[];
const SEGMENTS = [
  { id: 'a', partitionId: '2', maxTimestamp: '99' },
  { id: 'b', partitionId: '2', maxTimestamp: '100' },
  { id: 'c', partitionId: '3', maxTimestamp: '18446744073709551615' },
] as unknown as SegmentMeta[];
const snapshot = { segmentsOf: () => SEGMENTS, channel: () => undefined } as unknown as CatalogSnapshot;

function plan(loaded: readonly PartitionId[] | null, asked: readonly PartitionId[] | null, since = 0n) {
  const collection = {
    name: 'c',
    partitions: IDS.map((id) => ({ id, name: `p${id}` })),
    newestPartitionId: '4',
    load: { replicas: 1, fieldIds: null, partitionIds: loaded },
    channels: ['1-0'],
  } as unknown as CollectionMeta;
  const rowsSince = since as Timestamp;
  const made = planRead({ snapshot, collection, partitionIds: asked, rowsSince, placement: new Map() });
  return { partitions: made.partitions, segments: made.segments.map(({ id }) => id as string) };
}

test('a plan for all names the partitions there are, and lets newer ones in', () => {
  assert.deepEqual(plan(null, null), {
    partitions: { ids: IDS, newerThan: '4' },
    segments: ['a', 'b', 'c'],
  });
});

test('a plan for some partitions lets no others in', () => {
  const some = { partitions: { ids: ['3'], newerThan: null }, segments: ['c'] };
  assert.deepEqual(plan(null, [IDS[1]!]), some);
  assert.deepEqual(plan([IDS[1]!], null), some);
  assert.throws(() => plan([IDS[1]!], [IDS[0]!]), {
    code: 'PARTITION_NOT_LOADED',
    message: 'partition not loaded[partition=p2]',
  });
});

test('segments all of whose rows have outlived their time are left out', () => {
  assert.deepEqual(plan(null, null, 100n).segments, ['b', 'c']);
  assert.deepEqual(plan(null, null, 101n).segments, ['c']);
});
