import type { FrontServices, Handlers, MilvusCall } from './handler.ts';
import { collectionOf } from './lookup.ts';
import { physicalMs } from './timestamps.ts';
import type { CollectionMeta } from '../../catalog/model.ts';
import { MishardsError } from '../../errors/index.ts';
import type { FlushResult } from '../../protocol/writer-api.ts';
import { SUCCESS } from '../translate/status.ts';

/** A flush answers when its rows are in committed segments, so every flush a client can ask about is done. */
export function flushHandlers(
  services: FrontServices,
): Handlers<'Flush' | 'GetFlushState' | 'FlushAll' | 'GetFlushAllState'> {
  const { core } = services;
  return {
    async Flush(request, call) {
      const { collectionNames } = request;
      if (collectionNames.length === 0) {
        throw new MishardsError(
          'PARAMETER_INVALID',
          'collection names are empty; name the collections to flush',
        );
      }
      const collections = new Map(
        collectionNames.map((name): [string, CollectionMeta] => [
          name,
          collectionOf(services, { ...request, collectionName: name }, call),
        ]),
      );
      const result = await flush(services, [...collections.values()], call);
      const names = [...collections];
      const segmentIds = new Map(names.map(([name, { id }]) => [name, { data: idsOf(result, id) }] as const));
      const sealedAt = physicalMs(result.timestamp) / 1_000n;
      return {
        status: SUCCESS,
        dbName: request.dbName,
        collSegIDs: segmentIds,
        flushCollSegIDs: new Map(names.map(([name]) => [name, {}] as const)),
        collSealTimes: new Map(names.map(([name]) => [name, sealedAt] as const)),
        collFlushTs: new Map(names.map(([name]) => [name, result.timestamp as bigint] as const)),
      };
    },
    GetFlushState(request, call) {
      if (request.collectionName !== '') collectionOf(services, request, call);
      return { status: SUCCESS, flushed: true };
    },
    async FlushAll(_request, call) {
      const collections = [...core.catalog.snapshot().collections.values()];
      const { timestamp } = await flush(services, collections, call);
      return { status: SUCCESS, flushAllTs: timestamp };
    },
    GetFlushAllState: () => ({ status: SUCCESS, flushed: true }),
  };
}

function flush(
  { core }: FrontServices,
  collections: readonly CollectionMeta[],
  call: MilvusCall,
): Promise<FlushResult> {
  return core.flush([...new Set(collections.map(({ id }) => id))], call);
}

function idsOf(result: FlushResult, id: CollectionMeta['id']): BigInt64Array {
  return BigInt64Array.from(result.segmentIds.get(id) ?? [], BigInt);
}
