import type { FrontServices, Handlers } from './handler.ts';
import { collectionOf, databaseOf } from './lookup.ts';
import type { CollectionMeta } from '../../catalog/model.ts';
import { MishardsError } from '../../errors/index.ts';
import { checkAliasName } from '../../schema/index.ts';
import { SUCCESS } from '../translate/status.ts';

export function aliasHandlers(
  services: FrontServices,
): Handlers<'CreateAlias' | 'DropAlias' | 'AlterAlias' | 'DescribeAlias' | 'ListAliases'> {
  const { core } = services;
  const owner = (databaseName: string, alias: string): CollectionMeta | undefined => {
    const found = core.catalog.snapshot().findCollection(databaseName, alias);
    return found?.aliases.includes(alias) === true ? found : undefined;
  };
  return {
    async CreateAlias(request, call) {
      checkAliasName(request.alias);
      const collection = collectionOf(services, request, call);
      refuseCollectionName(
        core.catalog.snapshot().findCollection(collection.databaseName, request.alias),
        request.alias,
      );
      const present = owner(collection.databaseName, request.alias);
      if (present?.id === collection.id) return SUCCESS;
      if (present !== undefined) {
        throw new MishardsError(
          'ALIAS_EXISTS',
          `${request.alias} is alias to another collection: ${present.name}: alias already exist[database=${collection.databaseName}][alias=${request.alias}]`,
        );
      }
      await core.execute({ kind: 'create-alias', collectionId: collection.id, alias: request.alias }, call);
      return SUCCESS;
    },
    async AlterAlias(request, call) {
      checkAliasName(request.alias);
      const collection = collectionOf(services, request, call);
      refuseCollectionName(
        core.catalog.snapshot().findCollection(collection.databaseName, request.alias),
        request.alias,
      );
      const present = owner(collection.databaseName, request.alias);
      if (present === undefined) throw notFound(collection.databaseName, request.alias);
      if (present.id === collection.id) return SUCCESS;
      await core.execute({ kind: 'alter-alias', collectionId: collection.id, alias: request.alias }, call);
      return SUCCESS;
    },
    async DropAlias(request, call) {
      checkAliasName(request.alias);
      const { name } = databaseOf(core.catalog.snapshot(), request, call);
      // Dropping what is not there succeeds, so that a drop can be repeated.
      if (owner(name, request.alias) === undefined) return SUCCESS;
      await core.execute({ kind: 'drop-alias', databaseName: name, alias: request.alias }, call);
      return SUCCESS;
    },
    DescribeAlias(request, call) {
      checkAliasName(request.alias);
      const { name } = databaseOf(core.catalog.snapshot(), request, call);
      const collection = owner(name, request.alias);
      if (collection === undefined) throw notFound(name, request.alias);
      return { status: SUCCESS, dbName: name, alias: request.alias, collection: collection.name };
    },
    ListAliases(request, call) {
      const snapshot = core.catalog.snapshot();
      const { name } = databaseOf(snapshot, request, call);
      const collections =
        request.collectionName === ''
          ? snapshot.collectionsOf(name)
          : [collectionOf(services, request, call)];
      return {
        status: SUCCESS,
        dbName: name,
        collectionName: request.collectionName,
        aliases: collections.flatMap((collection) => collection.aliases),
      };
    },
  };
}

function refuseCollectionName(found: CollectionMeta | undefined, alias: string): void {
  if (found?.name !== alias) return;
  throw new MishardsError(
    'ALIAS_NAME_CONFLICT',
    `alias and collection name conflict[database=${found.databaseName}][alias=${alias}]`,
  );
}

function notFound(databaseName: string, alias: string): MishardsError {
  return new MishardsError('ALIAS_NOT_FOUND', `alias not found[database=${databaseName}][alias=${alias}]`);
}
