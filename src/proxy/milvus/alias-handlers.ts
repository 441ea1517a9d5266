import type { FrontServices, Handlers, MilvusCall } from './handler.ts';
import { collectionOf, databaseOf } from './lookup.ts';
import type { CollectionMeta } from '../../catalog/model.ts';
import { MishardsError } from '../../errors/index.ts';
import { checkAliasName } from '../../schema/index.ts';
import { SUCCESS } from '../translate/status.ts';

export function aliasHandlers(
  services: FrontServices,
): Handlers<'CreateAlias' | 'DropAlias' | 'AlterAlias' | 'DescribeAlias' | 'ListAliases'> {
  const { core } = services;
  return {
    async CreateAlias(request, call) {
      checkAliasName(request.alias);
      const { id } = collectionNamed(services, request, call);
      await core.execute({ kind: 'create-alias', collectionId: id, alias: request.alias }, call);
      return SUCCESS;
    },
    async AlterAlias(request, call) {
      checkAliasName(request.alias);
      const { id } = collectionNamed(services, request, call);
      await core.execute({ kind: 'alter-alias', collectionId: id, alias: request.alias }, call);
      return SUCCESS;
    },
    async DropAlias(request, call) {
      checkAliasName(request.alias);
      const { name } = databaseOf(core.catalog.snapshot(), request, call);
      await core.execute({ kind: 'drop-alias', databaseName: name, alias: request.alias }, call);
      return SUCCESS;
    },
    DescribeAlias(request, call) {
      checkAliasName(request.alias);
      const { name } = databaseOf(core.catalog.snapshot(), request, call);
      const collection = core.catalog.snapshot().findCollection(name, request.alias);
      if (collection?.aliases.includes(request.alias) !== true) {
        throw new MishardsError(
          'ALIAS_NOT_FOUND',
          `alias not found[database=${name}][alias=${request.alias}]`,
        );
      }
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

/** By its own name: an alias of an alias would not follow it when that is altered. */
function collectionNamed(
  services: FrontServices,
  request: { readonly dbName: string; readonly collectionName: string },
  call: MilvusCall,
): CollectionMeta {
  const collection = collectionOf(services, request, call);
  const name = request.collectionName.trim();
  if (collection.name === name) return collection;
  throw new MishardsError(
    'COLLECTION_NOT_FOUND',
    `collection not found[database=${collection.databaseName}][collection=${name}], it is an alias of ${collection.name}`,
  );
}
