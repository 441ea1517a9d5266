import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { compactionWork, type CompactionInputs, type CompactionPolicy } from './compaction-plan.ts';
import type { CatalogSnapshot } from '../../catalog/catalog.ts';
import type { ChannelMeta, CollectionMeta, SegmentMeta } from '../../catalog/model.ts';
import { SeededRandom } from '../../host/index.ts';
import type { CollectionSchema, SegmentId } from '../../schema/index.ts';
import { fieldOf, schemaOf } from '../../../test/support/random-rows.ts';
import { testSeed } from '../../../test/support/seed.ts';

const POLICY: CompactionPolicy = {
  segmentsMin: 4,
  bytesMax: 1_000_000,
  rowsMax: 10_000,
  smallRows: 100,
  deadRatio: 0.2,
  graceMs: 0,
};

let lastId = 0;

function segment(rowCount: number, change: Partial<Record<keyof SegmentMeta, unknown>> = {}): SegmentMeta {
  return {
    id: String(++lastId),
    collectionId: '1',
    partitionId: '2',
    channelId: '1-0',
    rowCount,
    sizeBytes: rowCount,
    minTimestamp: '1000',
    maxTimestamp: '2000',
    deletesThrough: '0',
    replaces: [],
    stats: [],
    ...change,
  } as unknown as SegmentMeta;
}

const delta = (rowCount: number, maxTimestamp: string) => ({
  objectKey: `d${maxTimestamp}`,
  rowCount,
  maxTimestamp,
});

interface World {
  readonly segments: readonly SegmentMeta[];
  readonly incoming?: readonly SegmentMeta[];
  readonly deltas?: readonly ReturnType<typeof delta>[];
  readonly properties?: Readonly<Record<string, string>>;
  readonly schema?: CollectionSchema;
}

function workOf(world: World, change: Partial<CompactionInputs> = {}) {
  const channel = { id: '1-0', collectionId: '1', deltas: world.deltas ?? [] } as unknown as ChannelMeta;
  const { properties = {}, schema } = world;
  const collection = { id: '1', properties, schema } as unknown as CollectionMeta;
  const snapshot = {
    segmentsOf: () => world.segments,
    incomingOf: () => world.incoming ?? [],
    channelsOf: () => [channel],
    channel: () => channel,
  } as unknown as CatalogSnapshot;
  const nothing = { examined: new Map(), resting: new Set<SegmentId>() };
  return compactionWork({ snapshot, collection, policy: POLICY, nowMs: 0, ...nothing, ...change });
}

const rowsOf = (world: World, change?: Partial<CompactionInputs>): number[][] =>
  workOf(world, change).rewrites.map(({ sources }) => sources.map(({ rowCount }) => rowCount));

