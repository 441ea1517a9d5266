import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { DataType, ShowCollectionsType } from '@zilliz/milvus2-sdk-node';
import { startTestFront, type TestFront } from '../../../test/support/front.ts';
import { refused, succeeded } from '../../../test/support/milvus.ts';

/** The client's own tests pin these answers down; here they are asked of the front. */
let front: TestFront;
before(async () => {
  front = await startTestFront();
  await front.client.connectPromise;
});
after(() => front[Symbol.asyncDispose]());

const FIELDS = [
  { name: 'id', data_type: DataType.Int64, is_primary_key: true },
  { name: 'vector', data_type: DataType.FloatVector, dim: 4 },
  { name: 'text', data_type: DataType.VarChar, max_length: 16, default_value: 'none' },
  { name: 'tags', data_type: DataType.Array, element_type: DataType.Int32, max_capacity: 4, nullable: true },
];

async function createCollection(name: string, more: object = {}): Promise<void> {
  const request = { collection_name: name, fields: FIELDS, ...more };
  succeeded(await front.client.createCollection(request));
}

describe('server', () => {
  test('introduces itself', async () => {
    const { client } = front;
    assert.match((await client.getVersion()).version, /^v3\.\d+\.\d+-mishards/);
    assert.ok(Number(client.serverInfo.build_tags?.length) > 0);
    const health = await client.checkHealth();
    assert.equal(health.isHealthy, false);
    assert.deepEqual(health.reasons, ['no writer holds the lease', 'no healthy reader is registered']);
  });

  test('tells of its nodes', async () => {
    const { client, core } = front;
    const answer = await client.getMetric({ request: { metric_type: 'system_info' } });
    assert.equal(answer.status.code, 0);
    const { nodes_info } = answer.response as unknown as { nodes_info: { infos: { name: string } }[] };
    assert.deepEqual(
      nodes_info.map(({ infos }) => infos.name),
      core.nodes().map(({ id }) => id),
    );
    const other = await front.call('GetMetrics', { request: '{"metric_type":"requests"}' });
    assert.match(other.status!.reason!, /^metric_type requests is not supported yet/);
  });

  test('says of every other call that it is not supported, in its own reply', async () => {
    const { client } = front;
    await refused(client.listUsers(), 10, /^ListCredUsers is not supported yet$/);
    await refused(client.createRole({ roleName: 'r' }), 10, /^CreateRole is not supported yet$/);
  });
});

describe('databases', () => {
  test('are created, listed, described, altered and dropped', async () => {
    const { client } = front;
    succeeded(await client.createDatabase({ db_name: 'shop', properties: { 'database.replica.number': 2 } }));
    await refused(client.createDatabase({ db_name: 'shop' }), 1100, /^database already exist: shop$/);
    const list = succeeded(await client.listDatabases());
    assert.deepEqual(list.db_names, ['default', 'shop']);
    assert.equal(list.db_ids.length, 2);
    const shown = succeeded(await client.describeDatabase({ db_name: 'shop' }));
    assert.deepEqual(shown.properties, [{ key: 'database.replica.number', value: '2' }]);
    succeeded(
      await client.dropDatabaseProperties({ db_name: 'shop', properties: ['database.replica.number'] }),
    );
    assert.deepEqual(succeeded(await client.describeDatabase({ db_name: 'shop' })).properties, []);
    succeeded(await client.dropDatabase({ db_name: 'shop' }));
    await refused(client.describeDatabase({ db_name: 'shop' }), 800, /^database not found\[database=shop\]$/);
    await refused(client.createDatabase({ db_name: '1x' }), 802, /first character of a database name/);
  });

  test('come from the request, else from the connection', async () => {
    succeeded(await front.client.createDatabase({ db_name: 'other' }));
    const there = front.connect({ database: 'other' });
    succeeded(await there.createCollection({ collection_name: 'inside', fields: FIELDS }));
    assert.equal((await front.client.hasCollection({ collection_name: 'inside' })).value, false);
    assert.equal((await there.hasCollection({ collection_name: 'inside' })).value, true);
    const named = { collection_name: 'inside', db_name: 'other' };
    assert.equal((await front.client.hasCollection(named)).value, true);
    await refused(front.client.dropDatabase({ db_name: 'other' }), 1100, /^database:other not empty/);
    succeeded(await there.dropCollection({ collection_name: 'inside' }));
    succeeded(await front.client.dropDatabase({ db_name: 'other' }));
  });
});

