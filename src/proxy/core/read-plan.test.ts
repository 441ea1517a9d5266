import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planRead } from './read-plan.ts';
import type { CatalogSnapshot } from '../../catalog/catalog.ts';
import type { CollectionMeta, SegmentMeta } from '../../catalog/model.ts';
import { channelIndexOf } from '../../columns/index.ts';
import { compileFilter, parseFilter } from '../../filter/index.ts';
import type { PartitionId, Timestamp } from '../../schema/index.ts';
import { fieldOf, schemaOf } from '../../../test/support/random-rows.ts';

const IDS = ['2', '3'] as PartitionId[];
const SEGMENTS = [
  { id: 'a', partitionId: '2', channelId: '1-0', maxTimestamp: '99' },
  { id: 'b', partitionId: '2', channelId: '1-0', maxTimestamp: '100' },
  { id: 'c', partitionId: '3', channelId: '1-0', maxTimestamp: '18446744073709551615' },
] as unknown as SegmentMeta[];
const snapshot = { segmentsOf: () => SEGMENTS, channel: () => undefined } as unknown as CatalogSnapshot;

function plan(loaded: readonly PartitionId[] | null, asked: readonly PartitionId[] | null, since = 0n) {
  const collection = {
    name: 'c',
    partitions: IDS.map((id) => ({ id, name: `p${id}` })),
    newestPartitionId: '4',
    load: { replicas: 1, fieldIds: null, partitionIds: loaded, before: null },
    channels: ['1-0'],
  } as unknown as CollectionMeta;
  const rowsSince = since as Timestamp;
  const made = planRead({
    snapshot,
    collection,
    partitionIds: asked,
    rowsSince,
    filter: null,
    placement: new Map(),
  });
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

const SCHEMA = schemaOf([
  fieldOf({ id: 100, name: 'id', type: 'Int64', isPrimaryKey: true }),
  fieldOf({ id: 101, name: 'price', type: 'Int32', nullable: true }),
]);

/** What a filter leaves of two segments in each of four channels, keys 0 to 99 and 100 to 199. */
function pruned(text: string): {
  readonly segments: readonly string[];
  readonly channels: readonly string[];
} {
  const channels = ['1-0', '1-1', '1-2', '1-3'];
  const segments = channels.flatMap((channelId) =>
    [0, 100].map((min) => ({
      id: `${channelId}/${min}`,
      partitionId: '2',
      channelId,
      maxTimestamp: '1',
      stats: [{ fieldId: 100, min: String(min), max: String(min + 99), nullCount: 0 }],
    })),
  );
  const collection = {
    schema: SCHEMA,
    partitions: [{ id: '2', name: 'p' }],
    newestPartitionId: '2',
    load: { replicas: 1, fieldIds: null, partitionIds: null },
    channels,
  } as unknown as CollectionMeta;
  const made = planRead({
    snapshot: { segmentsOf: () => segments, channel: () => undefined } as unknown as CatalogSnapshot,
    collection,
    partitionIds: null,
    rowsSince: 0n as Timestamp,
    filter: compileFilter(parseFilter(text), SCHEMA),
    placement: new Map(),
  });
  return {
    segments: made.segments.map(({ id }) => id as string),
    channels: made.channels.map(({ id }) => id as string),
  };
}

test('of keys the filter names, only their channels and segments with such keys are read', () => {
  const channel = `1-${channelIndexOf(7n, 4)}`;
  assert.deepEqual(pruned('id == 7'), { segments: [`${channel}/0`], channels: [channel] });
  assert.deepEqual(pruned('price > 3 and id in [7]'), { segments: [`${channel}/0`], channels: [channel] });
  const other = `1-${channelIndexOf(150n, 4)}`;
  assert.deepEqual([...pruned('id in [7, 150]').channels].sort(), [...new Set([channel, other])].sort());
  assert.deepEqual(pruned('id > 120').segments, ['1-0/100', '1-1/100', '1-2/100', '1-3/100']);
  assert.equal(pruned('id > 120 or price == 1').segments.length, 8);
  assert.deepEqual(pruned('id == 7 and id == 8').channels, ['1-0']);
  assert.equal(pruned('id > 120').channels.length, 4);
});
