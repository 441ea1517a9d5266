import { ConsistencyLevelEnum, DataType, type MilvusClient } from '@zilliz/milvus2-sdk-node';
import type { FoundRow } from './change-model.ts';
import { succeeded } from '../../test/support/milvus.ts';
import { DIM } from '../../test/support/points.ts';

/** Most rows one query of Milvus returns. */
const LIMIT_MAX = 16_384;

export async function createVersioned(client: MilvusClient, name: string): Promise<void> {
  succeeded(
    await client.createCollection({
      collection_name: name,
      shards_num: 2,
      fields: [
        { name: 'id', data_type: DataType.Int64, is_primary_key: true },
        { name: 'version', data_type: DataType.Int64 },
        { name: 'vector', data_type: DataType.FloatVector, dim: DIM },
      ],
    }),
  );
}

/** All rows that match; throws if they might be more than one query returns. */
export async function rowsWhere(client: MilvusClient, name: string, filter: string): Promise<FoundRow[]> {
  const answer = succeeded(
    await client.query({
      collection_name: name,
      filter,
      output_fields: ['id', 'version'],
      limit: LIMIT_MAX,
      consistency_level: ConsistencyLevelEnum.Strong,
    }),
  );
  if (answer.data.length >= LIMIT_MAX) throw new Error(`more rows match ${filter} than one query returns`);
  return answer.data.map((row) => ({ id: Number(row['id']), version: Number(row['version']) }));
}

export async function countWhere(client: MilvusClient, name: string, filter: string): Promise<number> {
  const answer = succeeded(
    await client.query({
      collection_name: name,
      filter,
      output_fields: ['count(*)'],
      consistency_level: ConsistencyLevelEnum.Strong,
    }),
  );
  return Number(answer.data[0]!['count(*)']);
}