describe('collections', () => {
  test('show what they were created with', async () => {
    await createCollection('described', {
      enable_dynamic_field: true,
      description: 'about it',
      shards_num: 2,
      consistency_level: 'Strong',
      properties: { 'mmap.enabled': true },
    });
    const shown = succeeded(await front.client.describeCollection({ collection_name: 'described' }));
    assert.equal(shown.consistency_level, 'Strong');
    assert.equal(shown.shards_num, 2);
    assert.equal(shown.schema.description, 'about it');
    assert.equal(shown.schema.enable_dynamic_field, true);
    assert.deepEqual(
      shown.schema.fields.map((field) => [field.name, field.data_type, field.element_type, field.nullable]),
      [
        ['id', 'Int64', 'None', false],
        ['vector', 'FloatVector', 'None', false],
        ['text', 'VarChar', 'None', false],
        ['tags', 'Array', 'Int32', true],
      ],
    );
    assert.deepEqual(shown.schema.fields[1]!.type_params, [{ key: 'dim', value: '4' }]);
    assert.deepEqual(shown.schema.fields[2]!.default_value, 'none');
    assert.deepEqual(shown.properties, [
      { key: 'mmap.enabled', value: 'true' },
      { key: 'timezone', value: 'UTC' },
    ]);
    const byId = await front.call('DescribeCollection', { collectionID: BigInt(shown.collectionID) });
    assert.equal(byId.collectionName, 'described');
    // The same again is no error, another schema is.
    await createCollection('described', {
      enable_dynamic_field: true,
      description: 'about it',
      shards_num: 2,
      consistency_level: 'Strong',
      properties: { 'mmap.enabled': true },
    });
    const other = front.client.createCollection({
      collection_name: 'described',
      fields: FIELDS.slice(0, 2),
    });
    await refused(
      other,
      1100,
      /^create duplicate collection with different parameters, collection: described$/,
    );
  });

  test('are listed, renamed, altered and dropped', async () => {
    const { client } = front;
    await createCollection('listed');
    const names = async (): Promise<string[]> =>
      succeeded(await client.showCollections()).data.map((one) => one.name);
    assert.ok((await names()).includes('listed'));
    succeeded(await client.renameCollection({ collection_name: 'listed', new_collection_name: 'renamed' }));
    assert.ok(!(await names()).includes('listed'));
    succeeded(
      await client.alterCollectionProperties({ collection_name: 'renamed', properties: { mine: 'yes' } }),
    );
    const shown = succeeded(await client.describeCollection({ collection_name: 'renamed' }));
    assert.deepEqual(shown.properties, [
      { key: 'timezone', value: 'UTC' },
      { key: 'mine', value: 'yes' },
    ]);
    const alter = (properties: object): ReturnType<typeof client.alterCollectionProperties> =>
      client.alterCollectionProperties({ collection_name: 'renamed', properties: properties as never });
    succeeded(await alter({ consistency_level: 'Eventually', 'collection.description': 'told later' }));
    const altered = succeeded(await client.describeCollection({ collection_name: 'renamed' }));
    assert.equal(altered.consistency_level, 'Eventually');
    assert.equal(altered.schema.description, 'told later');
    assert.deepEqual(altered.properties, shown.properties);
    await refused(
      alter({ consistency_level: 'Customized' }),
      1100,
      /^consistency level Customized is invalid/,
    );
    const properties = { 'collection.insertRate.max.mb': 10 };
    await refused(
      client.alterCollectionProperties({ collection_name: 'renamed', properties }),
      10,
      /property collection\.insertRate\.max\.mb = 10 is not supported yet/,
    );
    succeeded(await client.dropCollection({ collection_name: 'renamed' }));
    succeeded(await client.dropCollection({ collection_name: 'renamed' }));
    await refused(
      client.getCollectionStatistics({ collection_name: 'renamed' }),
      100,
      /^collection not found\[database=default\]\[collection=renamed\]$/,
    );
  });

  test('are emptied, keep their partitions and change fields', async () => {
    const { client, core } = front;
    const collection_name = 'changed';
    await createCollection(collection_name);
    succeeded(await client.createPartition({ collection_name, partition_name: 'p' }));
    const ids = (): unknown =>
      core.catalog
        .snapshot()
        .findCollection('default', collection_name)!
        .partitions.map(({ id, name }) => [name, id]);
    const before = ids();
    const { status } = await client.truncateCollection({ collection_name });
    assert.equal(status.code, 0);
    assert.notDeepEqual(ids(), before);
    assert.deepEqual(succeeded(await client.showPartitions({ collection_name })).partition_names, [
      '_default',
      'p',
    ]);
    const alter = (field_name: string, properties: object): ReturnType<typeof client.createIndex> =>
      client.alterCollectionFieldProperties({ collection_name, field_name, properties: properties as never });
    succeeded(await alter('text', { max_length: 77 }));
    succeeded(await alter('text', { 'mmap.enabled': true }));
    const { type_params } = succeeded(await client.describeCollection({ collection_name })).schema.fields[2]!;
    assert.deepEqual(type_params, [
      { key: 'max_length', value: '77' },
      { key: 'mmap.enabled', value: 'true' },
    ]);
    await refused(
      alter('text', { max_length: 65_536 }),
      1100,
      /should be in \(0, 65535\], but got 65536 instead/,
    );
    await refused(
      alter('id', { max_length: 5 }),
      1100,
      /id can not modify the maxlength for non-string types/,
    );
    await refused(alter('text', { max_capacity: 5 }), 1100, /maxcapacity for non-array types/);
    await refused(alter('text', { nullable: true }), 1100, /^nullable is not allowed to be altered/);
    await refused(alter('none', { max_length: 5 }), 1700, /^field none does not exist/);
    succeeded(await client.dropCollection({ collection_name }));
  });

  test('of unsupported types are refused by name', async () => {
    const refusedField = async (field: object, code: number, reason: RegExp): Promise<void> => {
      const fields = [...FIELDS, { name: 'extra', ...field }] as typeof FIELDS;
      await refused(front.client.createCollection({ collection_name: 'bad', fields }), code, reason);
    };
    await refusedField({ data_type: 25 }, 10, /Text of field extra is not supported yet/);
    await refusedField(
      { data_type: DataType.BinaryVector, dim: 8 * 32_769 },
      1100,
      /262152 of field extra. binary vector dimension should be in range 2 ~ 262144/,
    );
    await refusedField(
      { data_type: DataType.FloatVector, dim: 40_000 },
      1100,
      /40000 of field extra.*2 ~ 32768/,
    );
    await refusedField(
      { data_type: DataType.VarChar, max_length: 70_000 },
      1100,
      /\(0, 65535\], but got 70000/,
    );
    await refusedField(
      { data_type: DataType.Int8, default_value: 300 },
      1100,
      /\[300\] is out of range for Int8/,
    );
    assert.equal((await front.client.hasCollection({ collection_name: 'bad' })).value, false);
  });
});

