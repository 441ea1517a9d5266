import {
  CONSISTENCY_LEVELS,
  type CollectionMeta,
  type DatabaseMeta,
  type IndexMeta,
  type LoadSpec,
  type PartitionMeta,
  type WriterLeader,
} from './model.ts';
import type { JsonFields } from '../util/json-fields.ts';
import {
  ELEMENT_TYPES,
  METRICS,
  SCALAR_TYPES,
  VECTOR_TYPES,
  type CollectionId,
  type CollectionSchema,
  type DefaultValue,
  type FieldSchema,
  type IndexId,
  type PartitionId,
  type SegmentId,
} from '../schema/index.ts';

const DATA_TYPES = [...SCALAR_TYPES, ...VECTOR_TYPES];
const DEFAULT_KINDS = ['bool', 'int', 'float', 'string'] as const;

export function readDatabase(fields: JsonFields): DatabaseMeta {
  return {
    id: fields.decimal('id'),
    name: fields.text('name'),
    properties: fields.properties('properties'),
    createdTimestamp: fields.decimal('createdTimestamp'),
  };
}

export function readCollection(fields: JsonFields): CollectionMeta {
  return {
    id: fields.decimal<CollectionId>('id'),
    databaseName: fields.text('databaseName'),
    name: fields.text('name'),
    aliases: fields.texts('aliases'),
    schema: fields.object('schema', readSchema),
    schemaVersion: fields.count('schemaVersion'),
    channels: fields.texts('channels'),
    consistencyLevel: fields.oneOf('consistencyLevel', CONSISTENCY_LEVELS),
    properties: fields.properties('properties'),
    createdTimestamp: fields.decimal('createdTimestamp'),
    partitions: fields.objects('partitions', readPartition),
    newestPartitionId: fields.decimal<PartitionId>('newestPartitionId'),
    indexes: fields.objects('indexes', readIndex),
    load: fields.nullable('load', (name) => fields.object(name, readLoad)),
  };
}

export function readSchema(fields: JsonFields): CollectionSchema {
  return {
    description: fields.text('description'),
    autoId: fields.flag('autoId'),
    enableDynamicField: fields.flag('enableDynamicField'),
    fields: fields.objects('fields', readField),
  };
}

export function readWriterLeader(fields: JsonFields): WriterLeader {
  return { nodeId: fields.text('nodeId'), address: fields.text('address'), epoch: fields.count('epoch') };
}

/** The collection a name or alias stands for. */
export function readName(fields: JsonFields): CollectionId {
  return fields.decimal<CollectionId>('collectionId');
}

export function readField(fields: JsonFields): FieldSchema {
  return {
    id: fields.count('id'),
    name: fields.text('name'),
    description: fields.text('description'),
    type: fields.oneOf('type', DATA_TYPES),
    elementType: fields.nullable('elementType', (name) => fields.oneOf(name, ELEMENT_TYPES)),
    isPrimaryKey: fields.flag('isPrimaryKey'),
    autoId: fields.flag('autoId'),
    isPartitionKey: fields.flag('isPartitionKey'),
    isClusteringKey: fields.flag('isClusteringKey'),
    nullable: fields.flag('nullable'),
    defaultValue: fields.nullable('defaultValue', (name) => fields.object(name, readDefaultValue)),
    isDynamic: fields.flag('isDynamic'),
    dim: fields.nullable('dim', (name) => fields.count(name)),
    maxLength: fields.nullable('maxLength', (name) => fields.count(name)),
    maxCapacity: fields.nullable('maxCapacity', (name) => fields.count(name)),
    typeParams: fields.properties('typeParams'),
  };
}

function readDefaultValue(fields: JsonFields): DefaultValue {
  const kind = fields.oneOf('kind', DEFAULT_KINDS);
  if (kind === 'bool') return { kind, value: fields.flag('value') };
  if (kind === 'float') return { kind, value: fields.number('value') };
  return { kind, value: fields.text('value') };
}

function readPartition(fields: JsonFields): PartitionMeta {
  return {
    id: fields.decimal<PartitionId>('id'),
    name: fields.text('name'),
    createdTimestamp: fields.decimal('createdTimestamp'),
  };
}

function readIndex(fields: JsonFields): IndexMeta {
  return {
    id: fields.decimal<IndexId>('id'),
    name: fields.text('name'),
    fieldId: fields.count('fieldId'),
    requestedType: fields.text('requestedType'),
    type: fields.text('type'),
    metric: fields.nullable('metric', (name) => fields.oneOf(name, METRICS)),
    params: fields.properties('params'),
    createdTimestamp: fields.decimal('createdTimestamp'),
  };
}

function readLoad(fields: JsonFields): LoadSpec {
  return {
    replicas: fields.count('replicas'),
    partitionIds: fields.nullable('partitionIds', (name) => fields.texts<PartitionId>(name)),
    fieldIds: fields.nullable('fieldIds', (name) => fields.counts(name)),
    // Documents of earlier versions do not say.
    before: fields.has('before')
      ? fields.nullable('before', (name) => fields.decimal<SegmentId>(name))
      : null,
  };
}
