import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFreshRows, type FreshRowsOptions } from './fresh-rows.ts';
import type { Mutation } from './mutation.ts';
import type { DeleteBatch, FreshBlock, FreshRows } from './segment.ts';
import {
  bitAt,
  columnFromValues,
  keyAt,
  keysFromValues,
  valueAt,
  valuesOf,
  type Column,
  type ColumnValue,
  type KeyValue,
  type RowBatch,
} from '../columns/index.ts';
import { SeededRandom, type Random } from '../host/index.ts';
import { NodeFileSystem } from '../host/node/index.ts';
import { MemoryKernel } from '../kernel/memory/memory-kernel.ts';
import type { ChannelId, PartitionId, Timestamp } from '../schema/index.ts';
import { fieldOf, randomColumn, schemaOf } from '../../test/support/random-rows.ts';
import { testSeed } from '../../test/support/seed.ts';

const kernel = new MemoryKernel({ files: new NodeFileSystem() });
const channel = '1-0' as ChannelId;
const PARTITIONS = ['10', '11', '12'] as PartitionId[];
const DIM = 2;
const schemaOfKeys = (type: 'Int64' | 'VarChar') =>
  schemaOf([
    fieldOf({ id: 100, type, isPrimaryKey: true }),
    fieldOf({ id: 101, type: 'Int32' }),
    fieldOf({ id: 102, type: 'VarChar', nullable: true }),
    fieldOf({ id: 103, type: 'FloatVector', dim: DIM }),
    fieldOf({ id: 104, type: 'FloatVector', dim: 1, nullable: true }),
  ]);
const schema = schemaOfKeys('Int64');

function freshRows(more: Partial<FreshRowsOptions> = {}): FreshRows {
  return createFreshRows({ kernel, channel, schema, after: 0, ...more });
}

interface ModelRow {
  readonly sequence: number;
  readonly partitionId: PartitionId;
  readonly key: KeyValue;
  readonly timestamp: bigint;
  readonly values: readonly ColumnValue[];
  /** Sequence of the first entry that deleted it. */
  deletedBy: number;
}

interface ModelDelete {
  readonly sequence: number;
  readonly partitionId: PartitionId | null;
  readonly key: KeyValue;
  readonly timestamp: bigint;
}

/** The contract of fresh rows, said with lists. */
class Model {
  rows: ModelRow[] = [];
  deletes: ModelDelete[] = [];

  apply(mutation: Mutation, sequence: number, timestamp: bigint): void {
    if (mutation.kind === 'delete') {
      this.#delete(valuesOf(mutation.keys) as KeyValue[], mutation.partitionId, sequence, timestamp);
      return;
    }
    const { partitionId, rows } = mutation;
    const keys = valuesOf(rows.columns.get(100)!) as KeyValue[];
    if (mutation.kind === 'upsert') this.#delete(keys, null, sequence, timestamp);
    keys.forEach((key, row) => {
      const values = [...rows.columns.values()].map((column) => plain(valueAt(column, row)));
      this.rows.push({ sequence, partitionId, key, timestamp, values, deletedBy: Number.POSITIVE_INFINITY });
    });
  }

  dropThrough(sequence: number): void {
    this.rows = this.rows.filter((row) => row.sequence > sequence);
    this.deletes = this.deletes.filter((entry) => entry.sequence > sequence);
  }

  #delete(
    keys: readonly KeyValue[],
    partitionId: PartitionId | null,
    sequence: number,
    timestamp: bigint,
  ): void {
    for (const key of keys) {
      this.deletes.push({ sequence, partitionId, key, timestamp });
      for (const row of this.rows) {
        if (row.key !== key || row.timestamp >= timestamp) continue;
        if (partitionId !== null && row.partitionId !== partitionId) continue;
        row.deletedBy = Math.min(row.deletedBy, sequence);
      }
    }
  }
}

function plain(value: ColumnValue): ColumnValue {
  return value instanceof Float32Array ? [...value] : value;
}

function randomKeys(random: Random, type: 'Int64' | 'VarChar', count: number): Column {
  const values = Array.from({ length: count }, () => random.below(30));
  return columnFromValues(
    { type, elementType: null, dim: null },
    values.map((value) => (type === 'Int64' ? BigInt(value) : `key-${value}`)),
  );
}