describe('merging', () => {
  test('leaves resting segments alone, and takes the others', () => {
    const segments = [1, 2, 3, 4, 5].map((rows) => segment(rows));
    const resting = new Set(segments.slice(0, 1).map(({ id }) => id));
    assert.deepEqual(rowsOf({ segments }, { resting }), [[2, 3, 4, 5]]);
    assert.deepEqual(rowsOf({ segments }, { resting, isForced: true }), [[2, 3, 4, 5]]);
    assert.deepEqual(
      rowsOf({ segments }, { resting: new Set(segments.slice(0, 2).map(({ id }) => id)) }),
      [],
    );
  });

  test('takes segments of about one size when there are enough of them', () => {
    assert.deepEqual(rowsOf({ segments: [1, 2, 3].map((rows) => segment(rows)) }), []);
    assert.deepEqual(rowsOf({ segments: [4, 1, 3, 2].map((rows) => segment(rows)) }), [[1, 2, 3, 4]]);
    assert.deepEqual(rowsOf({ segments: [500, 500, 500, 1, 2, 3].map((rows) => segment(rows)) }), []);
    assert.deepEqual(rowsOf({ segments: [2_000, 500, 501, 502, 503].map((rows) => segment(rows)) }), [
      [500, 501, 502, 503],
    ]);
  });

  test('fills a segment and no more', () => {
    const six = Array.from({ length: 6 }, () => segment(2_400));
    assert.deepEqual(rowsOf({ segments: six }), [[2_400, 2_400, 2_400, 2_400]]);
    const three = Array.from({ length: 3 }, () => segment(4_000));
    assert.deepEqual(rowsOf({ segments: three }), [[4_000, 4_000]], 'two fill it');
    const heavy = Array.from({ length: 4 }, () => segment(500, { sizeBytes: 400_000 }));
    assert.deepEqual(rowsOf({ segments: heavy }), [[500, 500]], 'by bytes');
    assert.deepEqual(rowsOf({ segments: Array.from({ length: 4 }, () => segment(9_000)) }), []);
  });

  test('stays within a channel and a partition and leaves what is being replaced alone', () => {
    const apart = [{ partitionId: '3' }, { channelId: '1-1' }, {}, {}].map((change) => segment(10, change));
    assert.deepEqual(rowsOf({ segments: apart }), []);
    const four = Array.from({ length: 4 }, () => segment(10));
    const incoming = [segment(10, { replaces: [four[0]!.id] })];
    assert.deepEqual(rowsOf({ segments: four, incoming }), []);
  });

  test('asked for, takes whatever fits together', () => {
    const segments = [1, 3_000, 4_000, 9_000].map((rows) => segment(rows));
    assert.deepEqual(rowsOf({ segments }, { isForced: true }), [[1, 3_000, 4_000]]);
    assert.deepEqual(rowsOf({ segments: [segment(1)] }, { isForced: true }), []);
  });

  test(`comes to an end and leaves few segments (seed ${testSeed})`, () => {
    const random = new SeededRandom(testSeed);
    let segments: readonly SegmentMeta[] = [];
    let written = 0;
    let rewritten = 0;
    for (let flush = 0; flush < 400; flush++) {
      const fresh = segment(1 + random.below(300));
      written += fresh.rowCount;
      segments = [...segments, fresh];
      for (let rounds = 0; ; rounds++) {
        assert.ok(rounds < 10, 'every merge leaves fewer segments');
        const [rewrite] = workOf({ segments }).rewrites;
        if (rewrite === undefined) break;
        const rowCount = rewrite.sources.reduce((sum, { rowCount }) => sum + rowCount, 0);
        assert.ok(rowCount <= POLICY.rowsMax);
        rewritten += rowCount;
        segments = [...segments.filter((one) => !rewrite.sources.includes(one)), segment(rowCount)];
      }
    }
    assert.equal(
      segments.reduce((sum, { rowCount }) => sum + rowCount, 0),
      written,
    );
    assert.ok(segments.length < 30, `${segments.length} segments for ${written} rows`);
    assert.ok(rewritten < written * 5, `each row was rewritten ${rewritten / written} times`);
  });
});

