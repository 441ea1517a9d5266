import { dataTypeOf, elementTypeOf, wireTypeOf } from './data-types.ts';
import type {
  CollectionSchema as WireSchema,
  CollectionSchemaInit,
  FieldSchema as WireField,
  FieldSchemaInit,
  ValueField,
  ValueFieldInit,
} from './generated/milvus.js';
import { mapOfPairs, pairsOf } from './key-values.ts';
import { MishardsError } from '../../errors/index.ts';
import {
  DYNAMIC_FIELD_NAME,
  FIRST_FIELD_ID,
  isVectorType,
  validateSchema,
  type CollectionSchema,
  type DefaultValue,
  type FieldSchema,
} from '../../schema/index.ts';
import { formatInstant, parseInstant } from '../../util/instant.ts';

const OWN_PARAMS = new Set(['dim', 'max_length', 'max_capacity']);

/**
 * The schema of a new collection: translated, numbered from 100, with its dynamic field, and validated. `zone`: whose clocks show
 * default times that name no offset.
 */
export function schemaFromWire(wire: WireSchema, zone: string): CollectionSchema {
  refuseWhatIsMissing(wire);
  const declared = wire.fields.map((field, index) => fieldFromWire(field, FIRST_FIELD_ID + index, zone));
  const fields = wire.enableDynamicField
    ? [...declared, dynamicFieldOf(FIRST_FIELD_ID + declared.length)]
    : declared;
  const schema: CollectionSchema = {
    description: wire.description,
    autoId: declared.some((field) => field.isPrimaryKey && field.autoId),
    enableDynamicField: wire.enableDynamicField,
    fields,
  };
  validateSchema(schema);
  return schema;
}

/** A field that is to be added to a schema. Whether it may be is the writer's to say, who also gives it its id. */
export function addedFieldFromWire(wire: WireField, zone: string): FieldSchema {
  refuseMissingOf(wire);
  return fieldFromWire(wire, FIRST_FIELD_ID, zone);
}

/** The dynamic field stays hidden, as in Milvus. */
export function schemaToWire(
  name: string,
  databaseName: string,
  schema: CollectionSchema,
  zone: string,
): CollectionSchemaInit {
  return {
    name,
    dbName: databaseName,
    description: schema.description,
    autoID: schema.autoId,
    enableDynamicField: schema.enableDynamicField,
    fields: schema.fields.filter((field) => !field.isDynamic).map((field) => fieldToWire(field, zone)),
  };
}

function refuseWhatIsMissing(wire: WireSchema): void {
  const [struct] = wire.structArrayFields;
  if (struct !== undefined) refuse(`struct array field ${struct.name}`);
  const [func] = wire.functions;
  if (func !== undefined) refuse(`function ${func.name}`);
  if (wire.externalSource !== '') refuse('an external collection');
  if (wire.enableNamespace) refuse('a collection with namespaces');
  for (const field of wire.fields) refuseMissingOf(field);
}

function refuse(what: string): never {
  throw new MishardsError('NOT_SUPPORTED', `${what} is not supported yet`);
}

function refuseMissingOf(field: WireField): void {
  const params = mapOfPairs(field.typeParams);
  if (params.get('enable_match') === 'true') refuse(`text match (enable_match) on field ${field.name}`);
  if (!field.isDynamic) return;
  throw new MishardsError(
    'COLLECTION_SCHEMA_INVALID',
    `cannot explicitly set a field as a dynamic field, field name = ${field.name}`,
  );
}

function fieldFromWire(wire: WireField, id: number, zone: string): FieldSchema {
  const type = dataTypeOf(wire.dataType, wire.name);
  const params = mapOfPairs(wire.typeParams);
  return {
    id,
    name: wire.name,
    description: wire.description,
    type,
    elementType: type === 'Array' ? elementTypeOf(wire.elementType, wire.name) : null,
    isPrimaryKey: wire.isPrimaryKey,
    autoId: wire.autoID,
    isPartitionKey: wire.isPartitionKey,
    isClusteringKey: wire.isClusteringKey,
    nullable: wire.nullable,
    defaultValue:
      wire.defaultValue === null
        ? null
        : defaultValueOf(wire.defaultValue, wire.name, type === 'Timestamptz' ? zone : null),
    isDynamic: false,
    dim: isVectorType(type) ? integerOf(params, 'dim', wire.name) : null,
    maxLength: integerOf(params, 'max_length', wire.name),
    maxCapacity: integerOf(params, 'max_capacity', wire.name),
    typeParams: Object.fromEntries([...params].filter(([key]) => !OWN_PARAMS.has(key))),
  };
}

