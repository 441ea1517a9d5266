import { columnFromValues, keysFromValues, type KeyValue, type RowBatch } from '../../src/columns/index.ts';
import type { Kernel } from '../../src/kernel/kernel.ts';
import { freshSource, type ReadSource } from '../../src/reader/read-source.ts';
import {
  primaryKeyField,
  type ChannelId,
  type CollectionSchema,
  type PartitionId,
  type Timestamp,
} from '../../src/schema/index.ts';
import { createFreshRows } from '../../src/segment/fresh-rows.ts';

/** A row of a `vectorSchema`. */
export interface TestRow {
  readonly key: KeyValue;
  readonly vector: readonly number[];
}

export function rowBatch(schema: CollectionSchema, rows: readonly TestRow[]): RowBatch {
  const vector = schema.fields.find((field) => field.type === 'FloatVector')!;
  const key = primaryKeyField(schema);
  const columns = new Map([
    [
      key.id,
      keysFromValues(
        key.type as 'Int64' | 'VarChar',
        rows.map((row) => row.key),
      ),
    ],
    [
      vector.id,
      columnFromValues(
        vector,
        rows.map((row) => Float32Array.from(row.vector)),
      ),
    ],
  ]);
  return { rowCount: rows.length, columns } as RowBatch;
}

/** One source for each list of rows. Row i of list j has timestamp 1 000 i + j. */
export function freshSources(
  kernel: Kernel,
  schema: CollectionSchema,
  lists: readonly (readonly TestRow[])[],
): readonly ReadSource[] {
  return lists.flatMap((rows, list) => {
    const fresh = createFreshRows({ kernel, channel: '1-0' as ChannelId, schema, after: 0 });
    rows.forEach((row, index) => {
      const timestamp = BigInt(1_000 * index + list) as Timestamp;
      const partitionId = String(list) as PartitionId;
      fresh.apply({ kind: 'insert', partitionId, rows: rowBatch(schema, [row]) }, index + 1, timestamp);
    });
    return fresh.blocksAfter(0, null).map((block) => freshSource(block, 0n as Timestamp));
  });
}
