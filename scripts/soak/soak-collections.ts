import { DataType, type MilvusClient, type RowData } from '@zilliz/milvus2-sdk-node';
import { SeededRandom } from '../../src/host/index.ts';
import { succeeded } from '../../test/support/milvus.ts';

export const DIM = 32;
const TAGS = 13;

/** Tag of a version of a row. */
export function tagOf(id: number, version: number): string {
  return `t${(id * 7 + version) % TAGS}`;
}

/** Vector of a version of a row, each value one that a 32-bit float holds exactly. */
export function vectorOf(id: number, version: number): number[] {
  const random = new SeededRandom(version).fork(`row ${id}`);
  return Array.from({ length: DIM }, () => Math.fround(random.next() * 2 - 1));
}

export function rowOf(id: number, version: number): RowData {
  return { id, version, tag: tagOf(id, version), vector: vectorOf(id, version) };
}

/** A loaded collection whose rows `rowOf` gives, with an exact or an approximate index. */
export async function createSoaked(
  client: MilvusClient,
  name: string,
  indexType: 'FLAT' | 'HNSW',
  replicas: number,
): Promise<void> {
  succeeded(
    await client.createCollection({
      collection_name: name,
      shards_num: 2,
      // The client's search takes a level of 0, which is Strong, for none: then the collection's counts.
      consistency_level: 'Strong',
      fields: [
        { name: 'id', data_type: DataType.Int64, is_primary_key: true },
        { name: 'version', data_type: DataType.Int64 },
        { name: 'tag', data_type: DataType.VarChar, max_length: 16 },
        { name: 'vector', data_type: DataType.FloatVector, dim: DIM },
      ],
    }),
  );
  const params = indexType === 'HNSW' ? { M: 16, efConstruction: 100 } : {};
  succeeded(
    await client.createIndex({
      collection_name: name,
      field_name: 'vector',
      index_type: indexType,
      metric_type: 'L2',
      params,
    }),
  );
  succeeded(await client.loadCollectionSync({ collection_name: name, replica_number: replicas }));
}