function fieldToWire(field: FieldSchema, zone: string): FieldSchemaInit {
  const own = { dim: field.dim, max_length: field.maxLength, max_capacity: field.maxCapacity };
  const given = Object.entries(own).filter(([, value]) => value !== null);
  return {
    fieldID: BigInt(field.id),
    name: field.name,
    description: field.description,
    dataType: wireTypeOf(field.type),
    elementType: field.elementType === null ? 0 : wireTypeOf(field.elementType),
    isPrimaryKey: field.isPrimaryKey,
    autoID: field.autoId,
    isPartitionKey: field.isPartitionKey,
    isClusteringKey: field.isClusteringKey,
    nullable: field.nullable,
    defaultValue: field.defaultValue === null ? null : defaultValueToWire(field, field.defaultValue, zone),
    typeParams: pairsOf({
      ...Object.fromEntries(given.map(([key, value]) => [key, String(value)])),
      ...field.typeParams,
    }),
  };
}

/** The hidden field of undeclared keys. */
export function dynamicFieldOf(id: number): FieldSchema {
  return {
    id,
    name: DYNAMIC_FIELD_NAME,
    description: 'dynamic schema',
    type: 'JSON',
    elementType: null,
    isPrimaryKey: false,
    autoId: false,
    isPartitionKey: false,
    isClusteringKey: false,
    nullable: false,
    defaultValue: null,
    isDynamic: true,
    dim: null,
    maxLength: null,
    maxCapacity: null,
    typeParams: {},
  };
}

function integerOf(params: ReadonlyMap<string, string>, key: string, fieldName: string): number | null {
  const text = params.get(key);
  if (text === undefined) return null;
  if (/^[+-]?\d{1,15}$/.test(text)) return Number(text);
  throw new MishardsError(
    'COLLECTION_SCHEMA_INVALID',
    `the value for ${key} of field ${fieldName} must be an integer, but got ${text}`,
  );
}

/** `zone`: not null for fields of times, whose texts are read. */
function defaultValueOf(wire: ValueField, fieldName: string, zone: string | null): DefaultValue | null {
  if (wire.boolData !== null) return { kind: 'bool', value: wire.boolData };
  if (wire.intData !== null) return { kind: 'int', value: String(wire.intData) };
  if (wire.timestamptzData !== null && zone !== null)
    return { kind: 'int', value: String(wire.timestamptzData) };
  if (wire.longData !== null) return { kind: 'int', value: String(wire.longData) };
  if (wire.floatData !== null) return { kind: 'float', value: wire.floatData };
  if (wire.doubleData !== null) return { kind: 'float', value: wire.doubleData };
  if (wire.stringData !== null && zone !== null) return defaultInstant(wire.stringData, fieldName, zone);
  if (wire.stringData !== null) return { kind: 'string', value: wire.stringData };
  const isEmpty = Object.values(wire).every((value) => value === null);
  if (isEmpty) return null;
  throw new MishardsError(
    'NOT_SUPPORTED',
    `the kind of default_value of field ${fieldName} is not supported yet`,
  );
}

function defaultInstant(text: string, fieldName: string, zone: string): DefaultValue {
  const instant = parseInstant(text, zone);
  if (typeof instant === 'bigint') return { kind: 'int', value: String(instant) };
  throw new MishardsError(
    'COLLECTION_SCHEMA_INVALID',
    `the default_value '${text}' of field (${fieldName}) is not a timestamptz: ${instant.problem}`,
  );
}

function defaultValueToWire(field: FieldSchema, value: DefaultValue, zone: string): ValueFieldInit {
  if (field.type === 'Timestamptz' && value.kind === 'int')
    return { stringData: formatInstant(BigInt(value.value), zone) };
  switch (value.kind) {
    case 'bool':
      return { boolData: value.value };
    case 'int':
      return field.type === 'Int64' ? { longData: BigInt(value.value) } : { intData: Number(value.value) };
    case 'float':
      return field.type === 'Float' ? { floatData: value.value } : { doubleData: value.value };
    case 'string':
      return { stringData: value.value };
  }
}
