import { partitionIdsOf } from './lookup.ts';
import { partitionKeyField, partitionOfHash } from './partition-routing.ts';
import { compiledFilter } from '../core/compiled-filter.ts';
import type { CollectionMeta } from '../../catalog/model.ts';
import { hashKey, keysFromValues } from '../../columns/index.ts';
import { MishardsError } from '../../errors/index.ts';
import { partitionKeyValues, type FilterPlan } from '../../filter/index.ts';
import type { FilterText } from '../../protocol/reader-api.ts';
import type { PartitionId, PrimaryKeyType } from '../../schema/index.ts';

/**
 * The partitions a read must look into: those named, or those that the filter's partition keys hash to; null = all. A filter
 * that does not compile fails here, before any reader is asked.
 */
export function readPartitions(
  collection: CollectionMeta,
  names: readonly string[],
  filter: FilterText | null,
): readonly PartitionId[] | null {
  const named = partitionIdsOf(collection, names);
  const plan = filter === null ? null : compiled(collection, filter);
  const key = partitionKeyField(collection);
  if (named !== null || key === undefined || plan === null) return named;
  const values = partitionKeyValues(plan, key);
  if (values === null) return null;
  // A filter that no row can pass still has to be answered, by any one partition.
  if (values.length === 0) return [collection.partitions[0]!.id];
  const keys = keysFromValues(key.type as PrimaryKeyType, values);
  const ids = Array.from({ length: keys.length }, (_, row) =>
    partitionOfHash(collection, hashKey(keys, row)),
  );
  return [...new Set(ids)];
}

function compiled({ schema }: CollectionMeta, filter: FilterText): FilterPlan {
  try {
    return compiledFilter(filter, schema);
  } catch (error) {
    if (!(error instanceof MishardsError)) throw error;
    throw new MishardsError(error.code, `failed to create query plan: ${error.message}`, { cause: error });
  }
}
