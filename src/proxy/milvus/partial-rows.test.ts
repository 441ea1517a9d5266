import assert from 'node:assert/strict';
import { test } from 'node:test';
import { completeRows } from './partial-rows.ts';
import type { MilvusCall } from './handler.ts';
import type { CollectionMeta } from '../../catalog/model.ts';
import {
  columnFromValues,
  columnOf,
  valuesOf,
  type ColumnValue,
  type RowBatch,
} from '../../columns/index.ts';
import type { CollectionSchema, FieldSchema } from '../../schema/index.ts';
import { createCollection } from '../../../test/support/writer-cluster.ts';
import { MemoryCore } from '../../../test/support/memory-core.ts';
import { vectorSchema } from '../../../test/support/schemas.ts';

const NOW_MS = 1_800_000_000_000;
const call = {} as MilvusCall;

async function collectionWith(
  core: MemoryCore,
  fields: readonly FieldSchema[],
  properties: Readonly<Record<string, string>> = {},
): Promise<CollectionMeta> {
  const schema: CollectionSchema = { ...vectorSchema({ dim: 2 }), fields };
  const snapshot = await core.execute(createCollection('c', { schema, properties }));
  return snapshot.findCollection('default', 'c')!;
}

function batch(columns: readonly (readonly [FieldSchema, readonly ColumnValue[]])[]): RowBatch {
  const rowCount = columns[0]![1].length;
  return {
    rowCount,
    columns: new Map(columns.map(([field, values]) => [field.id, columnFromValues(field, values)])),
  };
}

const [KEY] = vectorSchema({ dim: 2 }).fields as readonly FieldSchema[];
const PLAIN: FieldSchema = { ...KEY!, id: 101, name: 'price', isPrimaryKey: false, nullable: true };
const OTHER: FieldSchema = { ...PLAIN, id: 102, name: 'other' };

test('more keys than are looked up at a time find their rows', async () => {
  const core = new MemoryCore();
  const collection = await collectionWith(core, [KEY!, PLAIN, OTHER]);
  const partitionId = collection.partitions[0]!.id;
  const stored = Array.from({ length: 5_000 }, (_, index) => BigInt(index));
  const rows = batch([
    [KEY!, stored],
    [PLAIN, stored.map((key) => key * 10n)],
    [OTHER, stored],
  ]);
  await core.insert({ collection, partitionId, rows });
  const keys = stored.toReversed();
  const sent = batch([
    [KEY!, keys],
    [OTHER, keys.map(() => 7n)],
  ]);
  const complete = await completeRows({ core, clock: clockAt(NOW_MS) }, collection, sent, call);
  assert.deepEqual(
    valuesOf(columnOf(complete, PLAIN.id)),
    keys.map((key) => key * 10n),
  );
});

test('a row that has outlived its time is as one that is not there', async () => {
  const until: FieldSchema = { ...PLAIN, name: 'until', type: 'Timestamptz' };
  const core = new MemoryCore();
  const collection = await collectionWith(core, [KEY!, until, OTHER], { ttl_field: 'until' });
  const partitionId = collection.partitions[0]!.id;
  const times = [NOW_MS - 5_000, NOW_MS + 5_000].map((ms) => BigInt(ms) * 1_000n);
  const rows = batch([
    [KEY!, [1n, 2n]],
    [until, times],
    [OTHER, [10n, 20n]],
  ]);
  await core.insert({ collection, partitionId, rows });
  const later = BigInt(NOW_MS + 9_000) * 1_000n;
  const sent = batch([
    [KEY!, [1n, 2n]],
    [until, [later, later]],
  ]);
  const complete = await completeRows({ core, clock: clockAt(NOW_MS) }, collection, sent, call);
  assert.deepEqual(valuesOf(columnOf(complete, OTHER.id)), [null, 20n]);
});

function clockAt(nowMs: number) {
  return { nowMs: () => nowMs, monotonicMs: () => 0 };
}
