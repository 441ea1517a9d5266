import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tableFromIPC } from 'apache-arrow';
import { writeIndex } from './index-writer.ts';
import { openSegment } from './open-segment.ts';
import type { DeleteBatch, SealedSegment } from './segment.ts';
import type { IndexMeta, SegmentMeta } from '../catalog/model.ts';
import {
  bitAt,
  columnFromValues,
  countOnes,
  keyAt,
  keysFromValues,
  sortedRows,
  takeRows,
  valueAt,
  valuesOf,
  type Column,
  type ColumnValue,
  type KeyValue,
  type PrimaryKeyColumn,
  type RowBatch,
} from '../columns/index.ts';
import { SeededRandom, type Random } from '../host/index.ts';
import { createNodeHost } from '../host/node/index.ts';
import { createKernel } from '../kernel/index.ts';
import { isVectorType, type CollectionSchema, type IndexId, type PartitionId } from '../schema/index.ts';
import {
  fieldOf,
  randomColumn,
  randomRows,
  schemaOf,
  schemaOfAllTypes,
} from '../../test/support/random-rows.ts';
import { testSeed } from '../../test/support/seed.ts';
import { PARTITION, segmentWorkshop, type SegmentWorkshop } from '../../test/support/segment-workshop.ts';
import { searchOf } from '../../test/support/vectors.ts';
import { temporaryDirectory } from '../../test/support/temporary-directory.ts';

const plain = (value: ColumnValue): ColumnValue => (value instanceof Float32Array ? [...value] : value);
const contentOf = (column: Column): unknown[] => valuesOf(column).map(plain);

function randomTimestamps(random: Random, count: number): BigUint64Array {
  return BigUint64Array.from(
    { length: count },
    () => (1_700_000_000_000n << 18n) + BigInt(random.below(1000)),
  );
}

async function open(
  workshop: SegmentWorkshop,
  meta: SegmentMeta,
  schema: CollectionSchema,
): Promise<SealedSegment> {
  return openSegment({ ...workshop, meta, schema });
}

for (const type of ['Int64', 'VarChar'] as const) {
  test(`rows of all types with ${type} keys come back from a segment, sorted (seed ${testSeed})`, async () => {
    const random = new SeededRandom(testSeed).fork(type);
    const schema = schemaOfAllTypes(type, 3);
    await using directory = await temporaryDirectory();
    await using workshop = await segmentWorkshop(createNodeHost(1), directory.path);
    for (const rowCount of [1, 8, 200]) {
      const rows = randomRows(random, schema, rowCount);
      const timestamps = randomTimestamps(random, rowCount);
      const meta = await workshop.write(schema, rows, timestamps);
      const order = sortedRows(rows.columns.get(100) as PrimaryKeyColumn, timestamps);
      const expected = takeRows(rows, order);
      await using segment = await open(workshop, JSON.parse(JSON.stringify(meta)) as SegmentMeta, schema);
      assert.equal(segment.rowCount, rowCount);
      assert.deepEqual(
        [...segment.timestamps],
        [...order].map((row) => timestamps[row]),
      );
      assert.deepEqual(valuesOf(segment.keys), valuesOf(expected.columns.get(100)!));
      for (const field of schema.fields) {
        const column = await segment.column(field.id);
        assert.deepEqual(contentOf(column!), contentOf(expected.columns.get(field.id)!), field.name);
        assert.equal(column!.type, field.type);
      }
      assert.equal(await segment.column(999), null);
    }
  });
}

test(`any Arrow reader can open the rows of a segment (seed ${testSeed})`, async () => {
  const random = new SeededRandom(testSeed);
  const schema = schemaOfAllTypes('Int64', 2);
  await using workshop = await segmentWorkshop();
  const rows = randomRows(random, schema, 50);
  const meta = await workshop.write(schema, rows, randomTimestamps(random, 50));
  const table = tableFromIPC(await workshop.objectStore.get(meta.rows.objectKey));
  assert.equal(table.schema.metadata.get('mishards.segment_id'), meta.id);
  assert.equal(table.schema.metadata.get('mishards.format_version'), '1');
  await using segment = await open(workshop, meta, schema);
  for (const field of schema.fields) {
    if (isVectorType(field.type)) continue;
    const arrowField = table.schema.fields.find((candidate) => candidate.name === field.name)!;
    assert.equal(arrowField.metadata.get('mishards.field_id'), String(field.id));
    assert.equal(arrowField.metadata.get('mishards.type'), field.type);
    assert.equal(arrowField.nullable, field.nullable);
    const vector = table.getChild(field.name)!;
    const column = (await segment.column(field.id))!;
    for (let row = 0; row < 50; row++) {
      const value: unknown = vector.get(row);
      if (field.type === 'Timestamptz' && value !== null) {
        // Arrow's JavaScript reader gives milliseconds as a float.
        assert.ok(Math.abs(Number(value) - Number(valueAt(column, row)) / 1_000) < 1, field.name);
        continue;
      }
      const list: unknown =
        field.type === 'Array' && value !== null ? [...(value as Iterable<unknown>)] : value;
      assert.deepEqual(list, valueAt(column, row), `${field.name}[${row}]`);
    }
  }
  assert.deepEqual([...table.getChild('$timestamp')!], [...segment.timestamps]);
  const file = await workshop.objectStore.get(meta.rows.objectKey);
  assert.equal(file.byteLength, meta.rows.sizeBytes);
});

