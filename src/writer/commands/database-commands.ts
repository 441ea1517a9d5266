import {
  NOTHING_TO_DO,
  changeProperties,
  put,
  requireDatabase,
  type CommandContext,
  type CommandPlan,
} from './command-context.ts';
import type { CatalogCommand } from '../../catalog/commands.ts';
import { databaseDocumentKey } from '../../catalog/keys.ts';
import { DEFAULT_DATABASE_NAME, type DatabaseMeta } from '../../catalog/model.ts';
import { MishardsError } from '../../errors/index.ts';

type Command<Kind extends CatalogCommand['kind']> = CatalogCommand & { readonly kind: Kind };

export function createDatabase(command: Command<'create-database'>, context: CommandContext): CommandPlan {
  const { databases } = context.snapshot;
  if (databases.has(command.name)) {
    throw new MishardsError('DATABASE_EXISTS', `database already exist: ${command.name}`);
  }
  if (databases.size >= context.limits.databasesMax) {
    throw new MishardsError(
      'PARAMETER_INVALID',
      `database number (${databases.size + 1}) exceeds max configuration (${context.limits.databasesMax})`,
    );
  }
  const meta: DatabaseMeta = {
    id: context.takeId(),
    name: command.name,
    properties: command.properties,
    createdTimestamp: context.timestamp,
  };
  return [put(databaseDocumentKey(meta.name), meta)];
}

/** Dropping what does not exist succeeds, as in Milvus. */
export function dropDatabase(command: Command<'drop-database'>, context: CommandContext): CommandPlan {
  const { name } = command;
  if (name === DEFAULT_DATABASE_NAME) {
    throw new MishardsError('PARAMETER_INVALID', 'can not drop default database');
  }
  if (!context.snapshot.databases.has(name)) return NOTHING_TO_DO;
  if (context.snapshot.collectionsOf(name).length > 0) {
    throw new MishardsError(
      'DATABASE_NOT_EMPTY',
      `database:${name} not empty, must drop all collections before drop database`,
    );
  }
  return [{ kind: 'delete', key: databaseDocumentKey(name) }];
}

export function alterDatabase(command: Command<'alter-database'>, context: CommandContext): CommandPlan {
  requireDatabase(context.snapshot, command.name);
  const meta = context.snapshot.databases.get(command.name)!;
  const properties = changeProperties(meta.properties, command);
  return properties === meta.properties
    ? NOTHING_TO_DO
    : [put(databaseDocumentKey(meta.name), { ...meta, properties })];
}
