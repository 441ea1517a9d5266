import {
  NOTHING_TO_DO,
  newestOf,
  putCollection,
  requireCollection,
  type CommandContext,
  type CommandPlan,
} from './command-context.ts';
import type { CatalogCommand } from '../../catalog/commands.ts';
import { DEFAULT_PARTITION_NAME, type PartitionMeta } from '../../catalog/model.ts';
import { MishardsError } from '../../errors/index.ts';

type Command<Kind extends CatalogCommand['kind']> = CatalogCommand & { readonly kind: Kind };

/** Creating what exists succeeds. */
export function createPartition(command: Command<'create-partition'>, context: CommandContext): CommandPlan {
  const meta = requireCollection(context.snapshot, command.collectionId);
  if (meta.partitions.some((partition) => partition.name === command.name)) return NOTHING_TO_DO;
  const { partitionsMax } = context.limits;
  if (meta.partitions.length >= partitionsMax) {
    throw new MishardsError(
      'PARAMETER_INVALID',
      `partition number (${meta.partitions.length}) exceeds max configuration (${partitionsMax}), collection: ${meta.name}`,
    );
  }
  const partition: PartitionMeta = {
    id: context.takeId(),
    name: command.name,
    createdTimestamp: context.timestamp,
  };
  return [
    putCollection({
      ...meta,
      partitions: [...meta.partitions, partition],
      newestPartitionId: newestOf([meta.newestPartitionId, partition.id]),
    }),
  ];
}

/**
 * Dropping what does not exist succeeds. The partition's segments become orphans by it; its fresh rows are left out of
 * the next flush.
 */
export function dropPartition(command: Command<'drop-partition'>, context: CommandContext): CommandPlan {
  if (command.name === DEFAULT_PARTITION_NAME) {
    throw new MishardsError('PARAMETER_INVALID', 'default partition cannot be deleted');
  }
  const meta = requireCollection(context.snapshot, command.collectionId);
  const dropped = meta.partitions.find((partition) => partition.name === command.name);
  if (dropped === undefined) return NOTHING_TO_DO;
  const isLoaded =
    meta.load !== null && (meta.load.partitionIds === null || meta.load.partitionIds.includes(dropped.id));
  if (isLoaded) {
    throw new MishardsError(
      'PARAMETER_INVALID',
      'partition cannot be dropped, partition is loaded, please release it first',
    );
  }
  return [
    putCollection({ ...meta, partitions: meta.partitions.filter((partition) => partition !== dropped) }),
  ];
}
