import type { FrontServices, Handlers, MilvusCall } from './handler.ts';
import { collectionOf } from './lookup.ts';
import type { CollectionMeta } from '../../catalog/model.ts';
import { MishardsError } from '../../errors/index.ts';
import {
  SCHEMA_LIMITS,
  findField,
  validateAddedField,
  type CollectionSchema,
  type FieldSchema,
} from '../../schema/index.ts';
import { addedFieldFromWire } from '../translate/collection-schema.ts';
import { FieldSchema as WireField, type Action } from '../translate/generated/milvus.js';
import { integerParam, mapOfPairs } from '../translate/key-values.ts';
import { SUCCESS } from '../translate/status.ts';
import { zoneOf } from '../translate/times.ts';

/** Where Milvus keeps a field; kept and shown, without effect here. */
const MMAP = 'mmap.enabled';

/** Calls that change fields of a collection. */
export function fieldHandlers(
  services: FrontServices,
): Handlers<'AlterCollectionField' | 'AddCollectionField' | 'AlterCollectionSchema'> {
  const add = async (collection: CollectionMeta, wire: WireField, call: MilvusCall): Promise<void> => {
    const field = addedFieldFromWire(wire, zoneOf(collection));
    validateAddedField(collection.schema, field);
    await services.core.execute({ kind: 'add-field', collectionId: collection.id, field }, call);
  };
  return {
    async AddCollectionField(request, call) {
      await add(collectionOf(services, request, call), WireField.decode(request.schema), call);
      return SUCCESS;
    },
    async AlterCollectionSchema(request, call) {
      const collection = collectionOf(services, request, call);
      await add(collection, addedField(request.action), call);
      return { alterStatus: SUCCESS };
    },
    async AlterCollectionField(request, call) {
      const collection = collectionOf(services, request, call);
      const field = fieldOf(collection.schema, request.fieldName);
      const given = mapOfPairs(request.properties);
      const remove = request.deleteKeys;
      if (given.size > 0 && remove.length > 0) {
        throw invalid('can not provide both DeleteKeys and ExtraParams');
      }
      for (const key of [...given.keys(), ...remove]) checkKey(key, remove);
      if (collection.load !== null && [...given.keys(), ...remove].includes(MMAP)) {
        throw new MishardsError(
          'COLLECTION_LOADED',
          `can not alter mmap properties if collection loaded[collection=${collection.name}]`,
        );
      }
      const mmap = given.get(MMAP);
      await services.core.execute(
        {
          kind: 'alter-field',
          collectionId: collection.id,
          fieldId: field.id,
          maxLength: newMaxLength(field, given),
          maxCapacity: newMaxCapacity(field, given),
          set: mmap === undefined ? {} : { [MMAP]: mmap },
          remove,
        },
        call,
      );
      return SUCCESS;
    },
  };
}

/** The one field that a change of the schema adds. */
function addedField(action: Action | null): WireField {
  const request = action?.addRequest ?? null;
  const [info, second] = request?.fieldInfos ?? [];
  const field = info?.fieldSchema ?? null;
  const isPlain = request?.funcSchema.length === 0 && second === undefined && (info?.indexName ?? '') === '';
  if (isPlain && field !== null) return field;
  throw new MishardsError(
    'NOT_SUPPORTED',
    'changing a schema other than by one field, without functions and indexes, is not supported yet',
  );
}

function fieldOf(schema: CollectionSchema, name: string): FieldSchema {
  const field = findField(schema, name);
  if (field !== undefined && !field.isDynamic) return field;
  throw new MishardsError('FIELD_NOT_FOUND', `field ${name} does not exist in collection`);
}

function checkKey(key: string, removed: readonly string[]): void {
  if (key === MMAP) return;
  if (removed.includes(key)) throw invalid(`${key} is not allowed to be dropped from a field`);
  if (key !== 'max_length' && key !== 'max_capacity') {
    throw invalid(`${key} is not allowed to be altered; a field has max_length, max_capacity and ${MMAP}`);
  }
}

/** null = not asked for. */
function newMaxLength(field: FieldSchema, given: ReadonlyMap<string, string>): number | null {
  const value = integerParam(given, 'max_length');
  if (value === undefined) return null;
  if (field.type !== 'VarChar' && field.elementType !== 'VarChar') {
    throw invalid(`${field.name} can not modify the maxlength for non-string types`);
  }
  const { varCharBytesMax } = SCHEMA_LIMITS;
  if (value >= 1 && value <= varCharBytesMax) return value;
  throw invalid(
    `the maximum length specified for the field(${field.name}) should be in (0, ${varCharBytesMax}], but got ${value} instead`,
  );
}

/** null = not asked for. */
function newMaxCapacity(field: FieldSchema, given: ReadonlyMap<string, string>): number | null {
  const value = integerParam(given, 'max_capacity');
  if (value === undefined) return null;
  if (field.type !== 'Array')
    throw invalid(`${field.name} can not modify the maxcapacity for non-array types`);
  const { arrayCapacityMax } = SCHEMA_LIMITS;
  if (value >= 1 && value <= arrayCapacityMax) return value;
  throw invalid(
    `the maximum capacity specified for array field ${field.name} should be in (0, ${arrayCapacityMax}], but got ${value} instead`,
  );
}

function invalid(message: string): MishardsError {
  return new MishardsError('PARAMETER_INVALID', message);
}
