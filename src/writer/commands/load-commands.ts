import { isDeepStrictEqual } from 'node:util';
import {
  NOTHING_TO_DO,
  listed,
  putCollection,
  requireCollection,
  type CommandContext,
  type CommandPlan,
} from './command-context.ts';
import type { CatalogCommand, LoadCommand } from '../../catalog/commands.ts';
import type { CollectionMeta, LoadSpec } from '../../catalog/model.ts';
import { MishardsError } from '../../errors/index.ts';
import { isVectorType, type PartitionId, type SegmentId } from '../../schema/index.ts';

type ReleaseCommand = CatalogCommand & { readonly kind: 'release' };

/** States what readers shall hold ready. Loading what is loaded succeeds. */
export function load(command: LoadCommand, context: CommandContext): CommandPlan {
  const meta = requireCollection(context.snapshot, command.collectionId);
  requirePartitions(meta, command.partitionIds ?? []);
  requireVectorIndexes(meta, command.fieldIds);
  const wanted = specOf(command, meta.load);
  if (isDeepStrictEqual(wanted, meta.load)) return NOTHING_TO_DO;
  return [putCollection({ ...meta, load: { ...wanted, before: context.takeId<SegmentId>() } })];
}

/** Releasing what is not loaded succeeds. A collection whose last partition is released is released. */
export function release(command: ReleaseCommand, context: CommandContext): CommandPlan {
  const meta = requireCollection(context.snapshot, command.collectionId);
  if (meta.load === null) return NOTHING_TO_DO;
  const { partitionIds } = command;
  if (partitionIds === null) return [putCollection({ ...meta, load: null })];
  requirePartitions(meta, partitionIds);
  const loaded = meta.load.partitionIds ?? meta.partitions.map((partition) => partition.id);
  const rest = loaded.filter((id) => !partitionIds.includes(id));
  if (rest.length === loaded.length) return NOTHING_TO_DO;
  return [putCollection({ ...meta, load: rest.length === 0 ? null : { ...meta.load, partitionIds: rest } })];
}

function specOf(command: LoadCommand, present: LoadSpec | null): LoadSpec {
  const { replicas, fieldIds } = command;
  if (present === null) return { replicas, fieldIds, partitionIds: command.partitionIds, before: null };
  if (!isDeepStrictEqual(present.fieldIds, fieldIds)) {
    throw new MishardsError(
      'PARAMETER_INVALID',
      `can't change the load field list for loaded collection: invalid parameter[expected=${fieldsText(present.fieldIds)}][actual=${fieldsText(fieldIds)}]`,
    );
  }
  if (command.partitionIds === null) return { ...present, replicas, partitionIds: null };
  if (present.replicas !== replicas) {
    throw new MishardsError(
      'PARAMETER_INVALID',
      `can't change the replica number for loaded partitions: invalid parameter[expected=${present.replicas}][actual=${replicas}]`,
    );
  }
  if (present.partitionIds === null) return present;
  return { ...present, partitionIds: [...new Set([...present.partitionIds, ...command.partitionIds])] };
}

function requirePartitions(meta: CollectionMeta, ids: readonly PartitionId[]): void {
  const absent = ids.find((id) => !meta.partitions.some((partition) => partition.id === id));
  if (absent !== undefined) {
    throw new MishardsError('PARTITION_NOT_FOUND', `partition not found[partition=${absent}]`);
  }
}

function requireVectorIndexes(meta: CollectionMeta, fieldIds: readonly number[] | null): void {
  const unindexed = meta.schema.fields.filter(
    (field) =>
      isVectorType(field.type) &&
      (fieldIds === null || fieldIds.includes(field.id)) &&
      !meta.indexes.some((index) => index.fieldId === field.id),
  );
  if (unindexed.length === 0) return;
  throw new MishardsError(
    'PARAMETER_INVALID',
    `there is no vector index on field: ${listed(unindexed.map((field) => field.name))}, please create index firstly`,
  );
}

const fieldsText = (ids: readonly number[] | null): string =>
  ids === null ? 'all' : listed(ids.map(String));
