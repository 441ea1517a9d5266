import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DataType, type MilvusClient } from '@zilliz/milvus2-sdk-node';
import { refused, succeeded } from '../support/milvus.ts';
import { countRows, createPoints, indexAndLoad, randomPoints, searchIds } from '../support/points.ts';
import { TestCluster } from '../support/test-cluster.ts';

const NAME = 'points';
const COLOR = {
  name: 'color',
  data_type: DataType.VarChar,
  max_length: 16,
  nullable: true,
  default_value: 'grey',
} as const;
const SIZE = { name: 'size', data_type: DataType.Int32, nullable: true } as const;

async function insert(client: MilvusClient, first: number, count: number, more: object = {}): Promise<void> {
  const data = randomPoints(count, first).map((point) => ({ ...point, ...more }));
  succeeded(await client.insert({ collection_name: NAME, data: data as never }));
}

async function keysWhere(client: MilvusClient, filter: string): Promise<number[]> {
  const answer = await client.query({ collection_name: NAME, filter, output_fields: ['id'] });
  return succeeded(answer).data.map((row) => Number(row['id']));
}

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, index) => from + index);

test('fields are added to rows that are there, flushed and fresh, and rows of both kinds become one segment', async () => {
  await using cluster = await TestCluster.start({ proxies: 2 });
  const client = await cluster.client();
  const other = await cluster.client('proxy-2');
  await createPoints(client, NAME);
  await indexAndLoad(client, NAME);
  await insert(client, 0, 10);
  succeeded(await client.flushSync({ collection_names: [NAME] }));
  await insert(client, 10, 10);
  for (const field of [COLOR, SIZE]) {
    succeeded(await client.addCollectionField({ collection_name: NAME, field }));
  }
  await insert(client, 20, 10, { color: 'red', size: 3 });
  const flushed = { collection_names: [NAME] };
  for (const step of ['as they came', 'in one segment']) {
    assert.deepEqual(await keysWhere(client, 'color == "grey"'), range(0, 20), step);
    assert.deepEqual(await keysWhere(client, 'size is null'), range(0, 20), step);
    assert.deepEqual(await keysWhere(other, 'size == 3 and color == "red"'), range(20, 30), step);
    const shown = await client.query({
      collection_name: NAME,
      filter: 'id in [0, 10, 20]',
      output_fields: ['id', 'color', 'size'],
    });
    assert.deepEqual(
      succeeded(shown).data.map(({ color, size }) => [color, size]),
      [
        ['grey', null],
        ['grey', null],
        ['red', 3],
      ],
      step,
    );
    succeeded(await client.flushSync(flushed));
  }
  const found = await searchIds(client, NAME, randomPoints(1, 20)[0]!.vector, 30, { filter: 'size > 1' });
  assert.equal(found.length, 10);
  await refused(
    client.addCollectionField({ collection_name: NAME, field: { ...SIZE, name: 'must', nullable: false } }),
    1100,
    /^added field must be nullable/,
  );
});

test('undeclared keys are kept once the dynamic field is enabled', async () => {
  await using cluster = await TestCluster.start();
  const client = await cluster.client();
  await createPoints(client, NAME);
  await indexAndLoad(client, NAME);
  await insert(client, 0, 5);
  succeeded(await client.flushSync({ collection_names: [NAME] }));
  const properties = { 'dynamicfield.enabled': true };
  succeeded(await client.alterCollectionProperties({ collection_name: NAME, properties }));
  // The client goes by the schema it has seen.
  await insert(await cluster.client(), 5, 5, { shade: 'dark' });
  assert.deepEqual(await keysWhere(client, 'shade == "dark"'), range(5, 10));
  assert.deepEqual(await keysWhere(client, 'not exists shade'), range(0, 5));
  assert.equal(await countRows(client, NAME), 10);
  const taken = { 'dynamicfield.enabled': false };
  await refused(
    client.alterCollectionProperties({ collection_name: NAME, properties: taken }),
    1100,
    /cannot be taken back/,
  );
});