function randomMutation(random: Random, type: 'Int64' | 'VarChar'): Mutation {
  const partitionId = PARTITIONS[random.below(PARTITIONS.length)]!;
  const count = random.below(10) === 0 ? 40 : random.below(6);
  const keys = randomKeys(random, type, count);
  if (random.below(3) === 0) {
    const where = random.below(2) === 0 ? null : partitionId;
    return { kind: 'delete', partitionId: where, keys: keys as ReturnType<typeof keysFromValues> };
  }
  const columns = new Map([[100, keys]]);
  for (const field of schemaOfKeys(type).fields.slice(1))
    columns.set(field.id, randomColumn(random, field, count));
  return {
    kind: random.below(2) === 0 ? 'insert' : 'upsert',
    partitionId,
    rows: { rowCount: count, columns },
  };
}

const byArrival = (rows: readonly ModelRow[]): unknown =>
  rows.map(({ partitionId, timestamp, values }) => ({ partitionId, timestamp, values }));

/** Visible rows of the blocks, partition by partition in order of arrival. */
async function rowsOf(blocks: readonly FreshBlock[]): Promise<ModelRow[]> {
  const rows: ModelRow[] = [];
  for (const block of blocks) {
    const columns = await Promise.all(schema.fields.map((field) => block.column(field.id)));
    const visible = block.visible();
    for (let row = 0; row < block.rowCount; row++) {
      if (visible !== null && !bitAt(visible, row)) continue;
      const values = columns.map((column) => plain(valueAt(column!, row)));
      const { partitionId } = block;
      const [key, timestamp] = [keyAt(block.keys, row), block.timestamps[row]!];
      rows.push({ sequence: 0, partitionId, key, timestamp, values, deletedBy: Number.POSITIVE_INFINITY });
    }
  }
  return rows;
}

function partitioned(rows: readonly ModelRow[]): ModelRow[] {
  return PARTITIONS.flatMap((partitionId) => rows.filter((row) => row.partitionId === partitionId));
}

function deletesOf(batch: DeleteBatch): unknown {
  return Array.from({ length: batch.keys.length }, (_, row) => ({
    partitionId: batch.partitionIds[row],
    key: keyAt(batch.keys, row),
    timestamp: batch.timestamps[row],
  }));
}

async function compare(
  fresh: FreshRows,
  model: Model,
  random: Random,
  type: 'Int64' | 'VarChar',
): Promise<void> {
  const { droppedThrough, sequence } = fresh;
  const after = droppedThrough + random.below(sequence - droppedThrough + 1);
  const partitions = random.below(2) === 0 ? null : PARTITIONS.filter(() => random.below(2) === 0);
  const asked = (row: ModelRow): boolean => partitions === null || partitions.includes(row.partitionId);
  const alive = model.rows.filter((row) => row.deletedBy === Number.POSITIVE_INFINITY);
  const blocks = fresh.blocksAfter(after, partitions);
  assert.deepEqual(
    byArrival(partitioned(await rowsOf(blocks))),
    byArrival(partitioned(alive.filter((row) => row.sequence > after && asked(row)))),
  );
  const remembered = ({ partitionId, key, timestamp }: ModelDelete): unknown => ({
    partitionId,
    key,
    timestamp,
  });
  const deletes = model.deletes.filter((entry) => entry.sequence > after);
  assert.deepEqual(deletesOf(fresh.deletesAfter(after)), deletes.map(remembered));
  assert.equal(fresh.rowCount, model.rows.length);
  const through = droppedThrough + random.below(sequence - droppedThrough + 1);
  const flushable = fresh.copyThrough(through, schemaOfKeys(type));
  const copied = flushable.partitions.flatMap(({ partitionId, rows, timestamps }) =>
    Array.from({ length: rows.rowCount }, (_, row) => ({
      partitionId,
      timestamp: timestamps[row]!,
      values: [...rows.columns.values()].map((column) => plain(valueAt(column, row))),
    })),
  );
  const left = partitioned(model.rows.filter((row) => row.sequence <= through && row.deletedBy > through));
  assert.deepEqual(
    PARTITIONS.flatMap((partitionId) => copied.filter((row) => row.partitionId === partitionId)),
    byArrival(left),
  );
  const leftDeletes = model.deletes.filter((entry) => entry.sequence <= through);
  assert.deepEqual(deletesOf(flushable.deletes), leftDeletes.map(remembered));
}

