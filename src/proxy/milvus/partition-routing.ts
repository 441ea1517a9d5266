import type { CollectionMeta } from '../../catalog/model.ts';
import {
  asKeys,
  columnOf,
  concatColumns,
  hashKey,
  takeColumn,
  takeRows,
  type PrimaryKeyColumn,
  type RowBatch,
} from '../../columns/index.ts';
import { MishardsError } from '../../errors/index.ts';
import type { MutationResult } from '../../protocol/writer-api.ts';
import type { FieldSchema, PartitionId } from '../../schema/index.ts';

export interface RoutedRows {
  readonly partitionId: PartitionId;
  readonly rows: RowBatch;
}

export function partitionKeyField(collection: CollectionMeta): FieldSchema | undefined {
  return collection.schema.fields.find((field) => field.isPartitionKey);
}

/**
 * Sends rows to the partition each belongs to: the named one, or with a partition key (name null) the one its key hashes
 * to. Rows of several partitions are several writes: one may fail after another succeeded, and then the call fails.
 */
export async function routedRows(
  collection: CollectionMeta,
  partitionName: string | null,
  rows: RowBatch,
  send: (part: RoutedRows) => Promise<MutationResult>,
): Promise<MutationResult> {
  if (partitionName !== null) {
    const partition = collection.partitions.find(({ name }) => name === partitionName);
    if (partition === undefined) {
      throw new MishardsError('PARTITION_NOT_FOUND', `partition not found[partition=${partitionName}]`);
    }
    return await send({ partitionId: partition.id, rows });
  }
  const parts = rowsByPartition(collection, rows);
  const results = await Promise.all(
    parts.map((part) => send({ partitionId: part.partitionId, rows: takeRows(rows, part.indexes) })),
  );
  return merged(
    results,
    parts.map((part) => part.indexes),
    rows.rowCount,
  );
}

/** The partition of a partition key's hash. Partitions of such a collection never change. */
export function partitionOfHash({ partitions }: CollectionMeta, hash: number): PartitionId {
  return partitions[hash % partitions.length]!.id;
}

function rowsByPartition(
  collection: CollectionMeta,
  rows: RowBatch,
): readonly { readonly partitionId: PartitionId; readonly indexes: Uint32Array }[] {
  const keys = asKeys(columnOf(rows, partitionKeyField(collection)!.id));
  const groups = new Map<PartitionId, number[]>();
  for (let row = 0; row < rows.rowCount; row++) {
    const id = partitionOfHash(collection, hashKey(keys, row));
    const group = groups.get(id);
    if (group === undefined) groups.set(id, [row]);
    else group.push(row);
  }
  return [...groups].map(([partitionId, indexes]) => ({ partitionId, indexes: Uint32Array.from(indexes) }));
}

/** Keys go back into the order in which the client sent the rows. */
function merged(
  results: readonly MutationResult[],
  indexes: readonly Uint32Array[],
  rowCount: number,
): MutationResult {
  const positionOf = new Uint32Array(rowCount);
  let at = 0;
  for (const part of indexes) for (const row of part) positionOf[row] = at++;
  const keys = concatColumns(results.map((result) => result.keys));
  return {
    keys: takeColumn(keys, positionOf) as PrimaryKeyColumn,
    timestamp: results.map(({ timestamp }) => timestamp).reduce((max, one) => (one > max ? one : max)),
    positions: new Map(results.flatMap(({ positions }) => [...positions])),
  };
}
