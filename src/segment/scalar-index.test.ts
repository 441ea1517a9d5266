import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openSegment } from './open-segment.ts';
import { readScalarIndex } from './scalar-index-file.ts';
import { writeScalarIndex } from './scalar-index-writer.ts';
import type { IndexFile, IndexMeta, SegmentMeta } from '../catalog/model.ts';
import { bitAt, type Column, type RowBatch } from '../columns/index.ts';
import { MishardsError } from '../errors/index.ts';
import {
  compileFilter,
  evaluateFilter,
  isOrderedType,
  parseFilter,
  useIndexes,
  type IndexSource,
} from '../filter/index.ts';
import { SeededRandom, Turns } from '../host/index.ts';
import type { CollectionSchema, FieldSchema, IndexId } from '../schema/index.ts';
import { crc32c } from '../util/crc32c.ts';
import { formatFilter } from '../filter/index.ts';
import { fieldOf, schemaOf, schemaOfAllTypes } from '../../test/support/random-rows.ts';
import { randomFilter, randomFilterRows } from '../../test/support/filter/random-filters.ts';
import { testRows } from '../../test/support/filter/filtered-rows.ts';
import { testSeed } from '../../test/support/seed.ts';
import { segmentWorkshop, type SegmentWorkshop } from '../../test/support/segment-workshop.ts';

const SCHEMA = schemaOfAllTypes('Int64', 2);
const JSON_PARAMS = { json_path: 'JSON["k"]', json_cast_type: 'VARCHAR' };

function indexOn(field: FieldSchema, params: Readonly<Record<string, string>> = {}): IndexMeta {
  const type = field.type === 'Geometry' ? 'RTREE' : 'INVERTED';
  const id = String(field.id) as IndexId;
  return {
    id,
    name: field.name,
    fieldId: field.id,
    requestedType: type,
    type,
    metric: null,
    params,
    createdTimestamp: '1',
  };
}

const isIndexed = ({ type, isPrimaryKey, name }: FieldSchema): boolean =>
  !isPrimaryKey && (isOrderedType(type) || type === 'Array' || type === 'Geometry' || name === 'JSON');

async function writeIndexes(
  workshop: SegmentWorkshop,
  segment: SegmentMeta,
  schema: CollectionSchema,
): Promise<readonly IndexFile[]> {
  const files: IndexFile[] = [];
  for (const field of schema.fields.filter(isIndexed)) {
    const index = indexOn(field, field.type === 'JSON' ? JSON_PARAMS : {});
    files.push(await writeScalarIndex({ buildId: '9', ...workshop, segment, index, schema }));
  }
  return files;
}

async function written(
  workshop: SegmentWorkshop,
  random: SeededRandom,
  rowCount: number,
): Promise<SegmentMeta> {
  const { columns } = testRows(SCHEMA, randomFilterRows(random, SCHEMA, rowCount));
  const timestamps = new BigUint64Array(rowCount).fill(7n);
  return await workshop.write(SCHEMA, { rowCount, columns } as RowBatch, timestamps);
}

test(`a segment with indexes lets the same rows pass as one without (seed ${testSeed})`, async () => {
  const random = new SeededRandom(testSeed);
  await using workshop = await segmentWorkshop();
  const bare = await written(workshop, random, 300);
  const indexes = await writeIndexes(workshop, bare, SCHEMA);
  await using segment = await openSegment({ ...workshop, meta: { ...bare, indexes }, schema: SCHEMA });
  assert.deepEqual([...segment.openIndexes].sort(), indexes.map(({ indexId }) => indexId).sort());
  const columns = new Map<number, Column>();
  for (const { id } of SCHEMA.fields) columns.set(id, (await segment.column(id))!);
  let answers = 0;
  const always: IndexSource = {
    matches(predicate) {
      const matches = segment.matches(predicate);
      if (matches !== null) answers++;
      return matches === null ? null : { ...matches, cost: 0 };
    },
  };
  const rowsOf = (bitmap: Uint8Array): boolean[] =>
    Array.from({ length: 300 }, (_, row) => bitAt(bitmap, row));
  for (let count = 0; count < 300; count++) {
    const text =
      count % 10 === 0
        ? `st_dwithin(GeometryNullable, 'POINT (${random.below(360) - 180} 0)', 9e6) or Bool`
        : formatFilter(randomFilter(random, SCHEMA, 2));
    const plan = compileFilter(parseFilter(text), SCHEMA);
    const passing = (chosen: typeof plan): boolean[] =>
      rowsOf(evaluateFilter(chosen, { column: (id) => columns.get(id) ?? null }, 300));
    const turns = new Turns(workshop.host, 5);
    assert.deepEqual(passing(await useIndexes(plan, always, 300, turns)), passing(plan), text);
  }
  assert.ok(answers > 50, `the indexes were asked ${answers} times`);
});

