import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { DataType, type MutationResult } from '@zilliz/milvus2-sdk-node';
import type { RowsRequest } from '../proxy-core.ts';
import { startTestFront, type TestFront } from '../../../test/support/front.ts';
import { refused, succeeded } from '../../../test/support/milvus.ts';
import { ELEMENT_TYPES, randomValue } from '../../../test/support/random-rows.ts';
import { testSeed } from '../../../test/support/seed.ts';
import { columnOf, valuesOf, type ColumnValue } from '../../columns/index.ts';
import { decodeWkb, formatWkt } from '../../geometry/index.ts';
import { SeededRandom } from '../../host/index.ts';
import type { FieldSchema } from '../../schema/index.ts';
import { formatInstant } from '../../util/instant.ts';

let front: TestFront;
before(async () => {
  front = await startTestFront();
  await front.client.connectPromise;
});
after(() => front[Symbol.asyncDispose]());

const KEY = { name: 'id', data_type: DataType.Int64, is_primary_key: true };
const VECTOR = { name: 'vector', data_type: DataType.FloatVector, dim: 2 };

async function createLoaded(
  name: string,
  fields: readonly object[],
  more: object = {},
): Promise<readonly FieldSchema[]> {
  const { client, core } = front;
  succeeded(
    await client.createCollection({
      collection_name: name,
      fields: [KEY, VECTOR, ...fields] as never,
      ...more,
    }),
  );
  succeeded(
    await client.createIndex({
      collection_name: name,
      field_name: 'vector',
      index_type: 'FLAT',
      metric_type: 'L2',
    }),
  );
  succeeded(await client.loadCollectionAsync({ collection_name: name }));
  return core.catalog.snapshot().findCollection('default', name)!.schema.fields;
}

/** A value as the client takes and gives it. */
function clientValue(field: FieldSchema, value: ColumnValue): unknown {
  if (value === null) return null;
  if (value instanceof Float32Array) return [...value];
  if (Array.isArray(value)) {
    const element = { ...field, type: field.elementType!, elementType: null };
    return value.map((one) => clientValue(element, one as ColumnValue));
  }
  if (value instanceof Uint8Array) return formatWkt(decodeWkb(value));
  if (field.type === 'Timestamptz') return formatInstant(value as bigint, 'UTC');
  if (typeof value === 'bigint') return String(value);
  return field.type === 'JSON' ? JSON.parse(value as string) : value;
}

function randomClientRows(
  fields: readonly FieldSchema[],
  count: number,
  random: SeededRandom,
): Record<string, unknown>[] {
  return Array.from({ length: count }, (_, row) =>
    Object.fromEntries(
      fields
        .filter((field) => !field.isDynamic)
        .map((field) => {
          if (field.isPrimaryKey) return [field.name, String(row)];
          const isNull = field.nullable && random.below(3) === 0;
          return [field.name, isNull ? null : clientValue(field, randomValue(random, field))];
        }),
    ),
  );
}

function integerIds({ IDs }: MutationResult): string[] {
  assert.ok('int_id' in IDs);
  return IDs.int_id.data.map(String);
}

describe('rows of every type', () => {
  const scalars = [...ELEMENT_TYPES, 'JSON', 'Timestamptz', 'Geometry'].flatMap((type) =>
    [false, true].map((nullable) => ({
      name: `${type.toLowerCase()}${nullable ? '_nullable' : ''}`,
      data_type: DataType[type as keyof typeof DataType],
      max_length: 400,
      nullable,
    })),
  );
  const arrays = ELEMENT_TYPES.flatMap((type) =>
    [false, true].map((nullable) => ({
      name: `array_${type.toLowerCase()}${nullable ? '_nullable' : ''}`,
      data_type: DataType.Array,
      element_type: DataType[type],
      max_capacity: 8,
      max_length: 400,
      nullable,
    })),
  );

  test(`come back as they went in (seed ${testSeed})`, async () => {
    const random = new SeededRandom(testSeed);
    const { client, core } = front;
    const fields = await createLoaded('types', [...scalars, ...arrays]);
    const rows = randomClientRows(fields, 30, random);
    const inserted = succeeded(await client.insert({ collection_name: 'types', data: rows as never }));
    assert.equal(inserted.insert_cnt, '30');
    assert.deepEqual(inserted.IDs, { int_id: { data: rows.map((row) => row['id']) }, id_field: 'int_id' });
    const { rows: batch } = core.last<RowsRequest>('insert');
    for (const field of fields) {
      const stored = valuesOf(columnOf(batch, field.id)).map((value) => clientValue(field, value));
      assert.deepEqual(
        stored,
        rows.map((row) => row[field.name]),
        field.name,
      );
    }
    const query = succeeded(
      await client.query({ collection_name: 'types', filter: 'id >= 0', output_fields: ['*'] }),
    );
    assert.deepEqual(query.data, rows);
    const search = succeeded(
      await client.search({ collection_name: 'types', data: [0, 0], limit: 30, output_fields: ['*'] }),
    );
    const found = search.results.map(({ score: _score, ...row }) => row);
    assert.deepEqual(
      found.toSorted((a, b) => Number(a['id']) - Number(b['id'])),
      rows,
    );
  });
});

