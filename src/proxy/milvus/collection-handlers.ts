import { checkCollectionProperties } from './collection-properties.ts';
import { createCollectionCommand, isSameCollection } from './create-collection.ts';
import type { FrontServices, Handlers } from './handler.ts';
import { collectionOf, databaseNameOf, databaseOf } from './lookup.ts';
import { MishardsError } from '../../errors/index.ts';
import { checkCollectionName } from '../../schema/index.ts';
import { recordOfPairs } from '../translate/key-values.ts';
import { SUCCESS } from '../translate/status.ts';

/** Calls that change which collections there are. */
export function collectionHandlers(
  services: FrontServices,
): Handlers<
  'CreateCollection' | 'DropCollection' | 'HasCollection' | 'RenameCollection' | 'AlterCollection'
> {
  const { core } = services;
  return {
    async CreateCollection(request, call) {
      const snapshot = core.catalog.snapshot();
      const database = databaseOf(snapshot, request, call);
      const command = createCollectionCommand(request, database.name);
      const existing = snapshot.findCollection(database.name, command.name);
      if (existing === undefined) {
        await core.execute(command, call);
        return SUCCESS;
      }
      if (existing.name !== command.name) {
        throw new MishardsError(
          'COLLECTION_EXISTS',
          `collection name [${command.name}] conflicts with an existing alias, please choose a unique name`,
        );
      }
      if (isSameCollection(existing, command)) return SUCCESS;
      throw new MishardsError(
        'COLLECTION_EXISTS',
        `create duplicate collection with different parameters, collection: ${command.name}`,
      );
    },
    async DropCollection(request, call) {
      checkCollectionName(request.collectionName);
      const snapshot = core.catalog.snapshot();
      const collection = snapshot.findCollection(databaseNameOf(request, call), request.collectionName);
      // Dropping what is not there succeeds, so that a drop can be repeated.
      if (collection === undefined) return SUCCESS;
      if (collection.name !== request.collectionName) {
        throw new MishardsError(
          'PARAMETER_INVALID',
          `cannot drop the collection via alias = ${request.collectionName}`,
        );
      }
      if (collection.aliases.length > 0) {
        throw new MishardsError(
          'PARAMETER_INVALID',
          `unable to drop the collection [${collection.name}] because it has associated aliases [${collection.aliases.join(', ')}], please remove all aliases before dropping the collection`,
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
      const snapshot = core.catalog.snapshot();
      const collection = collectionOf(services, { ...request, collectionName: request.oldName }, call);
      const databaseName = request.newDBName === '' ? collection.databaseName : request.newDBName;
      databaseOf(snapshot, { dbName: databaseName }, call);
      if (collection.name !== request.oldName) {
        throw new MishardsError(
          'PARAMETER_INVALID',
          `unsupported use an alias to rename collection, alias:${request.oldName}`,
        );
      }
      if (databaseName !== collection.databaseName && collection.aliases.length > 0) {
        throw new MishardsError('PARAMETER_INVALID', 'fail to rename db name, must drop all aliases first');
      }
      if (snapshot.findCollection(databaseName, request.newName) !== undefined) {
        throw new MishardsError(
          'COLLECTION_EXISTS',
          `duplicated new collection name ${request.newName} in database ${databaseName} with other collection name or alias`,
        );
      }
      await core.execute(
        { kind: 'rename-collection', collectionId: collection.id, databaseName, name: request.newName },
        call,
      );
      return SUCCESS;
    },
    async AlterCollection(request, call) {
      const collection = collectionOf(services, request, call);
      const set = recordOfPairs(request.properties);
      const remove = request.deleteKeys;
      if (Object.keys(set).length > 0 && remove.length > 0) {
        throw new MishardsError('PARAMETER_INVALID', 'can not provide both DeleteKeys and ExtraParams');
      }
      checkCollectionProperties(set);
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