const schema = schemaOf([
  fieldOf({ id: 100, name: 'id', type: 'Int64', isPrimaryKey: true }),
  fieldOf({ id: 101, name: 'text', type: 'VarChar', nullable: true }),
  fieldOf({ id: 102, name: 'vector', type: 'FloatVector', dim: 2 }),
]);

function rowsWith(keys: readonly bigint[]): RowBatch {
  const vectors = keys.map((key) => Float32Array.of(Number(key), 1));
  const texts = keys.map((key) => `text-${key}`);
  const [keyField, textField, vectorField] = schema.fields;
  return {
    rowCount: keys.length,
    columns: new Map([
      [100, columnFromValues(keyField!, keys)],
      [101, columnFromValues(textField!, texts)],
      [102, columnFromValues(vectorField!, vectors)],
    ]),
  };
}

function batchOf(deletes: readonly (readonly [KeyValue, bigint, PartitionId | null])[]): DeleteBatch {
  return {
    keys: keysFromValues(
      'Int64',
      deletes.map(([key]) => key),
    ),
    timestamps: BigUint64Array.from(deletes, ([, timestamp]) => timestamp),
    partitionIds: deletes.map(([, , partitionId]) => partitionId),
  };
}

test(`deletes leave the same rows in any order, also when they come twice (seed ${testSeed})`, async () => {
  const random = new SeededRandom(testSeed);
  await using workshop = await segmentWorkshop();
  const keys = Array.from({ length: 60 }, () => BigInt(random.below(25)));
  const timestamps = BigUint64Array.from(keys, () => BigInt(random.below(10)));
  const meta = await workshop.write(schema, rowsWith(keys), timestamps);
  const partitions = [null, PARTITION, '11' as PartitionId];
  const deletes = Array.from(
    { length: 30 },
    () => [BigInt(random.below(30) - 2), BigInt(random.below(12)), partitions[random.below(3)]!] as const,
  );
  for (let round = 0; round < 4; round++) {
    await using segment = await open(workshop, meta, schema);
    assert.equal(segment.alive(), null);
    let newlyDeleted = 0;
    const shuffled = [...deletes, ...deletes].sort(() => random.below(3) - 1);
    for (let from = 0; from < shuffled.length; from += 7)
      newlyDeleted += segment.applyDeletes(batchOf(shuffled.slice(from, from + 7)));
    const alive = segment.alive();
    assert.equal(newlyDeleted, alive === null ? 0 : segment.rowCount - countOnes(alive));
    for (let row = 0; row < segment.rowCount; row++) {
      const deleted = deletes.some(
        ([key, timestamp, partitionId]) =>
          key === keyAt(segment.keys, row) &&
          segment.timestamps[row]! < timestamp &&
          (partitionId === null || partitionId === PARTITION),
      );
      assert.equal(alive === null || bitAt(alive, row), !deleted, `row ${row}`);
    }
  }
});

const index = (metric: IndexMeta['metric'], more: Partial<IndexMeta> = {}): IndexMeta => ({
  id: '500' as IndexId,
  name: 'vector',
  fieldId: 102,
  requestedType: 'AUTOINDEX',
  type: 'HNSW',
  metric,
  params: { M: '16' },
  createdTimestamp: '1',
  ...more,
});

