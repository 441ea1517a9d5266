import { partitionIdsOf } from './lookup.ts';
import { partitionKeyField, partitionOfHash } from './partition-routing.ts';
import type { CollectionMeta } from '../../catalog/model.ts';
import { hashKey, keysFromValues } from '../../columns/index.ts';
import { compileFilter, parseFilter, partitionKeyValues } from '../../filter/index.ts';
import type { FilterText } from '../../protocol/reader-api.ts';
import type { PartitionId, PrimaryKeyType } from '../../schema/index.ts';

/** The partitions a read must look into: those named, or those that the filter's partition keys hash to; null = all. */
export function readPartitions(
  collection: CollectionMeta,
  names: readonly string[],
  filter: FilterText | null,
): readonly PartitionId[] | null {
  const named = partitionIdsOf(collection, names);
  const key = partitionKeyField(collection);
  if (named !== null || key === undefined || filter === null) return named;
  const plan = compileFilter(parseFilter(filter.text), collection.schema, filter.values);
  const values = partitionKeyValues(plan, key);
  // A filter that no row can pass still has to be answered, by any one partition.
  if (values === null || values.length === 0) return values === null ? null : [collection.partitions[0]!.id];
  const keys = keysFromValues(key.type as PrimaryKeyType, values);
  const ids = Array.from({ length: keys.length }, (_, row) =>
    partitionOfHash(collection, hashKey(keys, row)),
  );
  return [...new Set(ids)];
}
