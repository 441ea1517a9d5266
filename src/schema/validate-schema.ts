import { findField, type CollectionSchema, type FieldSchema } from './collection-schema.ts';
import { isVectorType, type DataType, type DenseVectorType } from './data-type.ts';
import { checkFieldName } from './names.ts';
import { MishardsError } from '../errors/index.ts';
import { INSTANT_RANGE } from '../util/instant.ts';

/** Milvus's bounds of a schema. */
export const SCHEMA_LIMITS = {
  fieldsMax: 64,
  vectorFieldsMax: 10,
  dimMin: 2,
  dimMax: 32_768,
  varCharBytesMax: 65_535,
  arrayCapacityMax: 4_096,
} as const;

const INT_RANGES: Partial<Record<DataType, readonly [bigint, bigint]>> = {
  Int8: [-128n, 127n],
  Int16: [-32_768n, 32_767n],
  Int32: [-(2n ** 31n), 2n ** 31n - 1n],
  Int64: [-(2n ** 63n), 2n ** 63n - 1n],
  Timestamptz: [INSTANT_RANGE.min, INSTANT_RANGE.max],
};

/** What Milvus itself keeps of each row; clients take fields of these names for that. */
const SYSTEM_FIELDS: ReadonlySet<string> = new Set(['RowID', 'Timestamp']);

/** Types whose values have an order that statistics of segments can show. */
const CLUSTERING_TYPES: readonly DataType[] = [
  'Int8',
  'Int16',
  'Int32',
  'Int64',
  'Float',
  'Double',
  'VarChar',
];

/**
 * Whether a field may be added to a schema that has rows: they have its default, or null. Throws `COLLECTION_SCHEMA_INVALID`.
 */
export function validateAddedField(schema: CollectionSchema, field: FieldSchema): void {
  const { name } = field;
  if (findField(schema, name) !== undefined) throw invalid(`duplicated field name ${name} found`);
  if (field.isDynamic) return;
  if (field.isPrimaryKey || field.autoId) throw invalid(`not support to add pk field, field name = ${name}`);
  if (field.isPartitionKey) throw invalid(`not support to add partition key field, field name = ${name}`);
  if (!field.nullable) throw invalid(`added field must be nullable, please check it, field name = ${name}`);
  validateSchema({ ...schema, fields: [...schema.fields, field] });
}

/**
 * The rules a new collection's schema must keep, all of them pure. Throws `COLLECTION_SCHEMA_INVALID` or
 * `PARAMETER_INVALID`; the message names the field and the limit as Milvus does. The dynamic field may already be there.
 */
export function validateSchema(schema: CollectionSchema): void {
  const fields = schema.fields.filter((field) => !field.isDynamic);
  checkCounts(fields);
  checkPrimaryKey(fields);
  for (const field of fields) checkField(field);
  const duplicate = fields.find((field) => findField(schema, field.name) !== field);
  if (duplicate !== undefined) throw invalid(`duplicated field name ${duplicate.name} found`);
  checkSpecialKeys(fields);
}

function checkCounts(fields: readonly FieldSchema[]): void {
  const { fieldsMax, vectorFieldsMax } = SCHEMA_LIMITS;
  if (fields.length > fieldsMax) throw invalid(`maximum field's number should be limited to ${fieldsMax}`);
  const vectors = fields.filter((field) => isVectorType(field.type)).length;
  if (vectors === 0) throw invalid('schema does not contain vector field');
  if (vectors > vectorFieldsMax) {
    throw invalid(`maximum vector field's number should be limited to ${vectorFieldsMax}`);
  }
}

function checkPrimaryKey(fields: readonly FieldSchema[]): void {
  const [key, second] = fields.filter((field) => field.isPrimaryKey);
  if (key === undefined) throw invalid('primary key is not specified');
  if (second !== undefined) {
    throw invalid(`there are more than one primary key, field name = ${key.name}, ${second.name}`);
  }
  if (key.type !== 'Int64' && key.type !== 'VarChar') {
    throw invalid('the data type of primary key should be Int64 or VarChar');
  }
  if (key.nullable) throw invalid(`primary field not support null, field name = ${key.name}`);
  if (key.defaultValue !== null) {
    throw invalid(`primary field not support default_value, field name = ${key.name}`);
  }
  const automatic = fields.find((field) => field.autoId && !field.isPrimaryKey);
  if (automatic !== undefined) {
    throw invalid(`only primary field can specify AutoID with true, field name = ${automatic.name}`);
  }
}

function checkField(field: FieldSchema): void {
  checkFieldName(field.name);
  if (SYSTEM_FIELDS.has(field.name)) {
    throw invalid(`schema contains system field: ${field.name}; choose another name`);
  }
  if (isVectorType(field.type)) checkVector(field);
  if (field.type === 'VarChar' || field.elementType === 'VarChar') checkMaxLength(field);
  if (field.type === 'Array') checkMaxCapacity(field);
  if (field.defaultValue !== null) checkDefaultValue(field);
}

const VECTOR_KINDS: Readonly<Record<DenseVectorType, string>> = {
  FloatVector: 'float',
  Float16Vector: 'float',
  BFloat16Vector: 'float',
  Int8Vector: 'int8',
  BinaryVector: 'binary',
};

