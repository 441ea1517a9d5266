import type { ProxyCore } from '../proxy-core.ts';
import type { CollectionMeta } from '../../catalog/model.ts';
import { crc32c } from '../../util/crc32c.ts';
import type { NodeId } from '../../schema/index.ts';
import type { ReplicaInfoInit } from '../translate/generated/milvus.js';

const encoder = new TextEncoder();

/**
 * Milvus shows replicas as sets of nodes with numbers. Here the n-th replica is whatever holds the n-th copies of the
 * collection's segments and channels.
 */
export function replicasOf(core: ProxyCore, collection: CollectionMeta): ReplicaInfoInit[] {
  if (collection.load === null) return [];
  const { copies, items } = core.explainRoute(collection);
  const addresses = new Map(core.nodes().map((node) => [node.id, node.address]));
  const partitionIds = BigInt64Array.from(
    collection.load.partitionIds ?? collection.partitions.map(({ id }) => id),
    BigInt,
  );
  return Array.from({ length: copies }, (_, copy) => {
    const holders = items.flatMap((item) => item.nodes.slice(copy, copy + 1));
    const nodeIds = BigInt64Array.from(new Set(holders), nodeNumber);
    return {
      replicaID: BigInt(collection.id) + BigInt(copy),
      collectionID: BigInt(collection.id),
      partitionIds,
      nodeIds,
      resourceGroupName: '__default_resource_group',
      shardReplicas: items
        .filter((item) => item.kind === 'channel' && item.nodes.length > copy)
        .map((item) => ({
          leaderID: nodeNumber(item.nodes[copy]!),
          leaderAddr: addresses.get(item.nodes[copy]!) ?? '',
          dmChannelName: item.key,
          nodeIds,
        })),
    };
  });
}

/** Nodes have names here and numbers in Milvus: a hash, the same everywhere. */
export function nodeNumber(id: NodeId): bigint {
  return BigInt(crc32c(encoder.encode(id)));
}
