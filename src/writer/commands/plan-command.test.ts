import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import type { CatalogCommand } from '../../catalog/commands.ts';
import type { CollectionId, IndexId, PartitionId } from '../../schema/index.ts';
import { CatalogModel, createCollection, createIndex, load } from '../../../test/support/catalog-model.ts';
import { fieldOf } from '../../../test/support/random-rows.ts';
import { vectorSchema } from '../../../test/support/schemas.ts';

let model: CatalogModel;
beforeEach(() => {
  model = new CatalogModel();
  model.run({ kind: 'create-database', name: 'default', properties: {} });
});

describe('databases', () => {
  test('are created once, within the limit', () => {
    model.run({ kind: 'create-database', name: 'a', properties: { k: 'v' } });
    assert.deepEqual(model.snapshot.databases.get('a')!.properties, { k: 'v' });
    const again = { kind: 'create-database', name: 'a', properties: {} } as const;
    model.refuses(again, 'DATABASE_EXISTS', /^database already exist: a$/);
    model.limits = { ...model.limits, databasesMax: 2 };
    model.refuses({ ...again, name: 'b' }, 'PARAMETER_INVALID', /\(3\) exceeds max configuration \(2\)/);
  });

  test('are dropped when empty; dropping again succeeds; the default one stays', () => {
    model.run({ kind: 'create-database', name: 'a', properties: {} });
    model.run(createCollection('c', { databaseName: 'a' }));
    const drop = { kind: 'drop-database', name: 'a' } as const;
    model.refuses(drop, 'DATABASE_NOT_EMPTY', /^database:a not empty/);
    model.run({ kind: 'drop-collection', collectionId: model.collection('c', 'a').id });
    model.run(drop);
    assert.equal(model.snapshot.databases.has('a'), false);
    model.runsIdle(drop);
    model.refuses({ ...drop, name: 'default' }, 'PARAMETER_INVALID', /can not drop default database/);
  });

  test('change their properties', () => {
    const alter = { kind: 'alter-database', name: 'default', set: { a: '1', b: '2' }, remove: [] } as const;
    model.run(alter);
    model.runsIdle(alter);
    model.run({ ...alter, set: { a: '3' }, remove: ['b'] });
    assert.deepEqual(model.snapshot.databases.get('default')!.properties, { a: '3' });
    model.refuses({ ...alter, name: 'x' }, 'DATABASE_NOT_FOUND', /^database not found\[database=x\]$/);
  });
});