describe('dead rows', () => {
  const lonely = segment(1_000, { minTimestamp: '1000' });

  test('deletes that may meet enough of a segment ask for a look at it', () => {
    const { rewrites } = workOf({ segments: [lonely], deltas: [delta(150, '1500'), delta(50, '1600')] });
    assert.deepEqual(
      rewrites.map(({ sources, deadRowsMin }) => [sources.length, deadRowsMin]),
      [[1, 200]],
    );
    assert.deepEqual(rowsOf({ segments: [lonely], deltas: [delta(199, '1500')] }), []);
    const settled = segment(1_000, { deletesThrough: '1500' });
    assert.deepEqual(rowsOf({ segments: [settled], deltas: [delta(900, '1500')] }), []);
  });

  test('a segment found not worth it is looked at again when there are more, and rewritten when there are too many', () => {
    const examined = new Map([[lonely.id, { pendingDeletes: 300, expiredRatio: 0, ending: null }]]);
    const looked = (count: number) =>
      workOf({ segments: [lonely], deltas: [delta(count, '1500')] }, { examined });
    assert.deepEqual(looked(499).rewrites, []);
    assert.equal(looked(500).rewrites[0]!.deadRowsMin, 200);
    assert.equal(looked(1_000).rewrites[0]!.deadRowsMin, 1, 'the deletes shall go');
  });

  test('rows that outlive their time go, with the segment when it is all of them', () => {
    const at = (seconds: number): string => String(BigInt(seconds * 1_000) << 18n);
    const spread = segment(1_000, { minTimestamp: at(100), maxTimestamp: at(200) });
    const properties = { 'collection.ttl.seconds': '10' };
    const seen = (seconds: number) => workOf({ segments: [spread], properties }, { nowMs: seconds * 1_000 });
    assert.deepEqual([seen(129).rewrites.length, seen(131).rewrites.length], [0, 1]);
    assert.deepEqual([seen(210).expired.length, seen(211).expired.length], [0, 1]);
    assert.equal(seen(211).rewrites.length, 0);
    assert.equal(workOf({ segments: [spread] }, { nowMs: 1e9 }).expired.length, 0, 'for ever');
    const policy = { ...POLICY, graceMs: 5_000 };
    assert.equal(workOf({ segments: [spread], properties }, { nowMs: 211_000, policy }).expired.length, 0);
  });

  test('rows whose field says that their time is over are looked for once one is, and then when enough are', () => {
    const ends = (min: number, max: number, nullCount: number) =>
      segment(1_000, {
        stats: [{ fieldId: 102, min: String(min * 1_000_000), max: String(max * 1_000_000), nullCount }],
      });
    const schema = schemaOf([
      fieldOf({ id: 100, type: 'Int64', isPrimaryKey: true }),
      fieldOf({ id: 102, name: 'ends', type: 'Timestamptz', nullable: true }),
      fieldOf({ id: 103, name: 'other', type: 'Timestamptz', nullable: true }),
    ]);
    const seen = (one: SegmentMeta, seconds: number, change: Partial<CompactionInputs> = {}) =>
      workOf(
        { segments: [one], properties: { ttl_field: 'ends' }, schema },
        { nowMs: seconds * 1_000, ...change },
      );
    const some = ends(100, 200, 1);
    assert.deepEqual(
      [99, 100].map((at) => seen(some, at).rewrites.length),
      [0, 1],
    );
    assert.equal(seen(some, 100).rewrites[0]!.deadRowsMin, 200);
    const looked = (through: bigint | null, fieldId = 102): Partial<CompactionInputs> => ({
      examined: new Map([[some.id, { pendingDeletes: 0, expiredRatio: 0, ending: { fieldId, through } }]]),
    });
    assert.deepEqual(
      [129, 130].map((at) => seen(some, at, looked(130_000_000n)).rewrites.length),
      [0, 1],
    );
    assert.equal(seen(some, 1_000, looked(null)).rewrites.length, 0, 'never enough');
    assert.equal(seen(some, 100, looked(null, 103)).rewrites.length, 1, 'it was another field then');
    assert.equal(seen(some, 1_000).expired.length, 0, 'rows without a time live on');
    const all = ends(100, 200, 0);
    assert.deepEqual(
      [199, 200].map((at) => seen(all, at).expired.length),
      [0, 1],
    );
    assert.equal(workOf({ segments: [all], schema }, { nowMs: 1e9 }).expired.length, 0, 'no field ends rows');
    const policy = { ...POLICY, graceMs: 5_000 };
    assert.deepEqual(
      [204, 205].map((at) => seen(all, at, { policy }).expired.length),
      [0, 1],
    );
    assert.equal(seen(some, 99, { isForced: true }).rewrites.length, 0);
    assert.equal(seen(some, 100, { isForced: true }).rewrites[0]!.deadRowsMin, 1);
  });

  test('deltas that no segment needs are to be dropped', () => {
    const deltas = [delta(1, '1500'), delta(1, '900')];
    assert.equal(workOf({ segments: [lonely], deltas }).trims.length, 1);
    assert.equal(workOf({ segments: [lonely], deltas: [delta(1, '1500')] }).trims.length, 0);
    const settled = segment(5, { deletesThrough: '1500' });
    assert.equal(workOf({ segments: [settled], deltas: [delta(1, '1500')] }).trims.length, 1);
    const waiting = [segment(5, { replaces: ['x'], deletesThrough: '1499' })];
    assert.equal(
      workOf({ segments: [settled], incoming: waiting, deltas: [delta(1, '1500')] }).trims.length,
      0,
    );
  });
});
