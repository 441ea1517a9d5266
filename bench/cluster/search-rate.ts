import type { MilvusClient } from '@zilliz/milvus2-sdk-node';
import type { Embeddings } from '../../scripts/embeddings.ts';
import { succeeded } from '../../test/support/milvus.ts';

export interface Searching {
  readonly collection: string;
  readonly k: number;
  readonly ef: number;
  /** Milvus's filter expression; empty for none. */
  readonly filter: string;
  /** Searches under way at the same time. */
  readonly concurrency: number;
}

/** Searches a second over `count` searches with the given queries, in turn; `onHits` gets the keys found. */
export async function searchRate(
  client: MilvusClient,
  { queries, dim }: Pick<Embeddings, 'queries' | 'dim'>,
  count: number,
  { collection, k, ef, filter, concurrency }: Searching,
  onHits: (query: number, keys: readonly number[]) => void = () => {},
): Promise<number> {
  const queryCount = queries.length / dim;
  let next = 0;
  const ask = async (): Promise<void> => {
    while (next < count) {
      const query = next++ % queryCount;
      const { results } = succeeded(
        await client.search({
          collection_name: collection,
          data: Array.from(queries.subarray(query * dim, (query + 1) * dim)),
          limit: k,
          filter,
          params: { ef },
        }),
      );
      onHits(
        query,
        (results as readonly { readonly id: string }[]).map(({ id }) => Number(id)),
      );
    }
  };
  const start = performance.now();
  await Promise.all(Array.from({ length: concurrency }, ask));
  return (count * 1_000) / (performance.now() - start);
}
