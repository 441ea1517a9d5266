import { isDeepStrictEqual } from 'node:util';
import {
  NOTHING_TO_DO,
  changeProperties,
  listed,
  newestOf,
  put,
  putCollection,
  requireCollection,
  requireDatabase,
  type CommandContext,
  type CommandPlan,
} from './command-context.ts';
import type { CatalogSnapshot } from '../../catalog/catalog.ts';
import type { CatalogCommand, CreateCollectionCommand } from '../../catalog/commands.ts';
import { MAX_COLLECTIONS } from '../../catalog/database-properties.ts';
import { channelDocumentKey, channelId, collectionDocumentKey, nameDocumentKey } from '../../catalog/keys.ts';
import {
  DEFAULT_PARTITION_NAME,
  type ChannelMeta,
  type CollectionMeta,
  type PartitionMeta,
} from '../../catalog/model.ts';
import { MishardsError } from '../../errors/index.ts';
import type { CollectionId, PartitionId } from '../../schema/index.ts';

type Command<Kind extends CatalogCommand['kind']> = CatalogCommand & { readonly kind: Kind };

export function createCollection(command: CreateCollectionCommand, context: CommandContext): CommandPlan {
  requireDatabase(context.snapshot, command.databaseName);
  const existing = context.snapshot.findCollection(command.databaseName, command.name);
  if (existing !== undefined) return acceptExisting(command, existing);
  checkRoom(command, context);
  const id = context.takeId<CollectionId>();
  const channels = Array.from({ length: command.shardsNum }, (_, number) => channelId(id, number));
  const partitions = firstPartitions(command, context);
  const meta: CollectionMeta = {
    id,
    databaseName: command.databaseName,
    name: command.name,
    aliases: [],
    schema: command.schema,
    schemaVersion: 1,
    channels,
    consistencyLevel: command.consistencyLevel,
    properties: command.properties,
    createdTimestamp: context.timestamp,
    partitions,
    newestPartitionId: newestOf(partitions.map((partition) => partition.id)),
    indexes: [],
    load: null,
  };
  const emptyChannels = channels.map((channel): ChannelMeta => ({
    id: channel,
    collectionId: id,
    checkpoint: 0,
    deltas: [],
    newestTimestamp: context.timestamp,
  }));
  return [
    putCollection(meta),
    put(nameDocumentKey(meta.databaseName, meta.name), { collectionId: id }),
    ...emptyChannels.map((channel) => put(channelDocumentKey(channel.id), channel)),
  ];
}

/**
 * Dropping what does not exist succeeds. A loaded collection is released by it. Channels and segments stay as orphans
 * until their logs and objects are removed.
 */
export function dropCollection(command: Command<'drop-collection'>, context: CommandContext): CommandPlan {
  const meta = context.snapshot.collections.get(command.collectionId);
  if (meta === undefined) return NOTHING_TO_DO;
  if (meta.aliases.length > 0) {
    throw new MishardsError(
      'PARAMETER_INVALID',
      `unable to drop the collection [${meta.name}] because it has associated aliases ${listed(meta.aliases)}, please remove all aliases before dropping the collection`,
    );
  }
  return [
    { kind: 'delete', key: collectionDocumentKey(meta.id) },
    { kind: 'delete', key: nameDocumentKey(meta.databaseName, meta.name) },
  ];
}

export function renameCollection(
  command: Command<'rename-collection'>,
  context: CommandContext,
): CommandPlan {
  const meta = requireCollection(context.snapshot, command.collectionId);
  const { databaseName, name } = command;
  requireDatabase(context.snapshot, databaseName);
  if (databaseName !== meta.databaseName) checkDatabaseRoom(databaseName, context.snapshot);
  if (meta.databaseName === databaseName && meta.name === name) {
    throw new MishardsError('PARAMETER_INVALID', 'collection name or database name should be different');
  }
  if (meta.aliases.length > 0 && meta.databaseName !== databaseName) {
    throw new MishardsError(
      'PARAMETER_INVALID',
      `fail to rename collection to different database, must drop all aliases of collection ${meta.name} before rename`,
    );
  }
  const holder = context.snapshot.findCollection(databaseName, name);
  if (holder !== undefined && holder.name !== name) {
    throw new MishardsError('ALIAS_NAME_CONFLICT', `cannot rename collection to an existing alias: ${name}`);
  }
  if (holder !== undefined) {
    throw new MishardsError(
      'COLLECTION_EXISTS',
      `duplicated new collection name ${databaseName}:${name} with other collection name or alias`,
    );
  }
  return [
    putCollection({ ...meta, databaseName, name }),
    { kind: 'delete', key: nameDocumentKey(meta.databaseName, meta.name) },
    put(nameDocumentKey(databaseName, name), { collectionId: meta.id }),
  ];
}