for (const type of ['Int64', 'VarChar'] as const) {
  test(`fresh rows with ${type} keys do what lists would do (seed ${testSeed})`, async () => {
    const random = new SeededRandom(testSeed).fork(type);
    for (let round = 0; round < 6; round++) {
      const model = new Model();
      using fresh = freshRows({ schema: schemaOfKeys(type), blockRowsMin: 2, blockRowsMax: 16 });
      for (let sequence = 1; sequence <= 60; sequence++) {
        const mutation = randomMutation(random, type);
        const timestamp = BigInt((sequence >> 1) * 1000) as Timestamp;
        fresh.apply(mutation, sequence, timestamp);
        fresh.apply(mutation, sequence - random.below(2), timestamp);
        model.apply(mutation, sequence, timestamp);
        if (random.below(8) === 0) {
          const dropped = fresh.droppedThrough + random.below(sequence - fresh.droppedThrough + 1);
          fresh.dropThrough(dropped);
          model.dropThrough(dropped);
        }
        if (random.below(4) === 0) await compare(fresh, model, random, type);
      }
      fresh.dropThrough(60);
      assert.deepEqual([fresh.rowCount, fresh.memoryBytes], [0, 0]);
    }
  });
}

function rowsWith(keys: readonly bigint[], value: number): RowBatch {
  const columns = new Map<number, Column>();
  for (const field of schema.fields) {
    const filler = {
      Int64: null,
      Int32: value,
      VarChar: null,
      FloatVector: new Float32Array(field.dim ?? 0).fill(value),
    };
    columns.set(
      field.id,
      columnFromValues(
        field,
        keys.map((key) => (field.isPrimaryKey ? key : filler[field.type as keyof typeof filler])),
      ),
    );
  }
  return { rowCount: keys.length, columns };
}

const insert = (keys: readonly bigint[], value = 0): Mutation => ({
  kind: 'insert',
  partitionId: PARTITIONS[0]!,
  rows: rowsWith(keys, value),
});
const at = (sequence: number): [number, Timestamp] => [sequence, BigInt(sequence) as Timestamp];

test('what was looked up stays the same while rows arrive and are deleted', async () => {
  using fresh = freshRows();
  fresh.apply(insert([1n, 2n], 1), ...at(1));
  const [block] = fresh.blocksAfter(0, null);
  fresh.apply({ ...insert([2n, 3n], 2), kind: 'upsert' } as Mutation, ...at(2));
  assert.equal(block!.rowCount, 2);
  assert.equal(block!.visible(), null);
  assert.deepEqual([...block!.alive()!], [0b01]);
  assert.deepEqual(valuesOf((await block!.column(101))!), [1, 1]);
  const [now] = fresh.blocksAfter(0, null);
  assert.deepEqual([...now!.visible()!], [0b1101]);
  const [newer] = fresh.blocksAfter(1, null);
  assert.deepEqual([...newer!.visible()!], [0b1100]);
  assert.equal(fresh.blocksAfter(2, null).length, 0);
});

test('fresh blocks are searched by the kernel while they grow', async () => {
  using fresh = freshRows({ blockRowsMin: 2 });
  for (let sequence = 1; sequence <= 9; sequence++)
    fresh.apply(insert([BigInt(sequence)], sequence), ...at(sequence));
  fresh.apply({ kind: 'delete', partitionId: null, keys: keysFromValues('Int64', [9n]) }, ...at(10));
  const blocks = fresh.blocksAfter(2, null);
  const hits = await kernel.search({
    sources: blocks.map((block) => ({ ...block.searchable(103), allowed: block.visible() })),
    metric: 'IP',
    format: 'float32',
    dim: DIM,
    queries: Float32Array.of(1, 1),
    queryCount: 1,
    k: 16,
    params: {},
    scoreAbove: null,
    scoreUpTo: null,
  });
  const keys = [...hits.rows.subarray(0, hits.counts[0])].map((row, index) =>
    keyAt(blocks[hits.sources[index]!]!.keys, row),
  );
  assert.deepEqual(keys, [8n, 7n, 6n, 5n, 4n, 3n]);
});

