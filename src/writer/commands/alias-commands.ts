import {
  NOTHING_TO_DO,
  put,
  putCollection,
  requireCollection,
  requireDatabase,
  type CommandContext,
  type CommandPlan,
} from './command-context.ts';
import type { CatalogCommand } from '../../catalog/commands.ts';
import { nameDocumentKey } from '../../catalog/keys.ts';
import type { CollectionMeta } from '../../catalog/model.ts';
import { MishardsError } from '../../errors/index.ts';

type Command<Kind extends CatalogCommand['kind']> = CatalogCommand & { readonly kind: Kind };

/** Giving a collection an alias it has succeeds. */
export function createAlias(command: Command<'create-alias'>, context: CommandContext): CommandPlan {
  const { alias } = command;
  const meta = requireCollection(context.snapshot, command.collectionId);
  const holder = holderOf(alias, meta.databaseName, context);
  if (holder?.id === meta.id) return NOTHING_TO_DO;
  if (holder !== undefined) {
    throw new MishardsError(
      'ALIAS_EXISTS',
      `${alias} is alias to another collection: ${holder.name}: alias already exist[database=${meta.databaseName}][alias=${alias}]`,
    );
  }
  return [putCollection(withAlias(meta, alias)), putName(meta, alias)];
}

/** Moves an existing alias to the collection. */
export function alterAlias(command: Command<'alter-alias'>, context: CommandContext): CommandPlan {
  const { alias } = command;
  const meta = requireCollection(context.snapshot, command.collectionId);
  const holder = holderOf(alias, meta.databaseName, context);
  if (holder === undefined) {
    throw new MishardsError(
      'ALIAS_NOT_FOUND',
      `alias not found[database=${meta.databaseName}][alias=${alias}]`,
    );
  }
  if (holder.id === meta.id) return NOTHING_TO_DO;
  return [
    putCollection(withAlias(meta, alias)),
    putCollection(withoutAlias(holder, alias)),
    putName(meta, alias),
  ];
}

/** Dropping what does not exist succeeds. */
export function dropAlias(command: Command<'drop-alias'>, context: CommandContext): CommandPlan {
  const { alias, databaseName } = command;
  requireDatabase(context.snapshot, databaseName);
  const holder = context.snapshot.findCollection(databaseName, alias);
  if (holder === undefined || !holder.aliases.includes(alias)) return NOTHING_TO_DO;
  return [
    putCollection(withoutAlias(holder, alias)),
    { kind: 'delete', key: nameDocumentKey(databaseName, alias) },
  ];
}

/** The collection that has the alias. `ALIAS_NAME_CONFLICT` when it is the name of one. */
function holderOf(
  alias: string,
  databaseName: string,
  { snapshot }: CommandContext,
): CollectionMeta | undefined {
  const holder = snapshot.findCollection(databaseName, alias);
  if (holder?.name === alias) {
    throw new MishardsError(
      'ALIAS_NAME_CONFLICT',
      `alias and collection name conflict[database=${databaseName}][alias=${alias}]`,
    );
  }
  return holder;
}

function withAlias(meta: CollectionMeta, alias: string): CollectionMeta {
  return { ...meta, aliases: [...meta.aliases, alias] };
}

function withoutAlias(meta: CollectionMeta, alias: string): CollectionMeta {
  return { ...meta, aliases: meta.aliases.filter((candidate) => candidate !== alias) };
}

function putName(meta: CollectionMeta, name: string): CommandPlan[number] {
  return put(nameDocumentKey(meta.databaseName, name), { collectionId: meta.id });
}