describe('aliases', () => {
  test('are created, moved, described, listed and dropped', async () => {
    const { client } = front;
    await createCollection('first');
    await createCollection('second');
    succeeded(await client.createAlias({ collection_name: 'first', alias: 'current' }));
    await refused(
      client.createAlias({ collection_name: 'second', alias: 'current' }),
      1602,
      /alias to another collection: first/,
    );
    await refused(client.createAlias({ collection_name: 'second', alias: 'first' }), 1601, /name conflict/);
    assert.equal(
      succeeded(await client.describeAlias({ collection_name: 'second', alias: 'current' })).collection,
      'first',
    );
    await refused(
      client.createAlias({ collection_name: 'current', alias: 'newest' }),
      100,
      /\[collection=current\], it is an alias of first$/,
    );
    succeeded(await client.alterAlias({ collection_name: 'second', alias: 'current' }));
    assert.deepEqual(succeeded(await client.listAliases({ collection_name: 'second' })).aliases, ['current']);
    assert.equal(
      succeeded(await client.describeCollection({ collection_name: 'current' })).collection_name,
      'second',
    );
    await refused(client.dropCollection({ collection_name: 'current' }), 1100, /via alias = current/);
    await refused(client.dropCollection({ collection_name: 'second' }), 1100, /associated aliases/);
    succeeded(await client.dropAlias({ alias: 'current' }));
    await refused(
      client.describeAlias({ collection_name: 'second', alias: 'current' }),
      1600,
      /^alias not found/,
    );
    for (const name of ['first', 'second']) succeeded(await client.dropCollection({ collection_name: name }));
  });
});

