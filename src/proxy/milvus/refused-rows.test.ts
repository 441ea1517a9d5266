import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { DataType } from '@zilliz/milvus2-sdk-node';
import { startTestFront, type TestFront } from '../../../test/support/front.ts';
import { succeeded } from '../../../test/support/milvus.ts';

let front: TestFront;
before(async () => {
  front = await startTestFront();
  await front.client.connectPromise;
});
after(() => front[Symbol.asyncDispose]());

interface InsertFailure {
  readonly code?: number;
  readonly reason: RegExp;
  readonly numRows?: number;
}

async function assertInsertFails(
  collectionName: string,
  fieldsData: readonly object[],
  { code = 1100, reason, numRows = 1 }: InsertFailure,
): Promise<void> {
  const { status } = await front.call('Insert', { collectionName, numRows, fieldsData });
  assert.match(status!.reason!, reason);
  assert.equal(status!.code, code);
}

describe('rows that do not fit', () => {
  const one = (value: bigint): object => ({ longData: { data: BigInt64Array.of(value) } });
  const key = { fieldName: 'id', type: 5, scalars: one(1n) };
  const vector = {
    fieldName: 'vector',
    type: 101,
    vectors: { dim: 2n, floatVector: { data: Float32Array.of(1, 2) } },
  };
  const texts = (...values: string[]): object => {
    const parts = values.map((value) => Buffer.from(value));
    const offsets = Int32Array.from([
      0,
      ...parts.map((_, row) => Buffer.concat(parts.slice(0, row + 1)).length),
    ]);
    return { data: { offsets, bytes: Buffer.concat(parts) } };
  };

  before(async () => {
    const fields = [
      { name: 'id', data_type: DataType.Int64, is_primary_key: true },
      { name: 'vector', data_type: DataType.FloatVector, dim: 2 },
      { name: 'small', data_type: DataType.Int8, nullable: true },
      { name: 'text', data_type: DataType.VarChar, max_length: 4, nullable: true },
      { name: 'real', data_type: DataType.Double, nullable: true },
      {
        name: 'list',
        data_type: DataType.Array,
        element_type: DataType.Int16,
        max_capacity: 2,
        nullable: true,
      },
      { name: 'doc', data_type: DataType.JSON, nullable: true },
    ];
    const request = { collection_name: 'strict', fields, enable_dynamic_field: true };
    succeeded(await front.client.createCollection(request as never));
    succeeded(await front.client.createIndex({ collection_name: 'strict', field_name: 'vector' }));
    succeeded(await front.client.loadCollectionAsync({ collection_name: 'strict' }));
  });

  const cases: readonly (readonly [name: string, fields: readonly object[], failure: InsertFailure])[] = [
    ['field left out', [key], { reason: /^fieldSchema\(vector\) has no corresponding fieldData pass in$/ }],
    ['no rows', [key, vector], { numRows: 0, reason: /^num_rows should be in range \[1, / }],
    [
      'unknown field',
      [key, vector, { fieldName: 'nope' }],
      { reason: /^fieldName nope not exist in collection schema$/ },
    ],
    ['field given twice', [key, vector, key], { reason: /^duplicated field id found$/ }],
    [
      'too few rows',
      [key, vector],
      {
        numRows: 2,
        reason:
          /^the num_rows \(1\) of field \(id\) is not equal to passed num_rows \(2\): invalid parameter\[expected=2\]\[actual=1\]$/,
      },
    ],
    [
      'wrong kind of values',
      [{ fieldName: 'id', scalars: { boolData: { data: Uint8Array.of(1) } } }, vector],
      { reason: /^field 'id' is illegal, array type mismatch: / },
    ],
    [
      'wrong dimension',
      [key, { fieldName: 'vector', vectors: { dim: 3n, floatVector: { data: Float32Array.of(1, 2, 3) } } }],
      { reason: /^the dim \(3\) of field data\(vector\) is not equal to schema dim \(2\)$/ },
    ],
    [
      'half a vector',
      [key, { fieldName: 'vector', vectors: { dim: 2n, floatVector: { data: Float32Array.of(1, 2, 3) } } }],
      { reason: /^the length\(3\) of float data of field \(vector\) should divide the dim\(2\)$/ },
    ],
    [
      'not a number',
      [key, { fieldName: 'vector', vectors: { dim: 2n, floatVector: { data: Float32Array.of(1, NaN) } } }],
      { reason: /^value 'NaN' of field vector is not a number or infinity/ },
    ],
    [
      'infinite double',
      [key, vector, { fieldName: 'real', scalars: { doubleData: { data: Float64Array.of(Infinity) } } }],
      { reason: /^value 'Infinity' of field real/ },
    ],
    [
      'narrow integer',
      [key, vector, { fieldName: 'small', scalars: { intData: { data: Int32Array.of(128) } } }],
      { reason: /^the 0th element \(128\) out of range: \[-128, 127\], field small/ },
    ],
    [
      'long text',
      [key, vector, { fieldName: 'text', scalars: { stringData: texts('ééé') } }],
      {
        reason: /^length of varchar field text exceeds max length, row number: 0, length: 6, max length: 4$/,
      },
    ],
    [
      'half a character',
      [
        key,
        vector,
        {
          fieldName: 'text',
          scalars: { stringData: { data: { offsets: Int32Array.of(0, 1), bytes: Uint8Array.of(0xc3) } } },
        },
      ],
      { reason: /^varchar field text is not utf-8, row number: 0$/ },
    ],
    [
      'long array',
      [
        key,
        vector,
        {
          fieldName: 'list',
          scalars: { arrayData: { data: [{ intData: { data: Int32Array.of(1, 2, 3) } }] } },
        },
      ],
      { reason: /^the length \(3\) of 0th array of field list exceeds max capacity \(2\)$/ },
    ],
    [
      'array of other elements',
      [
        key,
        vector,
        {
          fieldName: 'list',
          scalars: { arrayData: { data: [{ floatData: { data: Float32Array.of(1) } }] } },
        },
      ],
      { reason: /^insert data of array field list does not match, row 0 has no Int16 array$/ },
    ],
    [
      'no JSON',
      [key, vector, { fieldName: 'doc', scalars: { jsonData: texts('{"a":') } }],
      { reason: /^json field doc of row 0 is not valid JSON$/ },
    ],
    [
      'large JSON',
      [key, vector, { fieldName: 'doc', scalars: { jsonData: texts(`"${'x'.repeat(65_536)}"`) } }],
      { reason: /^the length \(65538\) of json field \(doc\) exceeds max length \(65536\), row 0$/ },
    ],
    [
      'dynamic list',
      [key, vector, { isDynamic: true, scalars: { jsonData: texts('[]') } }],
      { reason: /^dynamic field of row 0 is not a JSON object$/ },
    ],
    [
      'dynamic key of a field',
      [key, vector, { isDynamic: true, scalars: { jsonData: texts('{"text":1}') } }],
      { reason: /^dynamic field name cannot include the static field name: text$/ },
    ],
    [
      'validity of another length',
      [
        key,
        vector,
        {
          fieldName: 'small',
          validData: Uint8Array.of(1, 0),
          scalars: { intData: { data: Int32Array.of(1) } },
        },
      ],
      { reason: /^the length of valid_data of field\(small\) is wrong: / },
    ],
    [
      'null in a field that has none',
      [{ ...key, validData: Uint8Array.of(0) }, vector],
      { reason: /^row 0 of field id is null, but the field is not nullable and has no default$/ },
    ],
    [
      'struct array',
      [key, vector, { fieldName: 's', structArrays: {} }],
      { code: 10, reason: /^struct array field s is not supported yet$/ },
    ],
  ];
  for (const [name, fields, failure] of cases) {
    test(`${name} are refused`, () => assertInsertFails('strict', fields, failure));
  }

  test('nothing of them was stored', async () => {
    assert.equal(succeeded(await front.client.count({ collection_name: 'strict' })).data, 0);
  });

  test('two versions of a row in one upsert are refused, whole or in part', async () => {
    const data = [1, 2, 1].map((id) => ({ id, vector: [id, id] }));
    for (const partial_update of [false, true]) {
      const { status } = await front.client.upsert({ collection_name: 'strict', data, partial_update });
      assert.equal(status.code, 1100);
      assert.match(
        status.reason,
        /^duplicate primary keys are not allowed in the same batch: 1 comes more than once$/,
      );
    }
  });

  test('a schema that changed since is told to the client', async () => {
    const { status } = await front.call('Insert', {
      collectionName: 'strict',
      numRows: 1,
      fieldsData: [key, vector],
      schemaTimestamp: 5n,
    });
    assert.equal(status!.code, 109);
    assert.equal(status!.errorCode, 62);
  });
});
