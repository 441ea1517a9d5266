import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { DataType } from '@zilliz/milvus2-sdk-node';
import { startTestFront, type TestFront } from '../../../test/support/front.ts';
import { FieldData } from '../translate/generated/milvus.js';
import { textRows } from '../translate/protobuf/byte-rows.ts';
import { refused, succeeded } from '../../../test/support/milvus.ts';
import { encodeWkb, parseWkt } from '../../geometry/index.ts';

let front: TestFront;
before(async () => {
  front = await startTestFront();
  await front.client.connectPromise;
});
after(() => front[Symbol.asyncDispose]());

async function createLoaded(name: string, fields: readonly object[], more: object = {}): Promise<void> {
  const { client } = front;
  const key = { name: 'id', data_type: DataType.Int64, is_primary_key: true };
  const vector = { name: 'vector', data_type: DataType.FloatVector, dim: 2 };
  succeeded(
    await client.createCollection({
      collection_name: name,
      fields: [key, vector, ...fields] as never,
      ...more,
    }),
  );
  const index = { field_name: 'vector', index_type: 'FLAT', metric_type: 'L2' } as const;
  succeeded(await client.createIndex({ collection_name: name, ...index }));
  succeeded(await client.loadCollectionAsync({ collection_name: name }));
}

describe('times', () => {
  const seen = { name: 'seen', data_type: DataType.Timestamptz, nullable: true };
  const insert = (collection_name: string, times: readonly (string | null)[]) =>
    front.client.insert({
      collection_name,
      data: times.map((time, id) => ({ id, vector: [0, 0], seen: time })) as never,
    });
  /** The client has no way to name a zone, so the call is made by hand. */
  const ask = (collectionName: string, expr: string, params: Readonly<Record<string, string>>) =>
    front.call('Query', {
      collectionName,
      expr,
      outputFields: ['seen'],
      queryParams: Object.entries(params).map(([key, value]) => ({ key, value })),
    });
  const query = async (name: string, expr: string, params = {}): Promise<unknown[]> => {
    const { status, fieldsData } = await ask(name, expr, params);
    assert.equal(status!.code ?? 0, 0, status!.reason);
    const { scalars, validData } = FieldData.decode(FieldData.encode(fieldsData![0]!));
    const values =
      scalars!.arrayData?.data.map((one) => [...one.longData!.data]) ?? textRows(scalars!.stringData!.data);
    return values.map((value, row) => (validData[row] === 0 ? null : value));
  };

  test('are read and shown by the clock of the collection, or of the request', async () => {
    await createLoaded('zoned', [seen], { properties: { timezone: 'Asia/Seoul' } });
    succeeded(await insert('zoned', ['2025-01-01 09:00:00', '2025-01-01T00:00:00.25Z', null]));
    const filter = "seen >= ISO '2025-01-01T09:00:00'";
    assert.deepEqual(await query('zoned', filter), [
      '2025-01-01T09:00:00+09:00',
      '2025-01-01T09:00:00.25+09:00',
    ]);
    // The same words in another zone are nine hours later.
    assert.deepEqual(await query('zoned', filter, { timezone: 'UTC' }), []);
    assert.deepEqual(await query('zoned', 'id >= 0', { timezone: 'America/Havana' }), [
      '2024-12-31T19:00:00-05:00',
      '2024-12-31T19:00:00.25-05:00',
      null,
    ]);
    assert.deepEqual(await query('zoned', 'id >= 1', { time_fields: 'year, hour microsecond' }), [
      [2025n, 9n, 250_000n],
      null,
    ]);
    const found = succeeded(
      await front.client.search({
        collection_name: 'zoned',
        data: [0, 0],
        limit: 1,
        filter,
        output_fields: ['seen'],
      }),
    );
    assert.equal(found.results[0]!['seen'], '2025-01-01T09:00:00+09:00');
    succeeded(
      await front.client.delete({ collection_name: 'zoned', filter: "seen < ISO '2025-01-01 09:00:00.2'" }),
    );
    assert.equal((await query('zoned', 'id >= 0')).length, 2);
  });

  test('have defaults, which are shown as text', async () => {
    const withDefault = { ...seen, nullable: false, default_value: '1984-04-14T15:00:00+08:00' };
    await createLoaded('defaults', [withDefault]);
    const shown = succeeded(await front.client.describeCollection({ collection_name: 'defaults' }));
    assert.equal(shown.schema.fields[2]!.default_value, '1984-04-14T07:00:00Z');
    succeeded(await insert('defaults', [null]));
    assert.deepEqual(await query('defaults', 'id >= 0'), ['1984-04-14T07:00:00Z']);
  });

  test('of the database go over to its collections', async () => {
    const { client } = front;
    succeeded(await client.createDatabase({ db_name: 'havana', properties: { timezone: 'America/Havana' } }));
    const fields = [
      { name: 'id', data_type: DataType.Int64, is_primary_key: true },
      { name: 'vector', data_type: DataType.FloatVector, dim: 2 },
    ];
    const named = { collection_name: 'there', db_name: 'havana' };
    succeeded(await client.createCollection({ ...named, fields } as never));
    const shown = succeeded(await client.describeCollection(named));
    assert.deepEqual(shown.properties, [{ key: 'timezone', value: 'America/Havana' }]);
    await refused(
      client.createDatabase({ db_name: 'mars', properties: { timezone: 'Mars/Olympus' } }),
      1100,
      /^invalid timezone \[Mars\/Olympus\]/,
    );
  });

  test('that are none are refused', async () => {
    await createLoaded('strict', [seen]);
    await refused(
      insert('strict', ['2025-01-01T00:00:00Z', 'soon']),
      1100,
      /'soon' for field seen, row number: 1/,
    );
    const zone = await ask('strict', 'id >= 0', { timezone: 'Mars' });
    assert.match(zone.status!.reason!, /invalid timezone \[Mars\]/);
    const era = await ask('strict', 'id >= 0', { time_fields: 'era' });
    assert.match(era.status!.reason!, /extraction: era/);
  });
});