test('an index is built, stored, opened with the segment or later, and left when dropped', async () => {
  await using workshop = await segmentWorkshop();
  const meta = await workshop.write(schema, rowsWith([3n, 1n, 2n]), BigUint64Array.of(1n, 1n, 1n));
  const build = { ...workshop, segment: meta, buildId: '9', threads: 1 };
  const file = await writeIndex({ ...build, index: index('IP') });
  assert.deepEqual(
    { ...file, sizeBytes: 0 },
    {
      fieldId: 102,
      indexId: '500',
      type: 'HNSW',
      objectKey: `segment/1/${meta.id}/index-500-9.idx`,
      sizeBytes: 0,
    },
  );
  await using later = await open(workshop, meta, schema);
  assert.equal(later.searchable(102).data.kind, 'vectors');
  const bytesBefore = later.memoryBytes;
  await Promise.all([later.openIndex(file), later.openIndex(file)]);
  assert.equal(later.memoryBytes, bytesBefore + file.sizeBytes);
  await using segment = await open(workshop, { ...meta, indexes: [file] }, schema);
  for (const opened of [segment, later]) {
    assert.deepEqual([...opened.openIndexes], ['500']);
    assert.equal(opened.searchable(102).data.kind, 'index');
    assert.equal(opened.searchable(102, 'IP').data.kind, 'index');
    assert.equal(opened.searchable(102, 'L2').data.kind, 'vectors');
    const source = { ...opened.searchable(102), allowed: null };
    const hits = await workshop.kernel.search(
      searchOf({ sources: [source], metric: 'IP', dim: 2, queries: Float32Array.of(1, 0), k: 2 }),
    );
    assert.deepEqual(
      [...hits.rows].map((row) => keyAt(opened.keys, row)),
      [3n, 2n],
    );
    assert.deepEqual([...opened.readVectors(102, Uint32Array.of(2, 0)).values], [3, 1, 1, 1]);
  }
  await segment.closeIndex('500' as IndexId);
  assert.equal(segment.searchable(102).data.kind, 'vectors');
  assert.throws(() => segment.searchable(103), { code: 'FIELD_NOT_FOUND' });
  await assert.rejects(writeIndex({ ...build, index: index('IP', { params: { M: 'many' } }) }), {
    code: 'INDEX_INVALID',
  });
  await assert.rejects(writeIndex({ ...build, index: index('IP', { type: 'FLAT' }) }), {
    code: 'INDEX_INVALID',
  });
});

test(`the native kernel searches segments as the reference does (seed ${testSeed})`, async () => {
  const random = new SeededRandom(testSeed);
  const rowCount = 1000;
  const keys = Array.from({ length: rowCount }, (_, row) => BigInt((row * 7919) % rowCount));
  const field = fieldOf({ id: 102, name: 'vector', type: 'FloatVector', dim: 8, nullable: true });
  const wide = schemaOf([schema.fields[0]!, field]);
  const vectors = randomColumn(random, field, rowCount);
  const columns = new Map([
    [100, columnFromValues(wide.fields[0]!, keys)],
    [102, vectors],
  ]);
  await using directory = await temporaryDirectory();
  const [host, native] = [createNodeHost(1), () => createKernel({ threads: 2, queueMax: 8 })];
  const answers: (readonly [string, ...KeyValue[]])[] = [];
  for (const makeKernel of [undefined, native]) {
    await using workshop = await segmentWorkshop(host, directory.file(`${answers.length}`), makeKernel);
    const meta = await workshop.write(wide, { rowCount, columns }, new BigUint64Array(rowCount).fill(1n));
    const file = await writeIndex({
      ...workshop,
      segment: meta,
      buildId: '9',
      threads: 1,
      index: index('L2'),
    });
    for (const indexes of [[], [file]]) {
      await using segment = await open(workshop, { ...meta, indexes }, wide);
      const source = { ...segment.searchable(102), allowed: segment.vectorValidity(102) };
      const { rows } = await workshop.kernel.search({
        ...searchOf({ sources: [source], queries: new Float32Array(8).fill(0.25), dim: 8 }),
        params: { ef: 500 },
      });
      answers.push([source.data.kind, ...[...rows].map((row) => keyAt(segment.keys, row))]);
    }
  }
  const [flat, indexed, ...others] = answers;
  assert.deepEqual(indexed!.slice(1), flat!.slice(1));
  assert.deepEqual(others, [flat, indexed]);
});

test('a segment of a newer format, or of other rows than the catalog says, is refused', async () => {
  await using workshop = await segmentWorkshop();
  const meta = await workshop.write(schema, rowsWith([1n]), BigUint64Array.of(1n));
  const other = await workshop.write(schema, rowsWith([1n, 2n]), BigUint64Array.of(1n, 1n));
  const refuse = async (changed: Partial<SegmentMeta>, code: string): Promise<void> => {
    await assert.rejects(open(workshop, { ...meta, ...changed }, schema), { code });
  };
  await refuse({ formatVersion: 2 }, 'NOT_SUPPORTED');
  await refuse({ id: other.id }, 'CORRUPT_DATA');
  await refuse({ rowCount: 2 }, 'CORRUPT_DATA');
  await refuse({ vectors: other.vectors }, 'CORRUPT_DATA');
  await refuse({ rows: { ...meta.rows, sizeBytes: meta.rows.sizeBytes - 1 } }, 'CORRUPT_DATA');
  await refuse({ rows: { ...meta.rows, objectKey: 'segment/1/9/rows.arrow' } }, 'OBJECT_NOT_FOUND');
  await using segment = await open(workshop, meta, schema);
  assert.equal(segment.rowCount, 1);
});

