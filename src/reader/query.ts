import type { BoundFilter } from './filter-cache.ts';
import { firstByKey } from './key-merge.ts';
import type { ReadSource } from './read-source.ts';
import { firstByOrder } from './rows-in-order.ts';
import { fieldsOfRefs, keysOfRefs, type RowRefs } from './row-refs.ts';
import { selectedCount, type RowSelection, type RowSelector } from './row-selector.ts';
import type { QueryRequest, QueryResult } from '../protocol/reader-api.ts';
import type { CollectionSchema } from '../schema/index.ts';

export interface QueryContext {
  readonly selector: RowSelector;
  readonly schema: CollectionSchema;
  readonly filter: BoundFilter | null;
  readonly sources: readonly ReadSource[];
  readonly signal: AbortSignal;
}

/** Answers a query from the sources, without statistics. A count counts rows, also several of one key, as Milvus does. */
export async function querySources(
  request: QueryRequest,
  context: QueryContext,
): Promise<Omit<QueryResult, 'stats'>> {
  const { sources, schema, signal } = context;
  const selections: RowSelection[] = [];
  for (const source of sources) {
    selections.push(await context.selector.select(source, context.filter));
    signal.throwIfAborted();
  }
  const { orderBy, limit } = request;
  const inOrder = { schema, orderBy, limit, signal };
  const refs = request.countOnly
    ? NO_ROWS
    : orderBy.length > 0
      ? await firstByOrder(sources, selections, inOrder)
      : firstByKey(sources, selections, limit);
  const count = request.countOnly
    ? selections.reduce(
        (sum, selection, index) => sum + selectedCount(selection, sources[index]!.rowCount),
        0,
      )
    : refs.rows.length;
  return {
    count,
    keys: keysOfRefs(sources, refs, schema),
    timestamps: BigUint64Array.from(
      refs.rows,
      (row, index) => sources[refs.sources[index]!]!.timestamps[row]!,
    ),
    rows: await fieldsOfRefs(sources, refs, schema, request.countOnly ? [] : request.outputFieldIds),
  };
}

const NO_ROWS: RowRefs = { sources: new Uint32Array(0), rows: new Uint32Array(0) };
