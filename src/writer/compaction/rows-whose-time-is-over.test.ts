import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRandom } from '../../host/index.ts';
import { columnFromValues, type ColumnValue } from '../../columns/index.ts';
import { CompactionStage, GRACE_MS } from '../../../test/support/compaction-stage.ts';
import { fieldOf } from '../../../test/support/random-rows.ts';
import { readBack } from '../../../test/support/read-back.ts';
import { testSeed } from '../../../test/support/seed.ts';
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
    await this.write(kind, ends, 0);
    await this.flush();
  }

  /** As `put`, with a value of the rows, and left in the log. */
  async write(
    kind: 'insert' | 'upsert',
    ends: Readonly<Record<number, number | null>>,
    value: number,
  ): Promise<void> {
    const nowMs = this.cluster.host.clock.nowMs();
    const keys = Object.keys(ends).map(BigInt);
    const request = insertOf(
      this.collection,
      keys,
      keys.map(() => value),
    );
    const times = Object.values(ends).map((seconds): ColumnValue =>
      seconds === null ? null : BigInt(Math.floor(nowMs / 1_000) + seconds) * 1_000_000n,
    );
    const shape = { type: 'Timestamptz', elementType: null, dim: null } as const;
    const columns = new Map([...request.rows.columns, [ENDS, columnFromValues(shape, times)] as const]);
    const rows = { ...request.rows, columns };
    await this.cluster.settle(this.process.writer.api[kind]({ ...request, rows }, CALL));
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
  const ends = Object.fromEntries(Array.from({ length: 20 }, (_, key) => [key, 100 + 10 * key]));
  await stage.put('insert', { ...ends, 20: far, 21: null });
  // A fifth of the rows, which are 4.4, so 5: the last of them at 140 s.
  await stage.pass(140 + GRACE - 10);
  assert.deepEqual(stage.rowCounts, [22], 'too few');
  await stage.pass(20);
  assert.deepEqual(stage.rowCounts, [17]);
  await stage.pass(300);
  assert.deepEqual(stage.rowCounts, [2]);
  await stage.pass(100);
  assert.deepEqual([...(await stage.rowKeys())], [20n, 21n]);
});

test('a segment is looked into once, and again when enough rows are over or somebody asks', async () => {
  await using stage = new Stage(alone);
  await stage.open(properties, schema);
  await stage.put('insert', { 1: 10, 2: 200, 3: 200, 4: 200, 5: null, 6: null });
  const [first] = stage.segments;
  await stage.pass(150);
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
  await stage.pass(400);
  assert.deepEqual(stage.rowCounts, [2]);
});

test('whatever is upserted, deleted, flushed, merged and over, no row comes back and none is lost', async (context) => {
  context.diagnostic(`seed ${testSeed}`);
  for (let round = 0; round < 2; round++) {
    const random = new SeededRandom(testSeed + round);
    await using stage = new Stage({ compactionSegmentsMin: 2 + random.below(3) });
    await stage.open(properties, schema);
    const model = new Map<bigint, { readonly value: number; readonly endsMs: number }>();
    const nowMs = (): number => stage.cluster.host.clock.nowMs();
    const check = async (what: string): Promise<void> => {
      const { rows } = await readBack(stage.cluster, stage.collection.id);
      const lives = (key: bigint): boolean => (model.get(key)?.endsMs ?? -1) > nowMs();
      for (const [key, row] of rows) {
        assert.equal(row.value, model.get(key as bigint)?.value, `${what}: key ${key} came back`);
      }
      const lost = [...model.keys()].filter((key) => lives(key) && !rows.has(key));
      assert.deepEqual(lost, [], what);
    };
    for (let step = 0; step < 40; step++) {
      const keys = [...new Set(Array.from({ length: 1 + random.below(6) }, () => random.below(30)))];
      if (random.below(4) === 0) {
        await stage.delete(...keys);
        for (const key of keys) model.delete(BigInt(key));
      } else {
        const ends = keys.map((key) => [key, random.below(3) === 0 ? null : random.below(120)] as const);
        const startSeconds = Math.floor(nowMs() / 1_000);
        await stage.write('upsert', Object.fromEntries(ends), step);
        for (const [key, seconds] of ends) {
          const endsMs = seconds === null ? Number.POSITIVE_INFINITY : (startSeconds + seconds) * 1_000;
          model.set(BigInt(key), { value: step, endsMs });
        }
      }
      if (random.below(2) === 0) await stage.flush();
      if (random.below(8) === 0) await stage.killed(`w${step}`);
      if (random.below(3) === 0) await stage.pass(random.below(30));
      await check(`round ${round}, step ${step}`);
    }
    await stage.flush();
    await stage.pass(200);
    await check(`round ${round}, at the end`);
    const living = [...model.values()].filter(({ endsMs }) => endsMs > nowMs()).length;
    const stored = stage.rowCounts.reduce((sum, count) => sum + count, 0);
    assert.ok(stored <= living / 0.7 + 5, `${stored} rows are stored, ${living} live`);
  }
});
