import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mergeOrder } from './merge-order.ts';
import { mergeSegments } from './merge-segments.ts';
import { openSegment } from '../open-segment.ts';
import { whenOver } from './rows-that-live.ts';
import type { SealedSegment } from '../segment.ts';
import type { RowLife } from '../../catalog/time-to-live.ts';
import {
  asKeys,
  bitAt,
  defaultColumn,
  isSorted,
  keyAt,
  keysFromValues,
  takeRows,
  valueAt,
  type Column,
  type ColumnValue,
  type PrimaryKeyColumn,
} from '../../columns/index.ts';
import { SeededRandom, type Random } from '../../host/index.ts';
import { createNodeHost } from '../../host/node/index.ts';
import type { ChannelId, CollectionSchema, SegmentId, Timestamp } from '../../schema/index.ts';
import { fieldOf, randomRows, schemaOf, schemaOfAllTypes } from '../../../test/support/random-rows.ts';
import { testSeed } from '../../../test/support/seed.ts';
import {
  COLLECTION,
  PARTITION,
  segmentWorkshop,
  type SegmentWorkshop,
} from '../../../test/support/segment-workshop.ts';
import { temporaryDirectory } from '../../../test/support/temporary-directory.ts';

const FOR_EVER: RowLife = { since: 0n as Timestamp, end: null };

/** Values of a row as text, by field id. */
type Row = readonly string[];

const text = (value: ColumnValue | bigint): string =>
  JSON.stringify(value instanceof Float32Array ? [...value] : value, (_, item: unknown) =>
    typeof item === 'bigint' ? String(item) : item,
  );

async function rowsOf(
  segment: SealedSegment,
  schema: CollectionSchema,
  life: RowLife = FOR_EVER,
): Promise<Row[]> {
  const { since, end } = life;
  const columns: Column[] = [];
  for (const field of schema.fields) {
    columns.push((await segment.column(field.id)) ?? defaultColumn(field, segment.rowCount));
  }
  const alive = segment.alive();
  const rows: Row[] = [];
  const ends = end === null ? null : columns[schema.fields.indexOf(end.field)]!;
  for (let row = 0; row < segment.rowCount; row++) {
    const time = ends === null ? null : (valueAt(ends, row) as bigint | null);
    if (time !== null && time <= end!.through) continue;
    if (segment.timestamps[row]! < since || (alive !== null && !bitAt(alive, row))) continue;
    rows.push([String(segment.timestamps[row]), ...columns.map((column) => text(valueAt(column, row)))]);
  }
  return rows;
}

async function randomSource(
  workshop: SegmentWorkshop,
  schema: CollectionSchema,
  random: Random,
): Promise<SealedSegment> {
  const rowCount = 1 + random.below(60);
  const rows = randomRows(random, schema, rowCount);
  const taken = takeRows(
    rows,
    Uint32Array.from({ length: rowCount }, () => random.below(rowCount)),
  );
  const timestamps = BigUint64Array.from({ length: rowCount }, () => BigInt(1 + random.below(1_000)));
  const meta = await workshop.write(schema, taken, timestamps);
  const segment = await openSegment({ ...workshop, meta, schema, keepsColumns: false });
  const keys = asKeys(taken.columns.get(100)!);
  const deleted = Array.from({ length: random.below(rowCount) }, () => keyAt(keys, random.below(rowCount)));
  segment.applyDeletes({
    keys: keysFromValues(keys.type, deleted),
    timestamps: BigUint64Array.from(deleted, () => BigInt(random.below(1_000))),
    partitionIds: deleted.map(() => null),
  });
  return segment;
}

for (const type of ['Int64', 'VarChar'] as const) {
  test(`living rows of all types with ${type} keys come together, each once (seed ${testSeed})`, async () => {
    const random = new SeededRandom(testSeed).fork(type);
    const older = schemaOfAllTypes(type, 3);
    const added = [
      fieldOf({ id: 900, name: 'added', type: 'Int32', defaultValue: { kind: 'int', value: '7' } }),
      fieldOf({ id: 901, name: 'vector', type: 'FloatVector', dim: 2, nullable: true }),
      fieldOf({ id: 902, name: 'ends', type: 'Timestamptz', nullable: true }),
    ];
    const schema = schemaOf([...older.fields, ...added]);
    await using directory = await temporaryDirectory();
    await using workshop = await segmentWorkshop(createNodeHost(1), directory.path);
    for (let round = 0; round < 6; round++) {
      await using stack = new AsyncDisposableStack();
      const sources: SealedSegment[] = [];
      for (let count = 1 + random.below(4); count > 0; count--) {
        sources.push(stack.use(await randomSource(workshop, random.below(2) === 0 ? older : schema, random)));
      }
      const since = (random.below(2) === 0 ? 0n : BigInt(random.below(500))) as Timestamp;
      const field = added[2]!;
      const through = await whenOver(sources[0]!, field, null, 1 + random.below(9));
      const life = { since, end: through === null ? null : { field, through } };
      let pauses = 0;
      const meta = await mergeSegments({
        ...workshop,
        collectionId: COLLECTION,
        segmentId: String(5_000 + round) as SegmentId,
        partitionId: PARTITION,
        channelId: '1-0' as ChannelId,
        schema,
        schemaVersion: 4,
        sources,
        life,
        deletesThrough: 1_000n,
        replaces: sources.map((source) => source.meta.id),
        pause: async () => void pauses++,
      });
      const expected: Row[] = [];
      for (const source of sources) expected.push(...(await rowsOf(source, schema, life)));
      if (meta === null) {
        assert.deepEqual(expected, []);
        continue;
      }
      assert.ok(pauses > 0);
      assert.equal(meta.deletesThrough, '1000');
      assert.deepEqual(
        meta.replaces,
        sources.map((source) => source.meta.id),
      );
      await using merged = await openSegment({ ...workshop, meta, schema });
      assert.deepEqual((await rowsOf(merged, schema)).sort(), expected.sort());
      assert.ok(isSorted(merged.keys, merged.timestamps));
    }
  });
}

test('pieces of any size make up the same order', () => {
  const random = new SeededRandom(testSeed).fork('pieces');
  const sources = Array.from({ length: 5 }, () => {
    const values = Array.from({ length: random.below(40) }, () => BigInt(random.below(20))).sort((a, b) =>
      a < b ? -1 : a > b ? 1 : 0,
    );
    const keys = keysFromValues('Int64', values);
    return { keys, timestamps: new BigUint64Array(values.length), alive: () => null };
  });
  const merged = (pieceRows: number): string[] =>
    [...mergeOrder(sources, 0n, pieceRows)].flatMap(({ parts, order }) => {
      const rows = parts.flatMap(({ source, from, to }) =>
        Array.from({ length: to - from }, (_, index) => [source, from + index] as const),
      );
      return Array.from(order, (place) => rows[place]!).map(
        ([source, row]) => `${keyAt(sources[source]!.keys as PrimaryKeyColumn, row)} of ${source}.${row}`,
      );
    });
  const whole = merged(1_000);
  assert.equal(
    whole.length,
    sources.reduce((sum, { keys }) => sum + keys.length, 0),
  );
  for (const pieceRows of [1, 2, 7, 64]) assert.deepEqual(merged(pieceRows), whole);
  const keys = whole.map((row) => Number(row.split(' ')[0]));
  assert.deepEqual(
    keys,
    keys.toSorted((a, b) => a - b),
  );
});