describe('collections', () => {
  test('begin with a default partition, empty channels and no load', () => {
    model.run(createCollection('c'));
    const meta = model.collection('c');
    assert.deepEqual(
      meta.partitions.map((partition) => partition.name),
      ['_default'],
    );
    assert.equal(meta.load, null);
    assert.deepEqual(
      model.snapshot.channelsOf(meta.id),
      [0, 1].map((number) => ({
        id: `${meta.id}-${number}`,
        collectionId: meta.id,
        checkpoint: 0,
        deltas: [],
        newestTimestamp: '99',
      })),
    );
    assert.deepEqual(
      meta.channels,
      model.snapshot.channelsOf(meta.id).map((channel) => channel.id),
    );
  });

  test('with a partition key have numbered partitions', () => {
    const key = fieldOf({ id: 102, name: 'tenant', type: 'Int64', isPartitionKey: true });
    model.run(createCollection('c', { schema: vectorSchema({ fields: [key] }), partitionCount: 3 }));
    assert.deepEqual(
      model.collection('c').partitions.map((partition) => partition.name),
      ['_default_0', '_default_1', '_default_2'],
    );
  });

  test('are created again without effect when nothing differs', () => {
    model.run(createCollection('c'));
    model.runsIdle(createCollection('c'));
    const differing = [
      { shardsNum: 1 },
      { schema: vectorSchema({ dim: 8 }) },
      { consistencyLevel: 'Strong' },
      { properties: { a: 'b' } },
    ] as const;
    for (const change of differing) {
      model.refuses(
        createCollection('c', change),
        'COLLECTION_EXISTS',
        /^create duplicate collection with different parameters, collection: c$/,
      );
    }
  });

  test('share names with aliases in their database', () => {
    model.run(createCollection('c'));
    model.run({ kind: 'create-alias', collectionId: model.collection('c').id, alias: 'a' });
    model.refuses(createCollection('a'), 'COLLECTION_EXISTS', /\[a\] conflicts with an existing alias/);
    model.refuses(createCollection('d', { databaseName: 'x' }), 'DATABASE_NOT_FOUND', /\[database=x\]/);
    model.run({ kind: 'create-database', name: 'x', properties: {} });
    model.run(createCollection('a', { databaseName: 'x' }));
  });

  test('are as many as the limits allow', () => {
    model.limits = { ...model.limits, collectionsMax: 1, partitionsMax: 2 };
    model.refuses(
      createCollection('p', { partitionCount: 3 }),
      'PARAMETER_INVALID',
      /partition number \(3\)/,
    );
    model.run(createCollection('c'));
    model.refuses(createCollection('d'), 'PARAMETER_INVALID', /exceeded the limit number of collections/);
  });

  test('are dropped even when loaded, but not with aliases', () => {
    model.run(createCollection('c'));
    const { id } = model.collection('c');
    model.run(createIndex(id));
    model.run(load(id));
    model.run({ kind: 'create-alias', collectionId: id, alias: 'a' });
    const drop = { kind: 'drop-collection', collectionId: id } as const;
    model.refuses(drop, 'PARAMETER_INVALID', /\[c\] because it has associated aliases \[a\], please remove/);
    model.run({ kind: 'drop-alias', databaseName: 'default', alias: 'a' });
    model.run(drop);
    assert.equal(model.snapshot.findCollection('default', 'c'), undefined);
    assert.deepEqual(model.snapshot.channelsOf(id), []);
    assert.equal(model.snapshot.orphans().channels.length, 2);
    model.runsIdle(drop);
  });

  test('are renamed, also to another database', () => {
    model.run(createCollection('c'));
    model.run(createCollection('d'));
    model.run({ kind: 'create-database', name: 'x', properties: {} });
    const { id } = model.collection('c');
    const rename = {
      kind: 'rename-collection',
      collectionId: id,
      databaseName: 'default',
      name: 'e',
    } as const;
    model.run(rename);
    assert.equal(model.collection('e').id, id);
    assert.equal(model.snapshot.findCollection('default', 'c'), undefined);
    model.refuses(rename, 'PARAMETER_INVALID', /should be different/);
    model.refuses({ ...rename, name: 'd' }, 'COLLECTION_EXISTS', /duplicated new collection name default:d/);
    model.run({ ...rename, databaseName: 'x' });
    assert.equal(model.collection('e', 'x').databaseName, 'x');
    assert.equal(model.snapshot.collectionsOf('default').length, 1);
  });

  test('with aliases stay in their database', () => {
    model.run(createCollection('c'));
    model.run(createCollection('d'));
    model.run({ kind: 'create-database', name: 'x', properties: {} });
    const { id } = model.collection('c');
    model.run({ kind: 'create-alias', collectionId: id, alias: 'a' });
    const rename = { kind: 'rename-collection', collectionId: id, databaseName: 'x', name: 'c' } as const;
    model.refuses(rename, 'PARAMETER_INVALID', /must drop all aliases of collection c before rename/);
    const toAlias = { ...rename, collectionId: model.collection('d').id, databaseName: 'default', name: 'a' };
    model.refuses(toAlias, 'ALIAS_NAME_CONFLICT', /existing alias: a/);
    model.refuses({ ...rename, databaseName: 'y' }, 'DATABASE_NOT_FOUND', /\[database=y\]/);
  });

  test('change their properties', () => {
    model.run(createCollection('c', { properties: { a: '1' } }));
    const { id } = model.collection('c');
    model.run({ kind: 'alter-collection', collectionId: id, set: { b: '2' }, remove: ['a'] });
    assert.deepEqual(model.collection('c').properties, { b: '2' });
    model.runsIdle({ kind: 'alter-collection', collectionId: id, set: { b: '2' }, remove: ['a'] });
  });
});

describe('aliases', () => {
  test('name one collection at a time and can be moved', () => {
    model.run(createCollection('c'));
    model.run(createCollection('d'));
    const [c, d] = [model.collection('c').id, model.collection('d').id];
    model.run({ kind: 'create-alias', collectionId: c, alias: 'a' });
    assert.equal(model.collection('a').id, c);
    model.runsIdle({ kind: 'create-alias', collectionId: c, alias: 'a' });
    model.refuses(
      { kind: 'create-alias', collectionId: d, alias: 'a' },
      'ALIAS_EXISTS',
      /^a is alias to another collection: c: alias already exist\[database=default\]\[alias=a\]$/,
    );
    model.run({ kind: 'alter-alias', collectionId: d, alias: 'a' });
    assert.equal(model.collection('a').id, d);
    assert.deepEqual(model.collection('c').aliases, []);
    model.runsIdle({ kind: 'alter-alias', collectionId: d, alias: 'a' });
  });

  test('are not collection names', () => {
    model.run(createCollection('c'));
    model.run(createCollection('d'));
    const collectionId = model.collection('c').id;
    for (const kind of ['create-alias', 'alter-alias'] as const) {
      model.refuses(
        { kind, collectionId, alias: 'd' },
        'ALIAS_NAME_CONFLICT',
        /^alias and collection name conflict\[database=default\]\[alias=d\]$/,
      );
    }
    model.runsIdle({ kind: 'drop-alias', databaseName: 'default', alias: 'd' });
    assert.equal(model.collection('d').name, 'd');
  });

  test('must exist to be moved, not to be dropped', () => {
    model.run(createCollection('c'));
    const alter = { kind: 'alter-alias', collectionId: model.collection('c').id, alias: 'a' } as const;
    model.refuses(alter, 'ALIAS_NOT_FOUND', /^alias not found\[database=default\]\[alias=a\]$/);
    model.runsIdle({ kind: 'drop-alias', databaseName: 'default', alias: 'a' });
  });
});

