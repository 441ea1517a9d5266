import { compiledFilter } from './compiled-filter.ts';
import type { Guarantees } from './guarantees.ts';
import type { ReadPath } from './read-path.ts';
import type { WriterLink } from './writer-link.ts';
import type { DeleteByFilter, ProxyCore, RequestContext } from '../proxy-core.ts';
import { keysFromValues } from '../../columns/index.ts';
import type { PrimaryKeyColumn } from '../../columns/column.ts';
import { primaryKeysOf } from '../../filter/index.ts';
import { primaryKeyField, type PrimaryKeyType, type Timestamp } from '../../schema/index.ts';

/** A filter that names its keys is sent as it is; any other is first resolved to keys by a strong query. */
export function withDeletesByFilter(
  link: WriterLink,
  reads: ReadPath,
  guarantees: Guarantees,
): ProxyCore['delete'] {
  return async (request, context) => {
    const keys = namedKeys(request) ?? (await queriedKeys(reads, request, context));
    const { collection, partitionId } = request;
    const result = await link.call(context, (writer, call) =>
      writer.delete({ collectionId: collection.id, partitionId, keys }, call),
    );
    guarantees.remember(collection.id, result);
    return result;
  };
}

function namedKeys({ collection, filter }: DeleteByFilter): PrimaryKeyColumn | null {
  const plan = compiledFilter(filter, collection.schema);
  const keys = primaryKeysOf(plan, collection.schema);
  if (keys === null) return null;
  return keysFromValues(primaryKeyField(collection.schema).type as PrimaryKeyType, keys);
}

async function queriedKeys(
  reads: ReadPath,
  request: DeleteByFilter,
  context: RequestContext,
): Promise<PrimaryKeyColumn> {
  const { keys } = await reads.query(
    {
      collection: request.collection,
      partitionIds: request.partitionId === null ? null : [request.partitionId],
      filter: request.filter,
      outputFieldIds: [],
      consistency: 'Strong',
      guaranteeTimestamp: 0n as Timestamp,
      countOnly: false,
      orderBy: [],
      limit: null,
      offset: 0,
    },
    context,
  );
  return keys;
}
