import assert from 'node:assert/strict';
import { test } from 'node:test';
import { columnFromValues, type ColumnValue } from '../../columns/index.ts';
import { CompactionStage, GRACE_MS } from '../../../test/support/compaction-stage.ts';
import { fieldOf } from '../../../test/support/random-rows.ts';
import { vectorSchema } from '../../../test/support/schemas.ts';
import { CALL, insertOf } from '../../../test/support/writer-cluster.ts';

const ENDS = 102;
const schema = vectorSchema({
  dim: 2,
  fields: [fieldOf({ id: ENDS, name: 'ends', type: 'Timestamptz', nullable: true })],
});
const properties = { ttl_field: 'ends' };

class Stage extends CompactionStage {
  /** One row for each number of seconds from now at which its time is over; null = never. */
  async put(kind: 'insert' | 'upsert', ends: Readonly<Record<number, number | null>>): Promise<void> {
    const nowMs = this.cluster.host.clock.nowMs();
    const keys = Object.keys(ends).map(BigInt);
    const request = insertOf(this.collection, keys, keys.map(Number));
    const times = Object.values(ends).map((seconds): ColumnValue =>
      seconds === null ? null : BigInt(Math.floor(nowMs / 1_000) + seconds) * 1_000_000n,
    );
    const shape = { type: 'Timestamptz', elementType: null, dim: null } as const;
    const columns = new Map([...request.rows.columns, [ENDS, columnFromValues(shape, times)] as const]);
    const rows = { ...request.rows, columns };
    await this.cluster.settle(this.process.writer.api[kind]({ ...request, rows }, CALL));
    await this.flush();
  }

  async pass(seconds: number): Promise<void> {
    await this.cluster.host.timers.advance(seconds * 1_000);
  }

  get rowCounts(): readonly number[] {
    return this.segments.map(({ rowCount }) => rowCount).toSorted((a, b) => a - b);
  }
}

const GRACE = GRACE_MS / 1_000;
const alone = { compactionSegmentsMin: 64 };

test('a segment all of whose rows are over goes, when searches planned before have had their grace', async () => {
  await using stage = new Stage();
  await stage.open(properties, schema);
  await stage.put('insert', { 1: 100, 2: 100 });
  await stage.pass(100 + GRACE - 5);
  assert.deepEqual(stage.rowCounts, [2]);
  await stage.pass(10);
  assert.deepEqual(stage.rowCounts, []);
  await stage.pass(GRACE + 1);
  assert.deepEqual(await stage.objects(), []);
});

test('rows that are over go when there are enough of them, whatever the last time in the segment is', async () => {
  await using stage = new Stage(alone);
  await stage.open(properties, schema);
  const far = 10 ** 9;
  const ends = Object.fromEntries(Array.from({ length: 20 }, (_, key) => [key, 100 + 50 * key]));
  await stage.put('insert', { ...ends, 20: far, 21: null });
  // A fifth of the rows, which are 4.4, so 5: the last of them at 300 s.
  await stage.pass(300 + GRACE - 10);
  assert.deepEqual(stage.rowCounts, [22], 'too few');
  await stage.pass(20);
  assert.deepEqual(stage.rowCounts, [17]);
  await stage.pass(2_000);
  assert.deepEqual(stage.rowCounts, [2]);
  await stage.pass(10_000);
  assert.deepEqual([...(await stage.rowKeys())], [20n, 21n]);
});

test('a segment is looked into once, and again when enough rows are over or somebody asks', async () => {
  await using stage = new Stage(alone);
  await stage.open(properties, schema);
  await stage.put('insert', { 1: 10, 2: 500, 3: 500, 4: 500, 5: null, 6: null });
  const [first] = stage.segments;
  await stage.pass(450);
  assert.equal(stage.segments[0]!.id, first!.id, 'a sixth is not enough');
  await stage.compact();
  await stage.cluster.until(() => stage.rowCounts[0] === 5);
  await stage.pass(100);
  assert.deepEqual(stage.rowCounts, [2]);
});

test('merges leave out what is over, and no older row comes back', async () => {
  await using stage = new Stage();
  await stage.open(properties, schema);
  await stage.put('insert', { 1: null, 2: null, 3: null });
  await stage.put('upsert', { 2: 30, 3: 1_000 });
  await stage.pass(60 + GRACE);
  assert.deepEqual([...(await stage.rowKeys())], [1n, 3n]);
  await stage.put('insert', { 4: null });
  await stage.replaced(1);
  assert.deepEqual([...(await stage.rowKeys())], [1n, 3n, 4n]);
  await stage.pass(3 * GRACE);
  assert.deepEqual([...(await stage.rowKeys())], [1n, 3n, 4n]);
});

test('without the property rows stay, and what it no longer ends is left alone', async () => {
  await using stage = new Stage(alone);
  await stage.open(properties, schema);
  await stage.put('insert', { 1: 100, 2: 200 });
  const { id: collectionId } = stage.collection;
  const alter = { kind: 'alter-collection', collectionId, set: {}, remove: ['ttl_field'] } as const;
  await stage.cluster.settle(stage.process.writer.api.execute(alter, CALL));
  await stage.pass(1_000);
  assert.deepEqual(stage.rowCounts, [2]);
});
