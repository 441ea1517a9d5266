import type { MilvusClient } from '@zilliz/milvus2-sdk-node';
import { createSoaked, rowOf } from './soak-collections.ts';
import { countWhere } from '../cluster/strong-reads.ts';
import { succeeded } from '../../test/support/milvus.ts';

const ROWS = 200;

/** A whole life of a collection: create, load, insert, flush, delete some, count, drop. Throws when the count is wrong. */
export async function liveOnce(client: MilvusClient, name: string): Promise<void> {
  await createSoaked(client, name, 'FLAT', 1);
  const data = Array.from({ length: ROWS }, (_, id) => rowOf(id, 1));
  succeeded(await client.insert({ collection_name: name, data: data.slice(0, ROWS / 2) }));
  succeeded(await client.flush({ collection_names: [name] }));
  succeeded(await client.insert({ collection_name: name, data: data.slice(ROWS / 2) }));
  succeeded(await client.delete({ collection_name: name, ids: [0, ROWS - 1] }));
  const count = await countWhere(client, name, '');
  if (count !== ROWS - 2) throw new Error(`${name} has ${count} rows instead of ${ROWS - 2}`);
  succeeded(await client.dropCollection({ collection_name: name }));
}
