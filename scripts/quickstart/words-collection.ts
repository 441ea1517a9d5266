import { DataType, type MilvusClient } from '@zilliz/milvus2-sdk-node';

import { succeeded } from '../../test/support/milvus.ts';

export const COLLECTION = 'words';
export const EF = 96;

export async function createWords(client: MilvusClient, dim: number): Promise<void> {
  succeeded(
    await client.createCollection({
      collection_name: COLLECTION,
      shards_num: 2,
      consistency_level: 'Bounded',
      fields: [
        { name: 'id', data_type: DataType.Int64, is_primary_key: true, autoID: false },
        { name: 'word', data_type: DataType.VarChar, max_length: 256 },
        { name: 'vector', data_type: DataType.FloatVector, dim },
      ],
    }),
  );
}

/** Flushes, builds an HNSW index on every segment and loads each on so many readers. */
export async function indexAndLoad(
  client: MilvusClient,
  say: (line: string) => void,
  copies: number,
  collection: string = COLLECTION,
): Promise<void> {
  say(
    `flushing, indexing with HNSW (M 16, efConstruction 200) and loading every segment on ${copies} readers …`,
  );
  await client.flushSync({ collection_names: [collection] });
  succeeded(
    await client.createIndex({
      collection_name: collection,
      field_name: 'vector',
      index_type: 'HNSW',
      metric_type: 'COSINE',
      params: { M: 16, efConstruction: 200 },
    }),
  );
  for (;;) {
    const progress = succeeded(await client.describeIndex({ collection_name: collection }));
    const [index] = progress.index_descriptions;
    if (index?.state === 'Finished') break;
    if (index?.state === 'Failed') throw new Error(index.index_state_fail_reason);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  await client.loadCollectionSync({ collection_name: collection, replica_number: copies });
}