describe('partitions', () => {
  test('are created, shown, counted, loaded, released and dropped', async () => {
    const { client } = front;
    await createCollection('parts');
    const named = { collection_name: 'parts', partition_name: 'p1' };
    succeeded(await client.createPartition(named));
    succeeded(await client.createPartition(named));
    assert.equal(succeeded(await client.hasPartition(named)).value, true);
    const shown = succeeded(await client.showPartitions({ collection_name: 'parts' }));
    assert.deepEqual(shown.partition_names, ['_default', 'p1']);
    assert.equal(succeeded(await client.getPartitionStatistics(named)).data.row_count, '0');
    succeeded(await client.createIndex({ collection_name: 'parts', field_name: 'vector' }));
    succeeded(await client.loadPartitions({ collection_name: 'parts', partition_names: ['p1'] }));
    const state = async (...partition_names: string[]): Promise<string> =>
      succeeded(await client.getLoadState({ collection_name: 'parts', partition_names })).state;
    assert.equal(await state('p1'), 'LoadStateLoaded');
    assert.equal(await state('_default'), 'LoadStateNotLoad');
    const inMemory = succeeded(await client.showPartitions({ collection_name: 'parts', type: 1 } as never));
    assert.deepEqual(inMemory.partition_names, ['p1']);
    await refused(client.dropPartition(named), 1100, /please release it first/);
    succeeded(await client.releasePartitions({ collection_name: 'parts', partition_names: ['p1'] }));
    assert.equal(await state('p1'), 'LoadStateNotLoad');
    await refused(
      client.getLoadingProgress({ collection_name: 'parts' }),
      101,
      /^collection not loaded\[collection=parts\]$/,
    );
    succeeded(await client.dropPartition(named));
    await refused(client.dropPartition({ ...named, partition_name: '_default' }), 1100, /default partition/);
    await refused(client.getPartitionStatistics(named), 200, /^partition not found\[partition=p1\]$/);
    succeeded(await client.dropCollection({ collection_name: 'parts' }));
  });
});

describe('indexes and loading', () => {
  test('are described as they were asked for', async () => {
    const { client } = front;
    await createCollection('indexed');
    await refused(
      client.loadCollection({ collection_name: 'indexed' }),
      700,
      /^index not found\[collection=indexed\]/,
    );
    await refused(client.describeIndex({ collection_name: 'indexed' }), 700, /^index not found/);
    const index = {
      collection_name: 'indexed',
      field_name: 'vector',
      index_name: 'mine',
      index_type: 'HNSW',
      metric_type: 'L2',
      params: { M: 16, efConstruction: 200 },
    };
    await refused(
      client.createIndex({ ...index, params: { M: 1 } }),
      1100,
      /param 'M' \(1\) should be in range \[2, 2048\]/,
    );
    await refused(
      client.createIndex({ ...index, index_type: 'GPU_CAGRA', params: {} }),
      10,
      /GPU_CAGRA on FloatVector is not supported yet; supported are FLAT, HNSW, .*IVF_FLAT.*, AUTOINDEX/,
    );
    succeeded(await client.createIndex(index));
    succeeded(await client.createIndex(index));
    await refused(
      client.createIndex({ ...index, index_name: 'another' }),
      702,
      /multiple indexes on same field/,
    );
    const [shown] = succeeded(await client.describeIndex({ collection_name: 'indexed' })).index_descriptions;
    assert.equal(shown!.index_name, 'mine');
    assert.equal(shown!.state, 'Finished');
    assert.deepEqual(shown!.params, [
      { key: 'index_type', value: 'HNSW' },
      { key: 'metric_type', value: 'L2' },
      { key: 'params', value: '{"M":16,"efConstruction":200}' },
    ]);
    succeeded(
      await client.alterIndexProperties({
        collection_name: 'indexed',
        index_name: 'mine',
        params: { 'mmap.enabled': true },
      }),
    );
    await refused(
      client.alterIndexProperties({ collection_name: 'indexed', index_name: 'mine', params: { M: 8 } }),
      1100,
      /M is not configable index param/,
    );
    const scalar = { collection_name: 'indexed', field_name: 'text', index_type: 'STL_SORT' };
    succeeded(await client.createIndex(scalar));
    await refused(
      client.createIndex({ ...scalar, field_name: 'tags', index_type: 'TRIE' }),
      1100,
      /^TRIE are only supported/,
    );
    const shownScalar = succeeded(
      await client.describeIndex({ collection_name: 'indexed', field_name: 'text' }),
    ).index_descriptions;
    assert.deepEqual(
      shownScalar.map(({ index_name, params }) => [index_name, params]),
      [['text', [{ key: 'index_type', value: 'STL_SORT' }]]],
    );
    succeeded(await client.loadCollectionAsync({ collection_name: 'indexed' }));
    succeeded(await client.dropIndex({ collection_name: 'indexed', field_name: 'text', index_name: 'text' }));
    await refused(
      client.dropIndex({ collection_name: 'indexed', index_name: 'mine' }),
      1100,
      /loaded collection/,
    );
    const loaded = succeeded(await client.showCollections({ type: ShowCollectionsType.Loaded }));
    assert.deepEqual(
      loaded.data.map((one) => [one.name, one.loadedPercentage]),
      [['indexed', '100']],
    );
    succeeded(await client.releaseCollection({ collection_name: 'indexed' }));
    succeeded(await client.dropIndex({ collection_name: 'indexed', index_name: 'mine' }));
    await refused(client.getIndexState({ collection_name: 'indexed' }), 700, /^index not found/);
    succeeded(await client.dropCollection({ collection_name: 'indexed' }));
  });
});
