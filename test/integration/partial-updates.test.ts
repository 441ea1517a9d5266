import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DataType } from '@zilliz/milvus2-sdk-node';
import { refused, succeeded } from '../support/milvus.ts';
import { TestCluster } from '../support/test-cluster.ts';

const NAME = 'goods';

test('a partial update changes the fields it names, of rows that are there, flushed or fresh, and makes those that are not', async () => {
  await using cluster = await TestCluster.start({ readers: 2 });
  const client = await cluster.client();
  succeeded(
    await client.createCollection({
      collection_name: NAME,
      consistency_level: 'Strong',
      shards_num: 2,
      enable_dynamic_field: true,
      fields: [
        { name: 'id', data_type: DataType.Int64, is_primary_key: true },
        { name: 'vector', data_type: DataType.FloatVector, dim: 2 },
        { name: 'name', data_type: DataType.VarChar, max_length: 16, default_value: 'unnamed' },
        { name: 'price', data_type: DataType.Int64, nullable: true },
      ],
    }),
  );
  const index = { field_name: 'vector', index_type: 'FLAT', metric_type: 'L2' } as const;
  succeeded(await client.createIndex({ collection_name: NAME, ...index }));
  succeeded(await client.loadCollectionSync({ collection_name: NAME }));
  const whole = (id: number) => ({ id, vector: [id, 0], name: `n${id}`, price: id, color: 'red', size: 1 });
  succeeded(await client.insert({ collection_name: NAME, data: [0, 1, 2].map(whole) }));
  succeeded(await client.flushSync({ collection_names: [NAME] }));
  succeeded(await client.insert({ collection_name: NAME, data: [3, 4].map(whole) }));
  const update = async (data: object[]) =>
    await client.upsert({ collection_name: NAME, data: data as never, partial_update: true });
  succeeded(await update([1, 3].map((id) => ({ id, price: 100 + id, color: 'blue' }))));
  succeeded(await update([{ id: 4, vector: [9, 9] }]));
  // A new row: what is not named is its default, or null.
  succeeded(await update([{ id: 5, vector: [5, 5] }]));
  const { data } = succeeded(
    await client.query({
      collection_name: NAME,
      filter: 'id >= 0',
      output_fields: ['id', 'vector', 'name', 'price', 'color', 'size'],
    }),
  );
  assert.deepEqual(
    data.map(({ id, vector, name, price, $meta }) => [id, vector, name, price, $meta]),
    [
      ['0', [0, 0], 'n0', '0', { color: 'red', size: 1 }],
      ['1', [1, 0], 'n1', '101', { color: 'blue', size: 1 }],
      ['2', [2, 0], 'n2', '2', { color: 'red', size: 1 }],
      ['3', [3, 0], 'n3', '103', { color: 'blue', size: 1 }],
      ['4', [9, 9], 'n4', '4', { color: 'red', size: 1 }],
      ['5', [5, 5], 'unnamed', null, {}],
    ],
  );
  await refused(update([{ id: 6, price: 1 }]), 1100, /fieldSchema\(vector\) has no corresponding fieldData/);
});

test('no row is taken to be new because its partition is not loaded', async () => {
  await using cluster = await TestCluster.start();
  const client = await cluster.client();
  succeeded(
    await client.createCollection({
      collection_name: NAME,
      consistency_level: 'Strong',
      fields: [
        { name: 'id', data_type: DataType.Int64, is_primary_key: true },
        { name: 'vector', data_type: DataType.FloatVector, dim: 2 },
        { name: 'price', data_type: DataType.Int64, nullable: true },
      ],
    }),
  );
  for (const partition_name of ['loaded', 'other'])
    succeeded(await client.createPartition({ collection_name: NAME, partition_name }));
  const index = { field_name: 'vector', index_type: 'FLAT', metric_type: 'L2' } as const;
  succeeded(await client.createIndex({ collection_name: NAME, ...index }));
  const data = [{ id: 1, vector: [1, 0], price: 5 }];
  succeeded(await client.insert({ collection_name: NAME, partition_name: 'other', data }));
  succeeded(await client.loadPartitions({ collection_name: NAME, partition_names: ['loaded'] }));
  const update = async () =>
    await client.upsert({
      collection_name: NAME,
      partition_name: 'other',
      data: [{ id: 1, vector: [2, 0] }] as never,
      partial_update: true,
    });
  await refused(update(), 201, /^partition not loaded/);
  succeeded(await client.loadCollectionSync({ collection_name: NAME }));
  succeeded(await update());
  const query = { collection_name: NAME, filter: 'id == 1', output_fields: ['price'] };
  assert.deepEqual(
    succeeded(await client.query(query)).data.map(({ price }) => price),
    ['5'],
  );
});