describe('partitions', () => {
  test('are created once, within the limit', () => {
    model.run(createCollection('c'));
    const create = { kind: 'create-partition', collectionId: model.collection('c').id, name: 'p' } as const;
    model.run(create);
    model.runsIdle(create);
    model.limits = { ...model.limits, partitionsMax: 2 };
    model.refuses({ ...create, name: 'q' }, 'PARAMETER_INVALID', /^partition number \(2\) exceeds max/);
  });

  test('are dropped when not loaded; the default one stays', () => {
    model.run(createCollection('c'));
    const collectionId = model.collection('c').id;
    model.run({ kind: 'create-partition', collectionId, name: 'p' });
    const drop = { kind: 'drop-partition', collectionId, name: 'p' } as const;
    model.run(createIndex(collectionId));
    model.run(load(collectionId));
    model.refuses(drop, 'PARAMETER_INVALID', /^partition cannot be dropped, partition is loaded/);
    const partitionIds = [model.collection('c').partitions[1]!.id];
    model.run({ kind: 'release', collectionId, partitionIds });
    model.run(drop);
    model.runsIdle(drop);
    assert.equal(model.collection('c').partitions.length, 1);
    model.refuses({ ...drop, name: '_default' }, 'PARAMETER_INVALID', /default partition cannot be deleted/);
  });
});

describe('indexes', () => {
  test('are named after their field, one a field, and declared again without effect', () => {
    model.run(createCollection('c'));
    const { id } = model.collection('c');
    model.run(createIndex(id));
    assert.equal(model.collection('c').indexes[0]!.name, 'vector');
    model.runsIdle(createIndex(id));
    model.runsIdle(createIndex(id, { name: 'vector' }));
    model.refuses(createIndex(id, { params: {} }), 'INDEX_EXISTS', /at most one distinct index is allowed/);
    model.refuses(
      createIndex(id, { name: 'x' }),
      'INDEX_EXISTS',
      /multiple indexes on same field is not supp/,
    );
    model.refuses(createIndex(id, { name: 'vector', fieldId: 100 }), 'INDEX_EXISTS', /at most one distinct/);
    model.refuses(createIndex(id, { fieldId: 7 }), 'FIELD_NOT_FOUND', /\[field=7\]/);
    model.refuses(createIndex('12345' as CollectionId), 'COLLECTION_NOT_FOUND', /\[collection=12345\]/);
  });

  test('of vectors cannot be dropped or altered while loaded', () => {
    model.run(createCollection('c'));
    const { id } = model.collection('c');
    model.run(createIndex(id));
    const indexId = model.collection('c').indexes[0]!.id;
    model.run(load(id));
    const drop = { kind: 'drop-index', collectionId: id, indexId } as const;
    const alter = { kind: 'alter-index', collectionId: id, indexId, set: { a: '1' }, remove: [] } as const;
    model.refuses(drop, 'PARAMETER_INVALID', /vector index cannot be dropped on loaded collection/);
    model.refuses(alter, 'COLLECTION_LOADED', /collection already loaded\[collection=c\]$/);
    model.run({ kind: 'release', collectionId: id, partitionIds: null });
    model.run(alter);
    assert.deepEqual(model.collection('c').indexes[0]!.params, { M: '16', a: '1' });
    model.runsIdle(alter);
    model.run(drop);
    model.runsIdle(drop);
    model.refuses(alter, 'INDEX_NOT_FOUND', /^index not found/);
  });

  test('of JSON are one a path, however it is written', () => {
    const json = fieldOf({ id: 102, name: 'meta', type: 'JSON' });
    model.run(createCollection('c', { schema: vectorSchema({ fields: [json] }) }));
    const { id } = model.collection('c');
    const at = (json_path: string, change: object = {}) =>
      createIndex(id, {
        fieldId: 102,
        type: 'INVERTED',
        requestedType: 'INVERTED',
        metric: null,
        params: { json_path, json_cast_type: 'varchar' },
        ...change,
      });
    model.run(at('meta["a"]["b"]'));
    model.run(at('meta["c"]', { name: 'color' }));
    assert.deepEqual(
      model.collection('c').indexes.map(({ name }) => name),
      ['meta/a/b', 'color'],
    );
    model.runsIdle(at('meta["a"]["b"]'));
    model.refuses(at("meta['c']", { name: 'x' }), 'INDEX_EXISTS', /multiple indexes on same field/);
  });

  test('of scalars can be dropped while loaded', () => {
    model.run(createCollection('c'));
    const { id } = model.collection('c');
    model.run(createIndex(id));
    model.run(createIndex(id, { fieldId: 100, type: 'STL_SORT', requestedType: 'STL_SORT', metric: null }));
    model.run(load(id));
    model.run({ kind: 'drop-index', collectionId: id, indexId: model.collection('c').indexes[1]!.id });
    assert.equal(model.collection('c').indexes.length, 1);
    model.runsIdle({ kind: 'drop-index', collectionId: id, indexId: '999' as IndexId });
  });
});