describe('what a row leaves out', () => {
  const fields = [
    { name: 'maybe', data_type: DataType.Int32, nullable: true },
    { name: 'named', data_type: DataType.VarChar, max_length: 8, default_value: 'none' },
    { name: 'count', data_type: DataType.Int64, default_value: 7, nullable: true },
    { name: 'must', data_type: DataType.Bool },
  ];

  test('is null, its default, or an error', async () => {
    await createLoaded('gaps', fields);
    const { client } = front;
    const vector = [0, 1];
    succeeded(await client.insert({ collection_name: 'gaps', data: [{ id: 1, vector, must: true }] }));
    const some = [
      { id: 2, vector, must: true, maybe: 5, named: 'x', count: 1 },
      { id: 3, vector, must: false, maybe: null, named: null, count: null },
    ];
    succeeded(await client.insert({ collection_name: 'gaps', data: some as never }));
    const { data } = succeeded(
      await client.query({
        collection_name: 'gaps',
        filter: 'id > 0',
        output_fields: ['maybe', 'named', 'count', 'must'],
      }),
    );
    assert.deepEqual(data, [
      { id: '1', maybe: null, named: 'none', count: '7', must: true },
      { id: '2', maybe: 5, named: 'x', count: '1', must: true },
      { id: '3', maybe: null, named: 'none', count: '7', must: false },
    ]);
  });

  test('is null also where a client sends JSON without bytes', async () => {
    const json = { data_type: DataType.JSON };
    const fields = await createLoaded('hollow', [
      { ...json, name: 'maybe', nullable: true },
      { ...json, name: 'must' },
    ]);
    const data = { offsets: Int32Array.of(0, 0, 2), bytes: Buffer.from('{}') };
    const jsons = ['maybe', 'must'].map((fieldName) => ({ fieldName, scalars: { jsonData: { data } } }));
    const { status } = await front.call('Insert', {
      collectionName: 'hollow',
      numRows: 2,
      fieldsData: [
        { fieldName: 'id', scalars: { longData: { data: BigInt64Array.of(1n, 2n) } } },
        { fieldName: 'vector', vectors: { dim: 2n, floatVector: { data: new Float32Array(4) } } },
        ...jsons,
      ],
    });
    assert.equal(status!.reason, '');
    const { rows } = front.core.last<RowsRequest>('insert');
    assert.deepEqual(
      fields.slice(2).map((field) => valuesOf(columnOf(rows, field.id))),
      [
        [null, '{}'],
        ['null', '{}'],
      ],
    );
  });

  test('goes into the dynamic field when no field has its name', async () => {
    await createLoaded('dynamic', [], { enable_dynamic_field: true });
    const { client } = front;
    const rows = [
      { id: 1, vector: [0, 1], color: 'red', big: 1, nested: { a: [1, null] } },
      { id: 2, vector: [1, 1] },
    ];
    succeeded(await client.insert({ collection_name: 'dynamic', data: rows as never }));
    const all = succeeded(
      await client.query({ collection_name: 'dynamic', filter: 'id > 0', output_fields: ['*'] }),
    );
    assert.deepEqual(
      all.data.map((row) => row['$meta']),
      [{ color: 'red', big: 1, nested: { a: [1, null] } }, {}],
    );
    const keys = succeeded(
      await client.query({
        collection_name: 'dynamic',
        filter: 'color == "red"',
        output_fields: ['color', 'nested'],
      }),
    );
    assert.deepEqual(
      keys.data.map((row) => row['$meta']),
      [{ color: 'red', nested: { a: [1, null] } }],
    );
    await refused(
      client.query({ collection_name: 'dynamic', filter: 'id > 0', output_fields: ['nested["a"]'] }),
      1100,
      /^parse output field name failed: nested\["a"\]/,
    );
  });
});