export function alterCollection(command: Command<'alter-collection'>, context: CommandContext): CommandPlan {
  const meta = requireCollection(context.snapshot, command.collectionId);
  const properties = changeProperties(meta.properties, command);
  return properties === meta.properties ? NOTHING_TO_DO : [putCollection({ ...meta, properties })];
}

/**
 * Takes all rows away in one step: an empty partition takes the place, the name and the load of each. What the old ones
 * held is left behind as if they had been dropped. A write that is under way and still names an old partition comes to
 * nothing or is refused.
 */
export function truncateCollection(
  command: Command<'truncate-collection'>,
  context: CommandContext,
): CommandPlan {
  const meta = requireCollection(context.snapshot, command.collectionId);
  const successors = new Map(meta.partitions.map(({ id }) => [id, context.takeId<PartitionId>()]));
  const partitions = meta.partitions.map((partition) => ({
    ...partition,
    id: successors.get(partition.id)!,
  }));
  const loaded = meta.load?.partitionIds?.map((id) => successors.get(id)!) ?? null;
  const load = meta.load === null ? null : { ...meta.load, partitionIds: loaded };
  const newestPartitionId = newestOf([meta.newestPartitionId, ...successors.values()]);
  return [putCollection({ ...meta, partitions, newestPartitionId, load })];
}

/** Creating the same collection again succeeds. */
function acceptExisting(command: CreateCollectionCommand, existing: CollectionMeta): CommandPlan {
  if (existing.name !== command.name) {
    throw new MishardsError(
      'COLLECTION_EXISTS',
      `collection name [${command.name}] conflicts with an existing alias, please choose a unique name`,
    );
  }
  const isSame =
    existing.channels.length === command.shardsNum &&
    existing.consistencyLevel === command.consistencyLevel &&
    isDeepStrictEqual(existing.schema, command.schema) &&
    isDeepStrictEqual(existing.properties, command.properties) &&
    (!hasPartitionKey(command) || existing.partitions.length === command.partitionCount);
  if (isSame) return NOTHING_TO_DO;
  throw new MishardsError(
    'COLLECTION_EXISTS',
    `create duplicate collection with different parameters, collection: ${command.name}`,
  );
}

function checkRoom(command: CreateCollectionCommand, { snapshot, limits }: CommandContext): void {
  checkDatabaseRoom(command.databaseName, snapshot);
  if (snapshot.collections.size >= limits.collectionsMax) {
    throw new MishardsError(
      'PARAMETER_INVALID',
      `exceeded the limit number of collections[dbName=${command.databaseName}][limit=${limits.collectionsMax}]`,
    );
  }
  if (command.partitionCount > limits.partitionsMax) {
    throw new MishardsError(
      'PARAMETER_INVALID',
      `partition number (${command.partitionCount}) exceeds max configuration (${limits.partitionsMax}), collection: ${command.name}`,
    );
  }
}

function checkDatabaseRoom(name: string, snapshot: CatalogSnapshot): void {
  const limit = snapshot.databases.get(name)?.properties[MAX_COLLECTIONS];
  if (limit === undefined || snapshot.collectionsOf(name).length < Number(limit)) return;
  throw new MishardsError(
    'PARAMETER_INVALID',
    `exceeded the limit number of collections[dbName=${name}][limit=${limit}]`,
  );
}

function firstPartitions(command: CreateCollectionCommand, context: CommandContext): PartitionMeta[] {
  const names = hasPartitionKey(command)
    ? Array.from({ length: command.partitionCount }, (_, index) => `${DEFAULT_PARTITION_NAME}_${index}`)
    : [DEFAULT_PARTITION_NAME];
  return names.map((name) => ({ id: context.takeId(), name, createdTimestamp: context.timestamp }));
}

function hasPartitionKey(command: CreateCollectionCommand): boolean {
  return command.schema.fields.some((field) => field.isPartitionKey);
}