test('no changed or missing byte of a segment goes unnoticed', async () => {
  await using workshop = await segmentWorkshop();
  const meta = await workshop.write(schema, rowsWith([5n, 6n]), BigUint64Array.of(1n, 2n));
  const { objectKey } = meta.rows;
  const good = await workshop.objectStore.get(objectKey);
  for (let at = 0; at < good.byteLength; at++) {
    const bytes = good.slice();
    bytes[at]! ^= 1 << (at % 8);
    await workshop.objectStore.put(objectKey, bytes);
    await assert.rejects(open(workshop, meta, schema), { code: 'CORRUPT_DATA' }, `byte ${at}`);
  }
  for (let size = 0; size < good.byteLength; size += 101) {
    await workshop.objectStore.put(objectKey, good.subarray(0, size));
    const cut = { ...meta, rows: { objectKey, sizeBytes: size } };
    await assert.rejects(open(workshop, cut, schema), { code: 'CORRUPT_DATA' }, `${size} bytes`);
  }
  await workshop.objectStore.put(objectKey, good);
  await using segment = await open(workshop, meta, schema);
  assert.deepEqual(valuesOf(segment.keys), [5n, 6n]);
});

test('a description tells ids, times, sizes and statistics', async () => {
  await using workshop = await segmentWorkshop();
  const many = schemaOf([
    ...schema.fields,
    fieldOf({ id: 103, name: 'score', type: 'Double', nullable: true }),
    fieldOf({ id: 104, name: 'ratio', type: 'Float' }),
    fieldOf({ id: 105, name: 'long', type: 'VarChar' }),
    fieldOf({ id: 106, name: 'empty', type: 'Int8', nullable: true }),
  ]);
  const rows = rowsWith([9007199254740993n, -5n, 7n]);
  const columns = new Map(rows.columns);
  columns.set(101, columnFromValues(many.fields[1]!, ['\u{ff5e}', '\u{1f600}', null]));
  columns.set(103, columnFromValues(many.fields[3]!, [null, -0.5, 2]));
  columns.set(104, columnFromValues(many.fields[4]!, [1, NaN, 2]));
  columns.set(105, columnFromValues(many.fields[5]!, ['a', 'b'.repeat(200), 'c']));
  columns.set(106, columnFromValues(many.fields[6]!, [null, null, null]));
  const meta = await workshop.write(many, { rowCount: 3, columns }, BigUint64Array.of(30n, 10n, 20n));
  assert.deepEqual(meta.stats, [
    { fieldId: 100, min: '-5', max: '9007199254740993', nullCount: 0 },
    { fieldId: 101, min: '\u{ff5e}', max: '\u{1f600}', nullCount: 1 },
    { fieldId: 103, min: '-0.5', max: '2', nullCount: 1 },
    { fieldId: 105, min: 'a', max: 'c', nullCount: 0 },
  ]);
  assert.deepEqual([meta.minTimestamp, meta.maxTimestamp, meta.rowCount], ['10', '30', 3]);
  assert.deepEqual([meta.schemaVersion, meta.formatVersion, meta.partitionId], [3, 1, PARTITION]);
  assert.equal(meta.sizeBytes, meta.rows.sizeBytes + meta.vectors[0]!.sizeBytes);
  assert.deepEqual(await workshop.host.files.list(workshop.temporaryDirectory), []);
});

test('a segment that is closed lets go of its files', async () => {
  await using workshop = await segmentWorkshop();
  const meta = await workshop.write(schema, rowsWith([1n]), BigUint64Array.of(1n));
  const segment = await open(workshop, meta, schema);
  const { data } = segment.searchable(102);
  await segment[Symbol.asyncDispose]();
  await segment[Symbol.asyncDispose]();
  assert.throws(() => segment.searchable(102), /disposed/);
  await assert.rejects(segment.column(101), /disposed/);
  assert.throws(() =>
    (data as { read(rows: Uint32Array, out: Float32Array): void }).read(
      Uint32Array.of(0),
      new Float32Array(2),
    ),
  );
});
