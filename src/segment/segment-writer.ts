import type { FieldFile, FieldStats, SegmentFile, SegmentMeta } from '../catalog/model.ts';
import {
  asKeys,
  columnOf,
  isSorted,
  sortedRows,
  takeColumn,
  type RowBatch,
  type VectorColumn,
} from '../columns/index.ts';
import type { Host } from '../host/index.ts';
import type { ObjectStore } from '../object-store/object-store.ts';
import { isVectorType, primaryKeyField, type FieldSchema } from '../schema/index.ts';
import { assert } from '../util/assert.ts';
import { encodeBitmap, encodeColumn, encodeTimestamps, type EncodedColumn } from './arrow/arrow-column.ts';
import { writeArrowFile } from './arrow/arrow-file-writer.ts';
import { arrowSchemaOf, type StoredField } from './arrow/arrow-schema.ts';
import { fieldStats } from './field-stats.ts';
import { METADATA_KEYS, SEGMENT_FORMAT_VERSION, TIMESTAMP_FIELD } from './segment-format.ts';
import { rowsKey, vectorsKey } from './segment-keys.ts';
import type { SegmentWriterOptions, SortedRows } from './segment.ts';
import { temporaryFile } from './temporary-file.ts';
import { asVectors, vectorShape, vectorValues } from './vector-columns.ts';

export interface WriteSegmentOptions extends SegmentWriterOptions {
  readonly host: Pick<Host, 'files'>;
  readonly objectStore: ObjectStore;
  /** Holds the segment's files until they are stored; nobody else may use their names, which begin with the segment's id. */
  readonly temporaryDirectory: string;
}

/** As `writeSortedSegment`, of rows in any order. */
export async function writeSegment(options: WriteSegmentOptions & UnsortedRows): Promise<SegmentMeta> {
  assert(options.timestamps.length === options.rows.rowCount, 'every row has a timestamp');
  return await writeSortedSegment(options, sortRows(options));
}

/**
 * Writes a segment's files and stores them. Nobody sees the segment before the returned description is committed to the
 * catalog. Fields of the schema that the rows lack are not stored. On a failure, objects of the segment may be left in the
 * object store, for garbage collection.
 */
export async function writeSortedSegment(
  options: WriteSegmentOptions,
  sorted: SortedRows,
): Promise<SegmentMeta> {
  assert(sorted.rowCount > 0, 'a segment has rows');
  const vectors: FieldFile[] = [];
  const stored: { readonly field: StoredField; readonly column: EncodedColumn }[] = [];
  const stats: FieldStats[] = [];
  for (const field of options.schema.fields) {
    const column = await sorted.column(field.id);
    if (column === null) continue;
    if (isVectorType(field.type)) {
      vectors.push(await storeVectors(options, field, asVectors(column)));
      if (column.validity === null) continue;
      const validity = encodeBitmap(column.validity, column.length);
      stored.push({ field: vectorValidityField(field), column: validity });
      continue;
    }
    stored.push({ field: scalarField(field), column: encodeColumn(column) });
    const statsOfField = fieldStats(field.id, column);
    if (statsOfField !== null) stats.push(statsOfField);
  }
  stored.push({ field: TIMESTAMP_FIELD, column: encodeTimestamps(sorted.timestamps) });
  const rows = await storeRows(options, sorted.rowCount, stored);
  return describe(options, sorted.timestamps, { rows, vectors, stats });
}

interface UnsortedRows {
  readonly rows: RowBatch;
  /** One for each row. */
  readonly timestamps: BigUint64Array;
}

function sortRows({ schema, rows, timestamps }: WriteSegmentOptions & UnsortedRows): SortedRows {
  const { rowCount } = rows;
  const keys = asKeys(columnOf(rows, primaryKeyField(schema).id));
  if (isSorted(keys, timestamps)) {
    return { rowCount, timestamps, column: async (fieldId) => rows.columns.get(fieldId) ?? null };
  }
  const order = sortedRows(keys, timestamps);
  return {
    rowCount,
    timestamps: timestamps.map((_, row) => timestamps[order[row]!]!),
    column: async (fieldId) => {
      const column = rows.columns.get(fieldId);
      return column === undefined ? null : takeColumn(column, order);
    },
  };
}

async function storeVectors(
  options: WriteSegmentOptions,
  field: FieldSchema,
  column: VectorColumn,
): Promise<FieldFile> {
  const { host, temporaryDirectory, kernel, objectStore, collectionId, segmentId } = options;
  await using file = await temporaryFile(host.files, temporaryDirectory, `${segmentId}-vectors-${field.id}`);
  await kernel.writeVectors({ path: file.path, ...vectorShape(column), vectors: vectorValues(column) });
  const objectKey = vectorsKey(collectionId, segmentId, field.id);
  const { sizeBytes } = await objectStore.putFile(objectKey, file.path);
  return { fieldId: field.id, objectKey, sizeBytes };
}

async function storeRows(
  options: WriteSegmentOptions,
  rowCount: number,
  stored: readonly { readonly field: StoredField; readonly column: EncodedColumn }[],
): Promise<SegmentFile> {
  const { host, temporaryDirectory, objectStore, collectionId, segmentId } = options;
  await using file = await temporaryFile(host.files, temporaryDirectory, `${segmentId}-rows`);
  const metadata = new Map<string, string>([
    [METADATA_KEYS.formatVersion, String(SEGMENT_FORMAT_VERSION)],
    [METADATA_KEYS.collectionId, collectionId],
    [METADATA_KEYS.partitionId, options.partitionId],
    [METADATA_KEYS.segmentId, segmentId],
    [METADATA_KEYS.schemaVersion, String(options.schemaVersion)],
  ]);
  await writeArrowFile({
    files: host.files,
    path: file.path,
    schema: arrowSchemaOf(
      stored.map(({ field }) => field),
      metadata,
    ),
    rowCount,
    columns: stored.map(({ column }) => column),
  });
  const objectKey = rowsKey(collectionId, segmentId);
  const { sizeBytes } = await objectStore.putFile(objectKey, file.path);
  return { objectKey, sizeBytes };
}

function scalarField(field: FieldSchema): StoredField {
  const { id, name, nullable, type, elementType } = field;
  return { role: 'value', fieldId: id, name, nullable, shape: { type, elementType, dim: null } };
}

function vectorValidityField({ id, name, type, dim }: FieldSchema): StoredField {
  const shape = { type, elementType: null, dim };
  return { role: 'vector-validity', fieldId: id, name: `${name}$valid`, nullable: false, shape };
}

function describe(
  options: WriteSegmentOptions,
  timestamps: BigUint64Array,
  files: Pick<SegmentMeta, 'rows' | 'vectors' | 'stats'>,
): SegmentMeta {
  let [minTimestamp, maxTimestamp] = [timestamps[0]!, timestamps[0]!];
  for (const timestamp of timestamps) {
    if (timestamp < minTimestamp) minTimestamp = timestamp;
    if (timestamp > maxTimestamp) maxTimestamp = timestamp;
  }
  return {
    id: options.segmentId,
    collectionId: options.collectionId,
    partitionId: options.partitionId,
    channelId: options.channelId,
    formatVersion: SEGMENT_FORMAT_VERSION,
    schemaVersion: options.schemaVersion,
    rowCount: timestamps.length,
    sizeBytes: files.vectors.reduce((sum, file) => sum + file.sizeBytes, files.rows.sizeBytes),
    minTimestamp: String(minTimestamp),
    maxTimestamp: String(maxTimestamp),
    deletesThrough: String(options.deletesThrough),
    replaces: options.replaces ?? [],
    ...files,
    indexes: [],
  };
}
