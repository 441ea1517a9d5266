import { alterAlias, createAlias, dropAlias } from './alias-commands.ts';
import {
  alterCollection,
  createCollection,
  dropCollection,
  renameCollection,
  truncateCollection,
} from './collection-commands.ts';
import type { CatalogLimits, CommandContext, CommandPlan } from './command-context.ts';
import { alterDatabase, createDatabase, dropDatabase } from './database-commands.ts';
import { addField, alterField } from './field-commands.ts';
import { alterIndex, createIndex, dropIndex } from './index-commands.ts';
import { load, release } from './load-commands.ts';
import { createPartition, dropPartition } from './partition-commands.ts';
import type { CatalogCommand } from '../../catalog/commands.ts';
import { unreachable } from '../../util/assert.ts';

/** How many ids planning the command may take. */
export function idsNeeded(command: CatalogCommand, { partitionsMax }: CatalogLimits): number {
  switch (command.kind) {
    case 'create-collection':
      return 1 + command.partitionCount;
    case 'create-database':
    case 'create-partition':
    case 'create-index':
    case 'load':
      return 1;
    case 'truncate-collection':
      // How many partitions there are is known only when it is planned.
      return partitionsMax;
    default:
      return 0;
  }
}

/** Checks the command against the catalog as it is and says what to write. Throws what the client shall be told. */
export function planCommand(command: CatalogCommand, context: CommandContext): CommandPlan {
  switch (command.kind) {
    case 'create-database':
      return createDatabase(command, context);
    case 'drop-database':
      return dropDatabase(command, context);
    case 'alter-database':
      return alterDatabase(command, context);
    case 'create-collection':
      return createCollection(command, context);
    case 'drop-collection':
      return dropCollection(command, context);
    case 'rename-collection':
      return renameCollection(command, context);
    case 'alter-collection':
      return alterCollection(command, context);
    case 'alter-field':
      return alterField(command, context);
    case 'add-field':
      return addField(command, context);
    case 'truncate-collection':
      return truncateCollection(command, context);
    case 'create-alias':
      return createAlias(command, context);
    case 'alter-alias':
      return alterAlias(command, context);
    case 'drop-alias':
      return dropAlias(command, context);
    case 'create-partition':
      return createPartition(command, context);
    case 'drop-partition':
      return dropPartition(command, context);
    case 'create-index':
      return createIndex(command, context);
    case 'alter-index':
      return alterIndex(command, context);
    case 'drop-index':
      return dropIndex(command, context);
    case 'load':
      return load(command, context);
    case 'release':
      return release(command, context);
    default:
      return unreachable(command);
  }
}
