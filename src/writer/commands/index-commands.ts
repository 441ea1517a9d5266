import { isDeepStrictEqual } from 'node:util';
import {
  NOTHING_TO_DO,
  changeProperties,
  putCollection,
  requireCollection,
  type CommandContext,
  type CommandPlan,
} from './command-context.ts';
import type { CatalogCommand, CreateIndexCommand } from '../../catalog/commands.ts';
import type { CollectionMeta, IndexMeta } from '../../catalog/model.ts';
import { jsonTargetOf } from '../../catalog/scalar-index.ts';
import { MishardsError } from '../../errors/index.ts';
import { isVectorType, type FieldSchema } from '../../schema/index.ts';

type Command<Kind extends CatalogCommand['kind']> = CatalogCommand & { readonly kind: Kind };

/** One index a field. Declaring the same again succeeds; the segments' files follow by themselves. */
export function createIndex(command: CreateIndexCommand, context: CommandContext): CommandPlan {
  const meta = requireCollection(context.snapshot, command.collectionId);
  const field = requireField(meta, command.fieldId);
  const present = meta.indexes.find((index) => isSameTarget(index, command, field));
  const name = command.name === '' ? (present?.name ?? defaultName(field, command)) : command.name;
  const sameName = meta.indexes.find((index) => index.name === name);
  if (sameName !== undefined) {
    if (isSameIndex(sameName, command)) return NOTHING_TO_DO;
    throw new MishardsError(
      'INDEX_EXISTS',
      `create index failed: at most one distinct index is allowed per field, index ${name} exists with another definition`,
    );
  }
  if (present !== undefined) {
    throw new MishardsError(
      'INDEX_EXISTS',
      `create index failed: creating multiple indexes on same field is not supported, field ${field.name} has index ${present.name}`,
    );
  }
  const index: IndexMeta = {
    id: context.takeId(),
    name,
    fieldId: field.id,
    requestedType: command.requestedType,
    type: command.type,
    metric: command.metric,
    params: command.params,
    createdTimestamp: context.timestamp,
  };
  return [putCollection({ ...meta, indexes: [...meta.indexes, index] })];
}

export function alterIndex(command: Command<'alter-index'>, context: CommandContext): CommandPlan {
  const meta = requireCollection(context.snapshot, command.collectionId);
  const index = meta.indexes.find((candidate) => candidate.id === command.indexId);
  if (index === undefined) {
    throw new MishardsError('INDEX_NOT_FOUND', `index not found[indexId=${command.indexId}]`);
  }
  if (meta.load !== null) {
    throw new MishardsError(
      'COLLECTION_LOADED',
      `can't alter index on loaded collection, please release the collection first: collection already loaded[collection=${meta.name}]`,
    );
  }
  const params = changeProperties(index.params, command);
  if (params === index.params) return NOTHING_TO_DO;
  const indexes = meta.indexes.map((candidate) => (candidate === index ? { ...index, params } : candidate));
  return [putCollection({ ...meta, indexes })];
}

/** Dropping what does not exist succeeds. The vector indexes of a loaded collection stay: without them it could not be searched. */
export function dropIndex(command: Command<'drop-index'>, context: CommandContext): CommandPlan {
  const meta = requireCollection(context.snapshot, command.collectionId);
  const index = meta.indexes.find((candidate) => candidate.id === command.indexId);
  if (index === undefined) return NOTHING_TO_DO;
  if (meta.load !== null && isVectorType(requireField(meta, index.fieldId).type)) {
    throw new MishardsError(
      'PARAMETER_INVALID',
      `vector index cannot be dropped on loaded collection: ${meta.id}, please release it first`,
    );
  }
  return [putCollection({ ...meta, indexes: meta.indexes.filter((candidate) => candidate !== index) })];
}

/** A field has one index; a JSON field has one for each path. */
function isSameTarget(index: IndexMeta, command: CreateIndexCommand, field: FieldSchema): boolean {
  if (index.fieldId !== field.id || field.type !== 'JSON') return index.fieldId === field.id;
  return isDeepStrictEqual(jsonTargetOf(index, field).path, jsonTargetOf(command, field).path);
}

/** As Milvus: the field, and for JSON the keys of the path. */
function defaultName(field: FieldSchema, command: CreateIndexCommand): string {
  return field.type === 'JSON' ? [field.name, ...jsonTargetOf(command, field).path].join('/') : field.name;
}

function requireField(meta: CollectionMeta, fieldId: number): FieldSchema {
  const field = meta.schema.fields.find((candidate) => candidate.id === fieldId);
  if (field === undefined) {
    throw new MishardsError('FIELD_NOT_FOUND', `field not found[field=${fieldId}][collection=${meta.name}]`);
  }
  return field;
}

function isSameIndex(index: IndexMeta, command: CreateIndexCommand): boolean {
  return (
    index.fieldId === command.fieldId &&
    index.requestedType === command.requestedType &&
    index.type === command.type &&
    index.metric === command.metric &&
    isDeepStrictEqual(index.params, command.params)
  );
}