describe('keys', () => {
  test('are made where the collection makes them', async () => {
    const { client } = front;
    const fields = [{ ...KEY, autoID: true }, VECTOR];
    succeeded(await client.createCollection({ collection_name: 'auto', fields } as never));
    const inserted = succeeded(
      await client.insert({ collection_name: 'auto', data: [{ vector: [1, 2] }, { vector: [3, 4] }] }),
    );
    const ids = integerIds(inserted);
    assert.equal(new Set(ids).size, 2);
    const given = { collection_name: 'auto', data: [{ id: 1, vector: [1, 2] }] };
    await refused(
      client.insert(given),
      1100,
      /can not assign primary field data when auto id enabled id|Insert fail/,
    );
  });

  test('of text, upserted and deleted', async () => {
    const { client } = front;
    const key = { name: 'name', data_type: DataType.VarChar, is_primary_key: true, max_length: 10 };
    const tag = { name: 'tag', data_type: DataType.Int32 };
    succeeded(
      await client.createCollection({ collection_name: 'named', fields: [key, VECTOR, tag] } as never),
    );
    const rows = ['a', 'b', 'ü'].map((name, index) => ({ name, vector: [index, 0], tag: index }));
    succeeded(await client.insert({ collection_name: 'named', data: rows }));
    const upserted = succeeded(
      await client.upsert({ collection_name: 'named', data: [{ name: 'b', vector: [9, 9], tag: 9 }] }),
    );
    assert.equal(upserted.upsert_cnt, '1');
    assert.deepEqual(upserted.IDs, { str_id: { data: ['b'] }, id_field: 'str_id' });
    const deleted = succeeded(await client.delete({ collection_name: 'named', ids: ['a', 'zzz'] }));
    assert.equal(deleted.delete_cnt, '1');
    await refused(client.deleteEntities({ collection_name: 'named', expr: 'nope ==' }), 1100, /./);
    const statistics = succeeded(await client.getCollectionStatistics({ collection_name: 'named' }));
    assert.equal(statistics.data.row_count, '2');
    const operation = { fieldName: 'tag', op: 1 };
    const { status } = await front.call('Upsert', { collectionName: 'named', fieldOps: [operation] });
    assert.match(status!.reason!, /operations on fields \(field_ops\) are not supported yet/);
  });
});

describe('partitions', () => {
  test('take the rows that name them', async () => {
    const { client } = front;
    await createLoaded('split', []);
    succeeded(await client.createPartition({ collection_name: 'split', partition_name: 'p' }));
    const row = (id: number): object => ({ id, vector: [id, 0] });
    succeeded(await client.insert({ collection_name: 'split', data: [row(1)] as never }));
    succeeded(
      await client.insert({ collection_name: 'split', partition_name: 'p', data: [row(2)] as never }),
    );
    const keysIn = async (...partition_names: string[]): Promise<string[]> => {
      const answer = await client.query({ collection_name: 'split', filter: 'id > 0', partition_names });
      return succeeded(answer).data.map((one) => String(one['id']));
    };
    assert.deepEqual(await keysIn('p'), ['2']);
    assert.deepEqual(await keysIn('p', '_default'), ['1', '2']);
    const wrong = { collection_name: 'split', partition_name: 'q', data: [row(3)] as never };
    await refused(client.insert(wrong), 200, /^partition not found\[partition=q\]$/);
  });

  test('follow from the partition key', async () => {
    const { client, core } = front;
    const tenant = { name: 'tenant', data_type: DataType.VarChar, max_length: 10, is_partition_key: true };
    await createLoaded('tenants', [tenant], { num_partitions: 4 });
    const rows = Array.from({ length: 40 }, (_, id) => ({ id, vector: [id, 0], tenant: `t${id % 7}` }));
    const inserted = succeeded(await client.insert({ collection_name: 'tenants', data: rows }));
    assert.deepEqual(
      integerIds(inserted),
      rows.map(({ id }) => String(id)),
    );
    const partitions = new Set(
      core.calls
        .filter(({ kind }) => kind === 'insert')
        .slice(-4)
        .map(({ request }) => (request as RowsRequest).partitionId),
    );
    assert.ok(partitions.size > 1, 'seven tenants share one partition');
    const found = succeeded(
      await client.query({ collection_name: 'tenants', filter: 'tenant == "t3"', limit: 100 }),
    );
    assert.deepEqual(
      found.data.map((one) => one['id']),
      ['3', '10', '17', '24', '31', '38'],
    );
    assert.equal(core.last<{ partitionIds: string[] }>('query').partitionIds.length, 1);
    const named = { collection_name: 'tenants', filter: 'id > 0', partition_names: ['_default_0'] };
    const refusal = /^not support manually specifying the partition names/;
    await refused(client.query(named), 1100, refusal);
    await refused(client.createPartition({ ...named, partition_name: 'p' }), 65535, refusal);
  });
});