test('an index is built over the default of rows that are older than the field, and closes when it is dropped', async () => {
  await using workshop = await segmentWorkshop();
  const bare = await written(workshop, new SeededRandom(1), 64);
  const added = fieldOf({ id: 900, name: 'added', type: 'Int32', defaultValue: { kind: 'int', value: '5' } });
  const place = fieldOf({ id: 901, name: 'place', type: 'Geometry', nullable: true });
  const schema = schemaOf([...SCHEMA.fields, added, place]);
  const write = async (index: IndexMeta): Promise<IndexFile> =>
    await writeScalarIndex({ buildId: '9', ...workshop, segment: bare, index, schema });
  const [file, ofPlaces] = [await write(indexOn(added)), await write(indexOn(place))];
  const meta = { ...bare, indexes: [file, ofPlaces] };
  await using segment = await openSegment({ ...workshop, meta, schema });
  const { predicate } = compileFilter(parseFilter('added == 5'), schema);
  assert.equal(segment.matches(predicate)?.count, 64);
  const near = compileFilter(parseFilter("st_dwithin(place, 'POINT (0 0)', 5)"), schema);
  assert.deepEqual([...segment.matches(near.predicate)!.known!], Array(8).fill(0));
  const before = segment.memoryBytes;
  await segment.closeIndex(file.indexId);
  assert.equal(segment.matches(predicate), null);
  assert.ok(segment.memoryBytes < before);
  assert.deepEqual([...segment.openIndexes], [ofPlaces.indexId]);
});

test('the same segment and index give the same file', async () => {
  await using workshop = await segmentWorkshop();
  const bare = await written(workshop, new SeededRandom(2), 200);
  const once = await writeIndexes(workshop, bare, SCHEMA);
  const bytes = await Promise.all(once.map(({ objectKey }) => workshop.objectStore.get(objectKey)));
  const again = await writeIndexes(workshop, bare, SCHEMA);
  assert.deepEqual(again, once);
  for (const [index, { objectKey }] of again.entries())
    assert.deepEqual(await workshop.objectStore.get(objectKey), bytes[index]);
});

test('an index of another segment, field or type is refused', async () => {
  await using workshop = await segmentWorkshop();
  const [one, two] = [
    await written(workshop, new SeededRandom(3), 50),
    await written(workshop, new SeededRandom(4), 50),
  ];
  const field = fieldNamed('Int32');
  const file = await writeScalarIndex({
    buildId: '9',
    ...workshop,
    segment: one,
    index: indexOn(field),
    schema: SCHEMA,
  });
  const refuses = async (meta: SegmentMeta, message: RegExp): Promise<void> =>
    await assert.rejects(openSegment({ ...workshop, meta, schema: SCHEMA }), {
      code: 'CORRUPT_DATA',
      message,
    });
  await refuses({ ...two, indexes: [file] }, /it has segmentId 100, not 101/);
  await refuses({ ...one, indexes: [{ ...file, fieldId: 100 }] }, /it has fieldId \d+, not 100/);
});

const fieldNamed = (name: string): FieldSchema => SCHEMA.fields.find((field) => field.name === name)!;
const HOSTILE_FILTERS: Readonly<Record<number, readonly string[]>> = {
  [fieldNamed('VarCharNullable').id]: [
    'VarCharNullable >= "a"',
    'VarCharNullable in ["a", "b", "é"]',
    'VarCharNullable like "a%"',
    'VarCharNullable is null',
  ],
  [fieldNamed('GeometryNullable').id]: [
    "st_within(GeometryNullable, 'POLYGON ((0 0, 9 0, 9 9, 0 9, 0 0))')",
    "st_dwithin(GeometryNullable, 'POINT (5 0)', 500000)",
    'GeometryNullable is null',
  ],
};

/** Whatever the bytes: refused, or an index that answers within its rows. */
async function tryIndex(
  workshop: SegmentWorkshop,
  bytes: Uint8Array,
  fieldId: number,
): Promise<'refused' | 'read'> {
  const path = '/workshop/hostile';
  await workshop.host.files.write(path, bytes);
  const owner = { segmentId: '100' as never, fieldId, rowCount: 300 };
  try {
    const { content } = await readScalarIndex(workshop.host.files, path, owner, new Turns(workshop.host, 5));
    for (const filter of HOSTILE_FILTERS[fieldId]!) {
      const matches = content.matches(compileFilter(parseFilter(filter), SCHEMA).predicate);
      assert.equal(matches?.collect().byteLength, 38);
    }
    return 'read';
  } catch (error) {
    assert.ok(
      error instanceof MishardsError && ['CORRUPT_DATA', 'NOT_SUPPORTED'].includes(error.code),
      String(error),
    );
    return 'refused';
  }
}

for (const name of ['VarCharNullable', 'GeometryNullable']) {
  test(`hostile files of ${name} are refused, also with a checksum that fits (seed ${testSeed})`, async () => {
    const random = new SeededRandom(testSeed);
    await using workshop = await segmentWorkshop();
    const segment = await written(workshop, random, 300);
    const field = fieldNamed(name);
    const { objectKey } = await writeScalarIndex({
      buildId: '9',
      ...workshop,
      segment,
      index: indexOn(field),
      schema: SCHEMA,
    });
    const good = await workshop.objectStore.get(objectKey);
    assert.equal(await tryIndex(workshop, good, field.id), 'read');
    const counts = { refused: 0, read: 0 };
    for (let round = 0; round < 400; round++) {
      const length = random.below(4) === 0 ? random.below(good.byteLength) : good.byteLength;
      const bytes = good.slice(0, length);
      const changed = random.below(3) + (length === good.byteLength ? 1 : 0);
      const places = new Set(Array.from({ length: length === 0 ? 0 : changed }, () => random.below(length)));
      for (const place of places) bytes[place]! ^= 1 << random.below(8);
      assert.equal(await tryIndex(workshop, bytes, field.id), 'refused');
      if (length < 16) continue;
      // As if the file had been made so.
      new DataView(bytes.buffer).setUint32(8, crc32c(bytes.subarray(16)), true);
      counts[await tryIndex(workshop, bytes, field.id)]++;
    }
    assert.ok(counts.refused > 200, `${counts.refused} refused and ${counts.read} read`);
  });
}
