import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CollectionSchema, DefaultValue, FieldSchema } from './collection-schema.ts';
import { SCHEMA_LIMITS, validateSchema } from './validate-schema.ts';
import { fieldOf, schemaOf, schemaOfAllTypes } from '../../test/support/random-rows.ts';
import { vectorSchema } from '../../test/support/schemas.ts';

const withField = (field: Partial<FieldSchema> & Pick<FieldSchema, 'type'>): CollectionSchema =>
  vectorSchema({ fields: [fieldOf({ id: 102, name: 'extra', ...field })] });

function refuses(schema: CollectionSchema, message: RegExp): void {
  assert.throws(() => validateSchema(schema), { code: 'COLLECTION_SCHEMA_INVALID', message });
}

test('schemas of all supported types pass', () => {
  for (const keyType of ['Int64', 'VarChar'] as const) {
    const { fields } = schemaOfAllTypes(keyType, 8);
    const bounded = fields
      .filter((field) => !(field.type === 'FloatVector' && field.nullable))
      .map((field) => ({ ...field, name: field.isDynamic ? field.name : `f${field.id}`, maxLength: 64 }));
    validateSchema(schemaOf(bounded));
  }
});

test('there is one primary key, of Int64 or VarChar, never null, without default', () => {
  const vector = fieldOf({ id: 101, name: 'vector', type: 'FloatVector', dim: 4 });
  const key = fieldOf({ id: 100, name: 'id', type: 'Int64', isPrimaryKey: true });
  refuses(schemaOf([vector]), /^primary key is not specified$/);
  refuses(
    schemaOf([key, { ...key, name: 'id2' }, vector]),
    /^there are more than one primary key, field name = id, id2$/,
  );
  refuses(schemaOf([{ ...key, type: 'Int32' }, vector]), /should be Int64 or VarChar$/);
  refuses(schemaOf([{ ...key, nullable: true }, vector]), /not support null, field name = id$/);
  refuses(
    schemaOf([{ ...key, defaultValue: { kind: 'int', value: '1' } }, vector]),
    /not support default_value/,
  );
  refuses(
    withField({ type: 'Int64', autoId: true }),
    /only primary field can specify AutoID with true, field name = extra/,
  );
});

test('fields and vector fields are bounded', () => {
  const many = (count: number, field: Partial<FieldSchema> & Pick<FieldSchema, 'type'>): CollectionSchema =>
    vectorSchema({
      fields: Array.from({ length: count }, (_, i) => fieldOf({ id: 102 + i, name: `f${i}`, ...field })),
    });
  validateSchema(many(SCHEMA_LIMITS.fieldsMax - 2, { type: 'Bool' }));
  refuses(
    many(SCHEMA_LIMITS.fieldsMax - 1, { type: 'Bool' }),
    /^maximum field's number should be limited to 64$/,
  );
  validateSchema(many(SCHEMA_LIMITS.vectorFieldsMax - 1, { type: 'FloatVector', dim: 2 }));
  refuses(many(SCHEMA_LIMITS.vectorFieldsMax, { type: 'FloatVector', dim: 2 }), /limited to 10$/);
  refuses(
    schemaOf([fieldOf({ id: 100, name: 'id', type: 'Int64', isPrimaryKey: true })]),
    /does not contain vector field$/,
  );
});

