import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import type { CollectionId, FieldSchema } from '../../schema/index.ts';
import { fieldOf } from '../../../test/support/random-rows.ts';
import { CatalogModel, createCollection, createIndex, load } from '../../../test/support/catalog-model.ts';

let model: CatalogModel;
beforeEach(() => {
  model = new CatalogModel();
  model.run({ kind: 'create-database', name: 'default', properties: {} });
});

describe('truncation and fields', () => {
  test('every partition gets an empty successor in its place, also in the load', () => {
    model.run(createCollection('c'));
    const { id: collectionId } = model.collection('c');
    for (const name of ['p', 'q']) model.run({ kind: 'create-partition', collectionId, name });
    model.run(createIndex(collectionId));
    const before = model.collection('c');
    model.run(load(collectionId, { partitionIds: before.partitions.slice(1).map(({ id }) => id) }));
    model.run({ kind: 'truncate-collection', collectionId });
    const after = model.collection('c');
    assert.deepEqual(
      after.partitions.map(({ name, createdTimestamp }) => ({ name, createdTimestamp })),
      before.partitions.map(({ name, createdTimestamp }) => ({ name, createdTimestamp })),
    );
    const newest = Math.max(...before.partitions.map(({ id }) => Number(id)));
    assert.ok(after.partitions.every(({ id }) => Number(id) > newest));
    assert.deepEqual(
      after.load!.partitionIds,
      after.partitions.slice(1).map(({ id }) => id),
    );
    assert.equal(after.schemaVersion, before.schemaVersion);
    assert.deepEqual(after.indexes, before.indexes);
    const absent = { kind: 'truncate-collection', collectionId: '999' as CollectionId } as const;
    model.refuses(absent, 'COLLECTION_NOT_FOUND', /999/);
  });

  test('a field is altered under a new version of the schema, and only when something changes', () => {
    model.run(createCollection('c'));
    const { id: collectionId, schema } = model.collection('c');
    const field = schema.fields[0]!;
    const alter = {
      kind: 'alter-field',
      collectionId,
      fieldId: field.id,
      maxLength: 9,
      maxCapacity: null,
      set: { 'mmap.enabled': 'true' },
      remove: [],
    } as const;
    model.run(alter);
    const altered = model.collection('c');
    assert.equal(altered.schemaVersion, 2);
    assert.deepEqual(altered.schema.fields[0], {
      ...field,
      maxLength: 9,
      typeParams: { ...field.typeParams, 'mmap.enabled': 'true' },
    });
    assert.deepEqual(altered.schema.fields.slice(1), schema.fields.slice(1));
    model.runsIdle(alter);
    model.run({ ...alter, maxLength: null, set: {}, remove: ['mmap.enabled'] });
    assert.deepEqual(model.collection('c').schema.fields[0], { ...field, maxLength: 9 });
    model.refuses({ ...alter, fieldId: 5 }, 'FIELD_NOT_FOUND', /field=5/);
  });

  test('added fields get ids of their own and stand before the dynamic one', () => {
    model.run(createCollection('c'));
    const { id: collectionId, schema } = model.collection('c');
    const added = { ...fieldOf({ id: 0, type: 'Int32', name: 'added', nullable: true }) };
    const dynamic = { ...fieldOf({ id: 0, type: 'JSON', name: '$meta' }), isDynamic: true };
    model.run({ kind: 'add-field', collectionId, field: dynamic });
    model.run({ kind: 'add-field', collectionId, field: added });
    const after = model.collection('c');
    const newest = Math.max(...schema.fields.map(({ id }) => id));
    assert.deepEqual(after.schema.fields, [
      ...schema.fields,
      { ...added, id: newest + 2 },
      { ...dynamic, id: newest + 1 },
    ]);
    assert.equal(after.schema.enableDynamicField, true);
    assert.equal(after.schemaVersion, 3);
    const refuses = (change: Partial<FieldSchema>, message: RegExp): void =>
      model.refuses(
        { kind: 'add-field', collectionId, field: { ...added, name: 'more', ...change } },
        'COLLECTION_SCHEMA_INVALID',
        message,
      );
    refuses({ name: 'added' }, /^duplicated field name added found$/);
    refuses({ nullable: false }, /^added field must be nullable/);
    refuses({ isPrimaryKey: true }, /^not support to add pk field/);
    refuses({ isPartitionKey: true }, /^not support to add partition key field/);
    refuses({ type: 'FloatVector', dim: 2, nullable: false }, /^added field must be nullable/);
    refuses({ type: 'FloatVector' }, /^dimension is not defined/);
    refuses({ type: 'VarChar' }, /max_length/);
  });
});