describe('loading', () => {
  test('requires an index on every vector field that is loaded', () => {
    const second = fieldOf({ id: 102, name: 'other', type: 'FloatVector', dim: 2 });
    model.run(createCollection('c', { schema: vectorSchema({ fields: [second] }) }));
    const { id } = model.collection('c');
    const message = 'there is no vector index on field: \\[vector other\\], please create index firstly';
    model.refuses(load(id), 'PARAMETER_INVALID', new RegExp(`^${message}$`));
    model.run(createIndex(id));
    model.refuses(load(id), 'PARAMETER_INVALID', /field: \[other\]/);
    model.run(load(id, { fieldIds: [100, 101] }));
    const { before, ...spec } = model.collection('c').load!;
    assert.deepEqual(spec, { replicas: 1, partitionIds: null, fieldIds: [100, 101] });
    assert.ok(BigInt(before!) > BigInt(id), 'segments there are so far tell how far loading is');
  });

  test('adds partitions to those loaded; all includes future ones', () => {
    model.run(createCollection('c'));
    const { id } = model.collection('c');
    model.run({ kind: 'create-partition', collectionId: id, name: 'p' });
    model.run(createIndex(id));
    const [first, second] = model.collection('c').partitions.map((partition) => partition.id);
    model.run(load(id, { partitionIds: [first] }));
    model.runsIdle(load(id, { partitionIds: [first] }));
    model.run(load(id, { partitionIds: [first, second] }));
    assert.deepEqual(model.collection('c').load!.partitionIds, [first, second]);
    model.run(load(id));
    assert.equal(model.collection('c').load!.partitionIds, null);
    model.runsIdle(load(id, { partitionIds: [first] }));
    model.refuses(load(id, { partitionIds: ['77'] }), 'PARTITION_NOT_FOUND', /\[partition=77\]/);
  });

  test('changes the replicas of a whole collection only, and never the fields', () => {
    model.run(createCollection('c'));
    const { id } = model.collection('c');
    model.run(createIndex(id));
    model.run(load(id));
    model.run(load(id, { replicas: 2 }));
    assert.equal(model.collection('c').load!.replicas, 2);
    const { before } = model.collection('c').load!;
    model.runsIdle(load(id, { replicas: 2 }));
    assert.equal(model.collection('c').load!.before, before);
    const partitionIds = [model.collection('c').partitions[0]!.id];
    model.refuses(
      load(id, { replicas: 3, partitionIds }),
      'PARAMETER_INVALID',
      /^can't change the replica number for loaded partitions: .*\[expected=2\]\[actual=3\]$/,
    );
    model.refuses(
      load(id, { fieldIds: [100, 101] }),
      'PARAMETER_INVALID',
      /^can't change the load field list/,
    );
  });

  test('is undone by release, by partition or as a whole', () => {
    model.run(createCollection('c'));
    const { id } = model.collection('c');
    model.run({ kind: 'create-partition', collectionId: id, name: 'p' });
    model.run(createIndex(id));
    const [first, second] = model.collection('c').partitions.map((partition) => partition.id);
    const release = (partitionIds: readonly PartitionId[] | null): CatalogCommand => ({
      kind: 'release',
      collectionId: id,
      partitionIds,
    });
    model.runsIdle(release(null));
    model.run(load(id));
    model.run(release([first!]));
    assert.deepEqual(model.collection('c').load!.partitionIds, [second]);
    model.runsIdle(release([first!]));
    model.run(release([second!]));
    assert.equal(model.collection('c').load, null);
    model.run(load(id));
    model.run(release(null));
    assert.equal(model.collection('c').load, null);
  });
});
