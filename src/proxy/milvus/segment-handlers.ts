import type { FrontServices, Handlers } from './handler.ts';
import { collectionOf } from './lookup.ts';
import { nodeNumber } from './replica-info.ts';
import { MishardsError } from '../../errors/index.ts';
import { SegmentLevel, SegmentState } from '../translate/generated/milvus.js';
import { SUCCESS } from '../translate/status.ts';

export function segmentHandlers(
  services: FrontServices,
): Handlers<'GetPersistentSegmentInfo' | 'GetQuerySegmentInfo'> {
  const { core } = services;
  return {
    GetPersistentSegmentInfo(request, call) {
      const collection = collectionOf(services, request, call);
      const infos = core.catalog
        .snapshot()
        .segmentsOf(collection.id)
        .map((segment) => ({
          segmentID: BigInt(segment.id),
          collectionID: BigInt(segment.collectionId),
          partitionID: BigInt(segment.partitionId),
          numRows: BigInt(segment.rowCount),
          state: SegmentState.Flushed,
          level: SegmentLevel.L1,
          isSorted: true,
          storageVersion: BigInt(segment.formatVersion),
        }));
      return { status: SUCCESS, infos };
    },
    GetQuerySegmentInfo(request, call) {
      const collection = collectionOf(services, request, call);
      if (collection.load === null) {
        throw new MishardsError(
          'COLLECTION_NOT_LOADED',
          `collection not loaded[collection=${collection.name}]`,
        );
      }
      const { copies, items } = core.explainRoute(collection);
      const holders = new Map(items.map((item) => [item.key, item.nodes.slice(0, copies)]));
      const infos = core.catalog
        .snapshot()
        .segmentsOf(collection.id)
        .map((segment) => {
          const built = collection.indexes.find(({ id }) =>
            segment.indexes.some((file) => file.indexId === id),
          );
          return {
            segmentID: BigInt(segment.id),
            collectionID: BigInt(segment.collectionId),
            partitionID: BigInt(segment.partitionId),
            memSize: BigInt(segment.sizeBytes),
            numRows: BigInt(segment.rowCount),
            indexName: built?.name ?? '',
            indexID: BigInt(built?.id ?? 0),
            nodeIds: BigInt64Array.from(holders.get(segment.id) ?? [], nodeNumber),
            state: SegmentState.Sealed,
            level: SegmentLevel.L1,
            isSorted: true,
            storageVersion: BigInt(segment.formatVersion),
          };
        });
      return { status: SUCCESS, infos };
    },
  };
}
