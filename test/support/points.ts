import { DataType, type MilvusClient } from '@zilliz/milvus2-sdk-node';
import { succeeded } from './milvus.ts';
import { SeededRandom } from '../../src/host/index.ts';

export const DIM = 8;

export type Point = {
  readonly id: number;
  readonly tag: string;
  readonly vector: number[];
};

/** Points with ids from `first` up; the same for the same seed and ids. */
export function randomPoints(count: number, first = 0, seed = 1): Point[] {
  return Array.from({ length: count }, (_, index) => {
    const id = first + index;
    const random = new SeededRandom(seed).fork(`point ${id}`);
    return {
      id,
      tag: id % 2 === 0 ? 'even' : 'odd',
      vector: Array.from({ length: DIM }, () => random.next() * 2 - 1),
    };
  });
}

export async function createPoints(client: MilvusClient, name: string, shards = 2): Promise<void> {
  succeeded(
    await client.createCollection({
      collection_name: name,
      shards_num: shards,
      consistency_level: 'Strong',
      fields: [
        { name: 'id', data_type: DataType.Int64, is_primary_key: true },
        { name: 'tag', data_type: DataType.VarChar, max_length: 16 },
        { name: 'vector', data_type: DataType.FloatVector, dim: DIM },
      ],
    }),
  );
}

export async function indexAndLoad(client: MilvusClient, name: string, replicas = 1): Promise<void> {
  const index = { index_type: 'HNSW', metric_type: 'L2', params: { M: 16, efConstruction: 100 } };
  succeeded(await client.createIndex({ collection_name: name, field_name: 'vector', ...index }));
  succeeded(await client.loadCollectionSync({ collection_name: name, replica_number: replicas }));
}

/** Ids of the nearest points by squared distance, ties by id: what an exact search must answer. */
export function nearest(points: readonly Point[], query: readonly number[], count: number): string[] {
  return points
    .map(({ id, vector }) => ({
      id,
      distance: vector.reduce((sum, value, index) => sum + (value - query[index]!) ** 2, 0),
    }))
    .sort((a, b) => a.distance - b.distance || a.id - b.id)
    .slice(0, count)
    .map(({ id }) => String(id));
}

export async function searchIds(
  client: MilvusClient,
  name: string,
  query: number[],
  limit: number,
  extra: object = {},
): Promise<string[]> {
  const answer = succeeded(
    await client.search({ collection_name: name, data: query, limit, params: { ef: 200 }, ...extra }),
  );
  return answer.results.map((hit) => String(hit.id));
}

export async function countRows(client: MilvusClient, name: string): Promise<number> {
  const answer = succeeded(await client.query({ collection_name: name, output_fields: ['count(*)'] }));
  return Number(answer.data[0]!['count(*)']);
}