describe('time to live by a field', () => {
  const until = { name: 'until', data_type: DataType.Timestamptz, nullable: true };

  test('hides rows whose time has come from queries, searches and keys', async () => {
    await createLoaded('mortal', [until], { properties: { ttl_field: 'until' } });
    const data = ['2001-01-01T00:00:00Z', '2999-01-01T00:00:00Z', null].map((time, id) => ({
      id,
      vector: [id, 0],
      until: time,
    }));
    succeeded(await front.client.insert({ collection_name: 'mortal', data: data as never }));
    const named = { collection_name: 'mortal' };
    const keys = async (filter: string): Promise<unknown[]> =>
      succeeded(await front.client.query({ ...named, filter })).data.map((row) => row['id'] as unknown);
    assert.deepEqual(await keys('id >= 0'), ['1', '2']);
    assert.deepEqual(await keys('id == 0 or id == 1'), ['1']);
    assert.equal((await front.client.count(named)).data, 2);
    const { results } = succeeded(await front.client.search({ ...named, data: [0, 0], limit: 3 }));
    assert.deepEqual(
      results.map(({ id }) => id),
      ['1', '2'],
    );
    await refused(
      front.client.query({ ...named, filter: 'id >= nothing' }),
      1100,
      /at character 7: field 'nothing' does not exist/,
    );
    const drop = { ...named, properties: ['ttl_field'] };
    succeeded(await front.client.dropCollectionProperties(drop));
    assert.deepEqual(await keys('id >= 0'), ['0', '1', '2']);
    const alter = (properties: object) =>
      front.client.alterCollectionProperties({ ...named, properties: properties as never });
    await refused(alter({ ttl_field: 'id' }), 1100, /ttl field id is Int64/);
    await refused(alter({ ttl_field: 'none' }), 1100, /ttl field none does not exist/);
    succeeded(await alter({ 'collection.ttl.seconds': 60 }));
    await refused(alter({ ttl_field: 'until' }), 1100, /cannot be set together/);
  });
});

describe('geometries', () => {
  const place = { name: 'place', data_type: DataType.Geometry, nullable: true };

  test('come as text and are filtered by', async () => {
    await createLoaded('places', [place]);
    const texts = ['POINT (1 1)', 'POINT (9 9)', null, 'LINESTRING (0 0, 1 1)'];
    const data = texts.map((text, id) => ({ id, vector: [0, 0], place: text }));
    succeeded(await front.client.insert({ collection_name: 'places', data: data as never }));
    const read = async (filter: string): Promise<unknown[]> => {
      const asked = { collection_name: 'places', filter, output_fields: ['place'] };
      return succeeded(await front.client.query(asked)).data.map((row) => row['place'] as unknown);
    };
    assert.deepEqual(await read('id >= 0'), texts);
    assert.deepEqual(await read("st_intersects(place, 'POLYGON ((0 0, 4 0, 4 4, 0 4, 0 0))')"), [
      'POINT (1 1)',
      'LINESTRING (0 0, 1 1)',
    ]);
    await refused(
      front.client.insert({
        collection_name: 'places',
        data: [{ id: 9, vector: [0, 0], place: 'POINT (1)' }],
      }),
      1100,
      /invalid geometry data for field place, row number: 0: invalid WKT 'POINT \(1\)'/,
    );
  });

  test('come as binary too', async () => {
    await createLoaded('binary', [place]);
    const reply = await front.call('Insert', {
      collectionName: 'binary',
      numRows: 1,
      fieldsData: [
        { type: 5, fieldName: 'id', scalars: { longData: { data: BigInt64Array.of(1n) } } },
        { type: 101, fieldName: 'vector', vectors: { dim: 2n, floatVector: { data: new Float32Array(2) } } },
        {
          type: 24,
          fieldName: 'place',
          scalars: { geometryData: { data: [encodeWkb(parseWkt('POINT (5 6)'))] } },
          validData: Uint8Array.of(1),
        },
      ],
    });
    assert.equal(reply.status!.code, 0, reply.status!.reason);
    const asked = { collection_name: 'binary', filter: 'id == 1', output_fields: ['place'] };
    assert.equal(succeeded(await front.client.query(asked)).data[0]!['place'], 'POINT (5 6)');
  });
});
