import { createColumnBuilder, defaultColumn, takeBits, type Column } from '../columns/index.ts';
import {
  isVectorType,
  type CollectionSchema,
  type FieldSchema,
  type LogSequence,
  type PartitionId,
} from '../schema/index.ts';
import { assert } from '../util/assert.ts';
import type { RowBlock } from './row-block.ts';
import type { PartitionRows } from './segment.ts';
import { readVectorColumn } from './vector-columns.ts';

/** Rows of one block that are to be copied, ascending. */
interface BlockRows {
  readonly block: RowBlock;
  readonly rows: Uint32Array;
}

/** Copies the rows of entries in (after, through] that none of these entries deleted, by partition. */
export function copyRows(
  blocks: readonly RowBlock[],
  after: LogSequence,
  through: LogSequence,
  schema: CollectionSchema,
): readonly PartitionRows[] {
  const byPartition = new Map<PartitionId, BlockRows[]>();
  for (const block of blocks) {
    const rows = rowsWithin(block, after, through);
    if (rows.length === 0) continue;
    const ofPartition = byPartition.get(block.partitionId);
    if (ofPartition === undefined) byPartition.set(block.partitionId, [{ block, rows }]);
    else ofPartition.push({ block, rows });
  }
  return [...byPartition].map(([partitionId, parts]) => copyPartition(partitionId, parts, schema));
}

function copyPartition(
  partitionId: PartitionId,
  parts: readonly BlockRows[],
  schema: CollectionSchema,
): PartitionRows {
  const rowCount = parts.reduce((sum, { rows }) => sum + rows.length, 0);
  const columns = new Map<number, Column>();
  for (const field of schema.fields) {
    const column = isVectorType(field.type)
      ? copyVectors(field, parts, rowCount)
      : copyScalars(field, parts, rowCount);
    columns.set(field.id, column);
  }
  const timestamps = new BigUint64Array(rowCount);
  let at = 0;
  for (const { block, rows } of parts) {
    for (const row of rows) timestamps[at++] = block.timestamps[row]!;
  }
  return { partitionId, rows: { rowCount, columns }, timestamps };
}

function copyScalars(field: FieldSchema, parts: readonly BlockRows[], rowCount: number): Column {
  const builder = createColumnBuilder(field, rowCount);
  for (const { block, rows } of parts) {
    const column = block.scalar(field.id);
    if (column === null) builder.append(defaultColumn(field, rows.length));
    else builder.appendRows(column, rows);
  }
  return builder.view();
}

function copyVectors(field: FieldSchema, parts: readonly BlockRows[], rowCount: number): Column {
  const builder = createColumnBuilder(field, rowCount);
  for (const { block, rows } of parts) {
    const vectors = block.vectors(field.id);
    if (vectors === null) {
      assert(field.nullable, `rows lack vectors of field ${field.name}, which is not nullable`);
      builder.appendNulls(rows.length);
      continue;
    }
    const bits = vectors.validity.view();
    builder.append(readVectorColumn(vectors.data, rows, bits === null ? null : takeBits(bits, rows)));
  }
  return builder.view();
}

function rowsWithin(block: RowBlock, after: LogSequence, through: LogSequence): Uint32Array {
  const first = block.rowsThrough(after);
  const end = block.rowsThrough(through);
  const rows = new Uint32Array(end - first);
  let count = 0;
  for (let row = first; row < end; row++) {
    if (!block.isDeletedThrough(row, through)) rows[count++] = row;
  }
  return rows.subarray(0, count);
}