test('type parameters are there and in range', () => {
  refuses(
    withField({ type: 'FloatVector' }),
    /^dimension is not defined in field type params of field extra/,
  );
  for (const dim of [0, 1, -1, 32_769])
    refuses(withField({ type: 'FloatVector', dim }), new RegExp(`${dim} of field extra`));
  for (const dim of [2, 32_768]) validateSchema(withField({ type: 'FloatVector', dim }));
  validateSchema(withField({ type: 'FloatVector', dim: 2, nullable: true }));
  for (const dim of [0, 4, 12, 262_152])
    refuses(withField({ type: 'BinaryVector', dim }), new RegExp(`${dim} of field extra. binary vector`));
  validateSchema(withField({ type: 'BinaryVector', dim: 262_144 }));
  refuses(withField({ type: 'Int8Vector', dim: 32_769 }), /int8 vector dimension should be in range/);
  validateSchema(withField({ type: 'SparseFloatVector' }));
  refuses(withField({ type: 'SparseFloatVector', dim: 8 }), /^dim should not be specified for sparse vector/);
  refuses(
    withField({ type: 'VarChar' }),
    /^type param\(max_length\) should be specified for the field\(extra\)$/,
  );
  for (const maxLength of [0, 65_536]) refuses(withField({ type: 'VarChar', maxLength }), /\(0, 65535\]/);
  const array = { type: 'Array', elementType: 'Int8' } as const;
  refuses(withField(array), /max_capacity\) should be specified for array field extra$/);
  for (const maxCapacity of [0, 4_097]) refuses(withField({ ...array, maxCapacity }), /\(0, 4096\]/);
  refuses(withField({ type: 'Array', maxCapacity: 4 }), /element type of array field extra is not specified/);
  refuses(withField({ type: 'Array', elementType: 'VarChar', maxCapacity: 4 }), /max_length/);
});

test('defaults are of the type and within its range', () => {
  const cases: readonly (readonly [
    Partial<FieldSchema> & Pick<FieldSchema, 'type'>,
    DefaultValue,
    RegExp | null,
  ])[] = [
    [{ type: 'Int8' }, { kind: 'int', value: '127' }, null],
    [{ type: 'Int8' }, { kind: 'int', value: '128' }, /^\[128\] is out of range for Int8/],
    [{ type: 'Int16' }, { kind: 'int', value: '-32769' }, /out of range for Int16/],
    [{ type: 'Int64' }, { kind: 'int', value: '9223372036854775807' }, null],
    [
      { type: 'Int64' },
      { kind: 'float', value: 1 },
      /^type \(Int64\) of field \(extra\) is not equal to the type \(float\)/,
    ],
    [{ type: 'Float' }, { kind: 'float', value: 1e39 }, /is not a finite number/],
    [{ type: 'Double' }, { kind: 'float', value: 1e39 }, null],
    [{ type: 'Bool' }, { kind: 'bool', value: true }, null],
    [{ type: 'VarChar', maxLength: 2 }, { kind: 'string', value: 'ab' }, null],
    [
      { type: 'VarChar', maxLength: 2 },
      { kind: 'string', value: 'aé' },
      /length \(3\) of string exceeds max length \(2\)/,
    ],
    [
      { type: 'JSON' },
      { kind: 'string', value: '{}' },
      /^type JSON of field \(extra\) not support default_value$/,
    ],
  ];
  for (const [field, defaultValue, message] of cases) {
    const schema = withField({ ...field, defaultValue });
    if (message === null) validateSchema(schema);
    else refuses(schema, message);
  }
});

test('names are checked and unique', () => {
  refuses(
    vectorSchema({ fields: [fieldOf({ id: 102, name: 'vector', type: 'Bool' })] }),
    /^duplicated field name vector found$/,
  );
  assert.throws(() => validateSchema(withField({ type: 'Bool', name: 'and' })), {
    code: 'FIELD_INVALID_NAME',
  });
  for (const name of ['RowID', 'Timestamp']) {
    refuses(withField({ type: 'Int64', name }), new RegExp(`^schema contains system field: ${name};`));
  }
  validateSchema(withField({ type: 'Int64', name: 'timestamp' }));
});

test('there is at most one partition key', () => {
  validateSchema(withField({ type: 'Int64', isPartitionKey: true }));
  refuses(withField({ type: 'Int32', isPartitionKey: true }), /partition key should be Int64 or VarChar$/);
  refuses(withField({ type: 'Int64', isPartitionKey: true, nullable: true }), /not support nullable/);
  const both = [102, 103].map((id) => fieldOf({ id, name: `k${id}`, type: 'Int64', isPartitionKey: true }));
  refuses(vectorSchema({ fields: both }), /more than one partition key, field name = k102, k103$/);
});
