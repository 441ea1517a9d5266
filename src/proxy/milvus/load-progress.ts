import type { ProxyCore, RequestContext } from '../proxy-core.ts';
import type { CollectionMeta } from '../../catalog/model.ts';
import type { PartitionId } from '../../schema/index.ts';

/** 0 for what is not asked to be loaded. */
export async function loadedPercentage(
  core: ProxyCore,
  collection: CollectionMeta,
  partitionIds: readonly PartitionId[] | null,
  context: RequestContext,
): Promise<number> {
  const { load } = collection;
  if (load === null) return 0;
  if (partitionIds?.some((id) => load.partitionIds !== null && !load.partitionIds.includes(id)) === true)
    return 0;
  return await core.loadProgress(collection, partitionIds, context);
}