test('blocks begin small, double, and stay within their bounds', () => {
  using fresh = freshRows({ blockRowsMin: 4, blockRowsMax: 16 });
  const sizes = (rows: FreshRows): number[] =>
    rows.blocksAfter(rows.droppedThrough, null).map((block) => block.rowCount);
  for (let sequence = 1; sequence <= 60; sequence++) fresh.apply(insert([BigInt(sequence)]), ...at(sequence));
  assert.deepEqual(sizes(fresh), [4, 8, 16, 16, 16]);
  using bounded = freshRows({ blockRowsMin: 4, blockBytesMax: 100 });
  bounded.apply(insert(Array.from({ length: 20 }, (_, index) => BigInt(index))), ...at(1));
  assert.deepEqual(sizes(bounded), [8, 8, 4]);
});

test('rows that came before a field existed have none of it until they are flushed', async () => {
  using fresh = freshRows();
  fresh.apply(insert([1n]), ...at(1));
  const added = fieldOf({
    id: 105,
    type: 'Int64',
    nullable: true,
    defaultValue: { kind: 'int', value: '7' },
  });
  const addedVector = fieldOf({ id: 106, type: 'FloatVector', dim: 3, nullable: true });
  const newer = rowsWith([2n], 1);
  const columns = new Map(newer.columns);
  columns.set(105, columnFromValues(added, [8n]));
  columns.set(106, columnFromValues(addedVector, [Float32Array.of(1, 2, 3)]));
  fresh.apply({ kind: 'insert', partitionId: PARTITIONS[0]!, rows: { rowCount: 1, columns } }, ...at(2));
  const [first, second] = fresh.blocksAfter(0, null);
  assert.equal(await first!.column(105), null);
  assert.deepEqual([...first!.vectorValidity(106)!], [0]);
  assert.throws(() => first!.searchable(106), { code: 'FIELD_NOT_FOUND' });
  assert.deepEqual(valuesOf((await second!.column(105))!), [8n]);
  assert.equal(second!.vectorValidity(106), null);
  const both = { ...schema, fields: [...schema.fields, added, addedVector] };
  const [flushed] = fresh.copyThrough(2, both).partitions;
  assert.deepEqual(valuesOf(flushed!.rows.columns.get(105)!), [7n, 8n]);
  assert.deepEqual(
    valuesOf(flushed!.rows.columns.get(106)!).map((value) => value && plain(value)),
    [null, [1, 2, 3]],
  );
});

test('what was dropped cannot be asked for, and what was given out before says so', () => {
  using fresh = freshRows({ after: 5 });
  fresh.apply(insert([1n]), ...at(6));
  const [block] = fresh.blocksAfter(5, null);
  fresh.dropThrough(6);
  assert.throws(() => fresh.blocksAfter(5, null), { code: 'STALE_PLAN' });
  assert.throws(() => fresh.deletesAfter(5), { code: 'STALE_PLAN' });
  assert.throws(() => block!.searchable(103), { code: 'STALE_PLAN' });
  assert.throws(() => block!.readVectors(103, Uint32Array.of(0)), { code: 'STALE_PLAN' });
  fresh.dropThrough(9);
  assert.equal(fresh.sequence, 9);
  fresh.apply(insert([1n]), ...at(8));
  assert.equal(fresh.rowCount, 0);
  assert.throws(() => fresh.apply(insert([1n]), ...at(11)), /entry 11 of 1-0 after 9/);
});

test('an entry that failed in part leaves rows that refuse to go on', () => {
  let blocksLeft = 3;
  const failing = Object.create(kernel) as MemoryKernel;
  failing.createBlock = (options) => {
    if (blocksLeft-- === 0) throw new Error('no memory');
    return kernel.createBlock(options);
  };
  using fresh = freshRows({ kernel: failing, blockRowsMin: 2, blockRowsMax: 2 });
  assert.throws(() => fresh.apply(insert([1n, 2n, 3n]), ...at(1)), /no memory/);
  blocksLeft = 9;
  assert.throws(() => fresh.apply(insert([1n, 2n, 3n]), ...at(1)), /no memory/);
  assert.equal(fresh.sequence, 0);
});