function checkVector(field: FieldSchema): void {
  const { type, dim } = field;
  if (type === 'SparseFloatVector') {
    if (dim === null) return;
    throw invalid(`dim should not be specified for sparse vector field ${field.name}(${field.id})`);
  }
  if (dim === null) {
    throw invalid(
      `dimension is not defined in field type params of field ${field.name}, check type param \`dim\` for vector field`,
    );
  }
  const kind = VECTOR_KINDS[type as DenseVectorType];
  const dimMax = kind === 'binary' ? SCHEMA_LIMITS.dimMax * 8 : SCHEMA_LIMITS.dimMax;
  if (kind === 'binary' && dim % 8 !== 0) {
    throw invalid(
      `invalid dimension: ${dim} of field ${field.name}. binary vector dimension should be multiple of 8`,
    );
  }
  if (dim < SCHEMA_LIMITS.dimMin || dim > dimMax) {
    throw invalid(
      `invalid dimension: ${dim} of field ${field.name}. ${kind} vector dimension should be in range ${SCHEMA_LIMITS.dimMin} ~ ${dimMax}`,
    );
  }
}

function checkMaxLength(field: FieldSchema): void {
  const { varCharBytesMax } = SCHEMA_LIMITS;
  if (field.maxLength === null) {
    throw invalid(`type param(max_length) should be specified for the field(${field.name})`);
  }
  if (field.maxLength < 1 || field.maxLength > varCharBytesMax) {
    throw invalid(
      `the maximum length specified for the field(${field.name}) should be in (0, ${varCharBytesMax}], but got ${field.maxLength} instead`,
    );
  }
}

function checkMaxCapacity(field: FieldSchema): void {
  const { arrayCapacityMax } = SCHEMA_LIMITS;
  if (field.elementType === null) throw invalid(`element type of array field ${field.name} is not specified`);
  if (field.maxCapacity === null) {
    throw invalid(`type param(max_capacity) should be specified for array field ${field.name}`);
  }
  if (field.maxCapacity < 1 || field.maxCapacity > arrayCapacityMax) {
    throw invalid(
      `the maximum capacity specified for array field ${field.name} should be in (0, ${arrayCapacityMax}], but got ${field.maxCapacity} instead`,
    );
  }
}

const DEFAULT_KINDS: Partial<Record<DataType, 'bool' | 'int' | 'float' | 'string'>> = {
  Bool: 'bool',
  Int8: 'int',
  Int16: 'int',
  Int32: 'int',
  Int64: 'int',
  Float: 'float',
  Double: 'float',
  VarChar: 'string',
  Timestamptz: 'int',
};

function checkDefaultValue(field: FieldSchema): void {
  const { name, type, maxLength } = field;
  const value = field.defaultValue!;
  const kind = DEFAULT_KINDS[type];
  if (kind === undefined) throw invalid(`type ${type} of field (${name}) not support default_value`);
  if (value.kind !== kind) {
    throw invalid(
      `type (${type}) of field (${name}) is not equal to the type (${value.kind}) of default_value`,
    );
  }
  const range = INT_RANGES[type];
  if (value.kind === 'int' && range !== undefined) {
    const number = BigInt(value.value);
    if (number < range[0] || number > range[1]) {
      throw invalid(`[${number}] is out of range for ${type}, the default_value of field (${name})`);
    }
  }
  if (value.kind === 'float' && !Number.isFinite(type === 'Float' ? Math.fround(value.value) : value.value)) {
    throw invalid(`[${value.value}] is not a finite number, the default_value of field (${name})`);
  }
  if (value.kind === 'string' && Buffer.byteLength(value.value) > maxLength!) {
    throw invalid(
      `the length (${Buffer.byteLength(value.value)}) of string exceeds max length (${maxLength}), the default_value of field (${name})`,
    );
  }
}

function checkSpecialKeys(fields: readonly FieldSchema[]): void {
  checkPartitionKey(fields);
  checkClusteringKey(fields);
}

function checkClusteringKey(fields: readonly FieldSchema[]): void {
  const [key, second] = fields.filter((field) => field.isClusteringKey);
  if (key === undefined) return;
  if (second !== undefined) {
    throw invalid(`there are more than one clustering key, field name = ${key.name}, ${second.name}`);
  }
  if (CLUSTERING_TYPES.includes(key.type)) return;
  throw invalid(
    `the data type of clustering key should be one of ${CLUSTERING_TYPES.join(', ')}, but field ${key.name} is ${key.type}`,
  );
}

function checkPartitionKey(fields: readonly FieldSchema[]): void {
  const [key, second] = fields.filter((field) => field.isPartitionKey);
  if (key === undefined) return;
  if (second !== undefined) {
    throw invalid(`there are more than one partition key, field name = ${key.name}, ${second.name}`);
  }
  if (key.isPrimaryKey) throw invalid('the partition key field must not be primary field');
  if (key.nullable) throw invalid(`partition key field not support nullable, field name = ${key.name}`);
  if (key.type !== 'Int64' && key.type !== 'VarChar') {
    throw invalid('the data type of partition key should be Int64 or VarChar');
  }
}

function invalid(message: string): MishardsError {
  return new MishardsError('COLLECTION_SCHEMA_INVALID', message);
}
