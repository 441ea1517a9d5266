import { columnFromValues, type Column, type ColumnValue, type RowBatch } from '../../src/columns/index.ts';
import type { ChannelId, CollectionSchema, LogSequence, PartitionId } from '../../src/schema/index.ts';
import { fieldOf } from './random-rows.ts';
import { vectorSchema } from './schemas.ts';

/** A row as a test wrote it. */
export interface ModelRow {
  readonly key: bigint;
  readonly vector: readonly number[];
  readonly price: number | null;
  readonly tag: string;
  readonly partitionId: PartitionId;
  readonly channel: ChannelId;
  readonly sequence: LogSequence;
  readonly timestamp: bigint;
}

export interface ModelDelete {
  readonly key: bigint;
  /** null = in all partitions. */
  readonly partitionId: PartitionId | null;
  readonly channel: ChannelId;
  readonly sequence: LogSequence;
  readonly timestamp: bigint;
}

export const PRICE = 102;
export const TAG = 103;

export function modelSchema(dim: number): CollectionSchema {
  return vectorSchema({
    dim,
    fields: [
      fieldOf({ id: PRICE, name: 'price', type: 'Int32', nullable: true }),
      fieldOf({ id: TAG, name: 'tag', type: 'VarChar', maxLength: 64 }),
    ],
  });
}

/** Everything ever written, and what is left of it, by the definition: a delete hits older rows of its key. */
export class ModelRows {
  readonly rows: ModelRow[] = [];
  readonly deletes: ModelDelete[] = [];

  /** Rows of entries that `covers` (default all) after the deletes of entries it covers. */
  alive(covers: (change: ModelRow | ModelDelete) => boolean = () => true): readonly ModelRow[] {
    const deletes = Map.groupBy(this.deletes.filter(covers), (entry) => entry.key);
    return this.rows.filter(covers).filter((row) => !deletes.get(row.key)?.some((entry) => hits(entry, row)));
  }
}

function hits(entry: ModelDelete, row: ModelRow): boolean {
  if (entry.channel !== row.channel || entry.timestamp <= row.timestamp) return false;
  return entry.partitionId === null || entry.partitionId === row.partitionId;
}

/** The rows as columns of `schema`, which is that of `modelSchema`. */
export function batchOf(
  schema: CollectionSchema,
  rows: readonly Pick<ModelRow, 'key' | 'vector' | 'price' | 'tag'>[],
): RowBatch {
  const values: Readonly<Record<string, (row: (typeof rows)[number]) => ColumnValue>> = {
    id: (row) => row.key,
    vector: (row) => Float32Array.from(row.vector),
    price: (row) => row.price,
    tag: (row) => row.tag,
  };
  const columns = new Map<number, Column>();
  for (const field of schema.fields)
    columns.set(field.id, columnFromValues(field, rows.map(values[field.name]!)));
  return { rowCount: rows.length, columns };
}
