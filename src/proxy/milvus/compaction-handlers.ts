import type { FrontServices, Handlers, MilvusCall } from './handler.ts';
import { collectionOf } from './lookup.ts';
import type { CollectionMeta } from '../../catalog/model.ts';
import { MishardsError } from '../../errors/index.ts';
import type { CompactionState as CompactionProgress } from '../../protocol/writer-api.ts';
import type { CollectionId } from '../../schema/index.ts';
import { CompactionState, type ManualCompactionRequest } from '../translate/generated/milvus.js';
import { SUCCESS } from '../translate/status.ts';

const MIB = 2n ** 20n;
/** What Milvus says where a merge has no segment yet. */
const NO_SEGMENT = -1n;

/** Kinds of compaction are Milvus's own matter: whichever is asked for, all that can be compacted is. */
export function compactionHandlers(
  services: FrontServices,
): Handlers<'ManualCompaction' | 'GetCompactionState' | 'GetCompactionStateWithPlans'> {
  const { core } = services;
  return {
    async ManualCompaction(request, call) {
      const collection = requestedCollection(services, request, call);
      refuseParts(request);
      refuseSmallTarget(request.targetSize, services.segmentBytesMax);
      const { compactionId, planCount } = await core.compact(collection.id, call);
      return { status: SUCCESS, compactionID: BigInt(compactionId), compactionPlanCount: planCount };
    },
    async GetCompactionState({ compactionID }, call) {
      const progress = await core.compactionState(idOf(compactionID), call);
      return {
        status: SUCCESS,
        state: stateOf(progress),
        executingPlanNo: BigInt(progress.executingCount),
        timeoutPlanNo: 0n,
        completedPlanNo: BigInt(progress.completedCount),
        failedPlanNo: BigInt(progress.failedCount),
      };
    },
    async GetCompactionStateWithPlans({ compactionID }, call) {
      const progress = await core.compactionState(idOf(compactionID), call);
      const mergeInfos = progress.merges.map(({ sources, target }) => ({
        sources: BigInt64Array.from(sources, BigInt),
        target: target === null ? NO_SEGMENT : BigInt(target),
      }));
      return { status: SUCCESS, state: stateOf(progress), mergeInfos };
    },
  };
}

/** Older clients name it by its id alone. */
function requestedCollection(
  services: FrontServices,
  request: ManualCompactionRequest,
  call: MilvusCall,
): CollectionMeta {
  if (request.collectionName !== '') return collectionOf(services, request, call);
  const id = String(request.collectionID) as CollectionId;
  const collection = services.core.catalog.snapshot().collections.get(id);
  if (collection !== undefined) return collection;
  throw new MishardsError('COLLECTION_NOT_FOUND', `collection not found[collection=${id}]`);
}

function refuseParts({ partitionId, channel, segmentIds }: ManualCompactionRequest): void {
  if (partitionId === 0n && channel === '' && segmentIds.length === 0) return;
  throw new MishardsError(
    'NOT_SUPPORTED',
    'compaction of single partitions, channels or segments is not supported; name the collection alone',
  );
}

/** A larger target is what the server aims at anyhow, as far as its own bound allows. */
function refuseSmallTarget(targetMib: bigint, segmentBytesMax: number): void {
  if (targetMib === 0n || targetMib * MIB >= BigInt(segmentBytesMax)) return;
  throw new MishardsError(
    'PARAMETER_INVALID',
    `targetSize ${targetMib} MB is below the size segments are merged up to, ${BigInt(segmentBytesMax) / MIB} MB; leave it out`,
  );
}

function idOf(compactionId: bigint): string {
  if (compactionId > 0n) return String(compactionId);
  throw new MishardsError(
    'PARAMETER_INVALID',
    `compaction id ${compactionId} is not one that a compaction was given`,
  );
}

function stateOf({ executingCount }: CompactionProgress): number {
  return executingCount > 0 ? CompactionState.Executing : CompactionState.Completed;
}
