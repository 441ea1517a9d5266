import { createCollectionCommand } from './create-collection.ts';
import type { FrontServices, Handlers, MilvusCall } from './handler.ts';
import { collectionOf, databaseOf } from './lookup.ts';
import { checkTtlField } from './living-rows.ts';
import { checkProperties } from './properties.ts';
import type { CollectionMeta } from '../../catalog/model.ts';
import { TTL_FIELD, TTL_PROPERTY } from '../../catalog/time-to-live.ts';
import { MishardsError } from '../../errors/index.ts';
import { checkCollectionName, FIRST_FIELD_ID } from '../../schema/index.ts';
import { dynamicFieldOf } from '../translate/collection-schema.ts';
import { recordOfPairs } from '../translate/key-values.ts';
import { SUCCESS } from '../translate/status.ts';

const TTL_PROPERTIES = [TTL_PROPERTY, TTL_FIELD] as const;

/** The property that is no property but a change of the schema. */
const DYNAMIC_FIELD = 'dynamicfield.enabled';

/** Calls that change which collections there are. */
export function collectionHandlers(
  services: FrontServices,
): Handlers<
  | 'CreateCollection'
  | 'DropCollection'
  | 'HasCollection'
  | 'RenameCollection'
  | 'AlterCollection'
  | 'TruncateCollection'
> {
  const { core } = services;
  return {
    async CreateCollection(request, call) {
      const database = databaseOf(core.catalog.snapshot(), request, call);
      await core.execute(createCollectionCommand(request, database), call);
      return SUCCESS;
    },
    async DropCollection(request, call) {
      checkCollectionName(request.collectionName);
      const snapshot = core.catalog.snapshot();
      const database = databaseOf(snapshot, request, call);
      const collection = snapshot.findCollection(database.name, request.collectionName);
      // Dropping what is not there succeeds, so that a drop can be repeated.
      if (collection === undefined) return SUCCESS;
      if (collection.name !== request.collectionName) {
        throw new MishardsError(
          'PARAMETER_INVALID',
          `cannot drop the collection via alias = ${request.collectionName}`,
        );
      }
      await core.execute({ kind: 'drop-collection', collectionId: collection.id }, call);
      return SUCCESS;
    },
    HasCollection(request, call) {
      checkCollectionName(request.collectionName);
      const snapshot = core.catalog.snapshot();
      const database = databaseOf(snapshot, request, call);
      const value = snapshot.findCollection(database.name, request.collectionName) !== undefined;
      return { status: SUCCESS, value };
    },
    async RenameCollection(request, call) {
      checkCollectionName(request.newName);
      const collection = collectionOf(services, { ...request, collectionName: request.oldName }, call);
      const databaseName = request.newDBName === '' ? collection.databaseName : request.newDBName;
      if (collection.name !== request.oldName) {
        throw new MishardsError(
          'PARAMETER_INVALID',
          `unsupported use an alias to rename collection, alias:${request.oldName}`,
        );
      }
      await core.execute(
        { kind: 'rename-collection', collectionId: collection.id, databaseName, name: request.newName },
        call,
      );
      return SUCCESS;
    },
    async TruncateCollection(request, call) {
      const collection = collectionOf(services, request, call);
      await core.execute({ kind: 'truncate-collection', collectionId: collection.id }, call);
      return { status: SUCCESS };
    },
    async AlterCollection(request, call) {
      const collection = collectionOf(services, request, call);
      const set = recordOfPairs(request.properties);
      const remove = request.deleteKeys;
      if (Object.keys(set).length > 0 && remove.length > 0) {
        throw new MishardsError('PARAMETER_INVALID', 'can not provide both DeleteKeys and ExtraParams');
      }
      if (DYNAMIC_FIELD in set) {
        await enableDynamicField(services, collection, set, call);
        return SUCCESS;
      }
      // What is set counts together with what is there.
      checkProperties({ ...pick(collection.properties, TTL_PROPERTIES), ...set }, 'collection');
      if (set[TTL_FIELD] !== undefined) checkTtlField(set[TTL_FIELD], collection.schema);
      const changesMmap = 'mmap.enabled' in set || remove.includes('mmap.enabled');
      if (collection.load !== null && changesMmap) {
        throw new MishardsError(
          'COLLECTION_LOADED',
          `can not alter mmap properties if collection loaded[collection=${collection.name}]`,
        );
      }
      await core.execute({ kind: 'alter-collection', collectionId: collection.id, set, remove }, call);
      return SUCCESS;
    },
  };
}

function pick(
  properties: Readonly<Record<string, string>>,
  names: readonly string[],
): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(properties).filter(([name]) => names.includes(name)));
}

/** Rows that are there have no undeclared keys. */
async function enableDynamicField(
  { core }: FrontServices,
  { id, schema }: CollectionMeta,
  set: Readonly<Record<string, string>>,
  call: MilvusCall,
): Promise<void> {
  const value = set[DYNAMIC_FIELD]!;
  if (Object.keys(set).length > 1) {
    throw new MishardsError(
      'PARAMETER_INVALID',
      `cannot alter ${DYNAMIC_FIELD} with other properties at the same time; send two requests`,
    );
  }
  if (value.toLowerCase() !== 'true') {
    throw new MishardsError(
      'PARAMETER_INVALID',
      `${DYNAMIC_FIELD} [${value}] should be true; it cannot be taken back`,
    );
  }
  if (schema.enableDynamicField) return;
  await core.execute({ kind: 'add-field', collectionId: id, field: dynamicFieldOf(FIRST_FIELD_ID) }, call);
}
