import { KeySet, takeColumn, type PrimaryKeyColumn } from '../columns/index.ts';
import type { PartitionId } from '../schema/index.ts';
import type { DeleteBatch } from '../segment/segment.ts';

/**
 * One batch that deletes what all of them delete, without what cannot matter: of a key only the newest delete in each
 * partition counts, and deletes at or before `oldestRow`, the timestamp of the oldest row they could meet, meet none.
 * null when nothing is left.
 */
export function mergeDeletes(batches: readonly DeleteBatch[], oldestRow: bigint | null): DeleteBatch | null {
  const [first] = batches;
  if (first === undefined || oldestRow === null) return null;
  const keys = new KeySet(first.keys.type);
  const newest: Map<PartitionId | null, bigint>[] = [];
  for (const batch of batches) {
    for (let row = 0; row < batch.keys.length; row++) {
      const timestamp = batch.timestamps[row]!;
      if (timestamp <= oldestRow) continue;
      const byPartition = (newest[keys.add(batch.keys, row)] ??= new Map());
      const partition = batch.partitionIds[row]!;
      if (timestamp > (byPartition.get(partition) ?? 0n)) byPartition.set(partition, timestamp);
    }
  }
  return keys.size === 0 ? null : flatten(keys, newest);
}

function flatten(keys: KeySet, newest: readonly ReadonlyMap<PartitionId | null, bigint>[]): DeleteBatch {
  const rows: number[] = [];
  const timestamps: bigint[] = [];
  const partitionIds: (PartitionId | null)[] = [];
  newest.forEach((byPartition, row) => {
    const everywhere = byPartition.get(null) ?? 0n;
    for (const [partitionId, timestamp] of byPartition) {
      if (partitionId !== null && timestamp <= everywhere) continue;
      rows.push(row);
      timestamps.push(timestamp);
      partitionIds.push(partitionId);
    }
  });
  return {
    keys: takeColumn(keys.keys(), Uint32Array.from(rows)) as PrimaryKeyColumn,
    timestamps: BigUint64Array.from(timestamps),
    partitionIds,
  };
}
