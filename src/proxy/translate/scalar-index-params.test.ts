import assert from 'node:assert/strict';
import { test } from 'node:test';
import { indexParamsToWire, indexRequestFromWire, type IndexRequest } from './index-params.ts';
import { fieldOf } from '../../../test/support/random-rows.ts';
import type { IndexMeta } from '../../catalog/model.ts';
import type { DataType, ElementType, FieldSchema } from '../../schema/index.ts';

const field = (type: DataType, elementType: ElementType | null = null): FieldSchema =>
  fieldOf({ id: 102, name: 'tag', type, elementType });
const read = (params: Readonly<Record<string, string>>, of: FieldSchema): IndexRequest =>
  indexRequestFromWire(
    Object.entries(params).map(([key, value]) => ({ key, value })),
    of,
  );
const refuses = (index_type: string, of: FieldSchema, message: RegExp): void =>
  assert.throws(() => read({ index_type }, of), { code: 'INDEX_INVALID', message });

test('each type of index takes the fields that Milvus lets it take', () => {
  const types = [
    'Bool',
    'Int8',
    'Int64',
    'Float',
    'Double',
    'VarChar',
    'Array',
    'Geometry',
    'FloatVector',
  ] as const;
  const taken = (index_type: string): string[] =>
    types.filter((type) => {
      const of = { ...field(type, type === 'Array' ? 'Int32' : null), dim: 2 };
      try {
        return read({ index_type }, of).type === index_type;
      } catch {
        return false;
      }
    });
  assert.deepEqual(taken('INVERTED'), ['Bool', 'Int8', 'Int64', 'Float', 'Double', 'VarChar', 'Array']);
  assert.deepEqual(taken('STL_SORT'), ['Int8', 'Int64', 'Float', 'Double', 'VarChar']);
  assert.deepEqual(taken('TRIE'), ['VarChar']);
  assert.deepEqual(taken('RTREE'), ['Geometry']);
  assert.deepEqual(taken('BITMAP'), ['Bool', 'Int8', 'Int64', 'VarChar', 'Array']);
});

test("what a type does not take is refused with Milvus's words", () => {
  refuses('TRIE', field('Int64'), /^TRIE are only supported on varchar field/);
  refuses(
    'STL_SORT',
    field('Bool'),
    /^STL_SORT are only supported on numeric, varchar or timestamptz field, got Bool/,
  );
  refuses('BITMAP', field('Double'), /^bitmap index are only supported on bool, int, string and array field/);
  refuses(
    'BITMAP',
    field('Array', 'Float'),
    /^bitmap index are only supported on bool, int, string for array field/,
  );
  refuses(
    'BITMAP',
    { ...field('Int64'), isPrimaryKey: true },
    /^create bitmap index on primary key not supported/,
  );
  refuses(
    'INVERTED',
    { ...field('FloatVector'), dim: 2 },
    /^INVERTED are not supported on FloatVector field/,
  );
  refuses('RTREE', field('VarChar'), /^RTREE index can only be built on geometry field, got VarChar/);
  refuses('INVERTED', field('Geometry'), /^INVERTED are not supported on Geometry field/);
  refuses('HNSW', field('Int64'), /^index HNSW only supports vector data type/);
  assert.throws(
    () => read({ index_type: 'HYBRID', bitmap_cardinality_limit: '0' }, field('Int64')),
    /cardinality limit/,
  );
});

test('an automatic index on a scalar has no metric and keeps what was sent', () => {
  assert.deepEqual(read({}, field('Bool')), {
    requestedType: 'AUTOINDEX',
    type: 'BITMAP',
    metric: null,
    params: {},
  });
  assert.equal(read({}, field('Geometry')).type, 'RTREE');
  const sorted = { index_type: 'STL_SORT', params: '{"nlist":1024}' };
  const request = read(sorted, field('Int64'));
  assert.deepEqual(request, {
    requestedType: 'STL_SORT',
    type: 'STL_SORT',
    metric: null,
    params: { nlist: '1024' },
  });
  const pairs = indexParamsToWire(request as unknown as IndexMeta);
  assert.deepEqual(pairs, [
    { key: 'index_type', value: 'STL_SORT' },
    { key: 'nlist', value: '1024' },
  ]);
});

test('an index on JSON names a path and the type of its values', () => {
  const json = field('JSON');
  const params = { index_type: 'INVERTED', json_path: 'tag["a"]["b"]', json_cast_type: 'varchar' };
  assert.deepEqual(read(params, json).params, { json_path: 'tag["a"]["b"]', json_cast_type: 'varchar' });
  assert.equal(read({ ...params, index_type: 'AUTOINDEX' }, json).type, 'INVERTED');
  refuses(
    'INVERTED',
    json,
    /^json index must specify cast type: missing parameter\[missing_param=json_cast_type\]/,
  );
  const refused = (change: object, message: RegExp): void =>
    assert.throws(() => read({ ...params, ...change }, json), message);
  refused({ json_cast_type: 'ARRAY_INT64' }, /json_cast_type ARRAY_INT64 is not supported/);
  refused({ json_cast_type: 'JSON' }, /json_cast_type JSON is not supported yet/);
  refused(
    { json_cast_function: 'STRING_TO_DOUBLE' },
    /json_cast_function STRING_TO_DOUBLE is not supported yet/,
  );
  refused({ json_path: 'other["a"]' }, /json_path other\["a"\] is not a path in field tag/);
  refused({ json_path: 'tag' }, /json_path tag is not a path in field tag/);
  refused({ index_type: 'BITMAP', json_cast_type: 'double' }, /DOUBLE is not supported for BITMAP/);
  const dynamic = { ...json, name: '$meta', isDynamic: true };
  assert.equal(read({ ...params, json_path: 'color' }, dynamic).type, 'INVERTED');
});
