import type { ChannelTable } from './channel-table.ts';
import type { ChannelWriter } from './channel-writer.ts';
import type { FencedCatalog } from './fenced-catalog.ts';
import { checkKeys, checkRows } from './row-checks.ts';
import { lastOfEachKey, splitKeys, splitRows, type ChannelPart } from './split-rows.ts';
import type { WriteRoom } from './write-room.ts';
import type { WriterLease } from './writer-lease.ts';
import type { CollectionMeta } from '../catalog/model.ts';
import type { TimestampOracle } from '../catalog/timestamp-oracle.ts';
import { asKeys, keysFromValues, type PrimaryKeyColumn, type RowBatch } from '../columns/index.ts';
import { MishardsError, asMishardsError, isErrorWithCode } from '../errors/index.ts';
import { isAppendRefusal } from '../log/log-rules.ts';
import type { DeleteRequest, InsertRequest, MutationResult } from '../protocol/writer-api.ts';
import {
  primaryKeyField,
  type ChannelId,
  type CollectionId,
  type LogSequence,
  type PartitionId,
} from '../schema/index.ts';
import { encodeMutation } from '../segment/mutation-codec.ts';
import type { Mutation } from '../segment/mutation.ts';
import type { CallOptions } from '../wire/wire.ts';

export interface MutationsOptions {
  readonly catalog: FencedCatalog;
  readonly channels: ChannelTable;
  readonly oracle: TimestampOracle;
  readonly lease: WriterLease;
  readonly room: WriteRoom;
}

/** Inserts, upserts and deletes of the active writer. */
export class Mutations {
  readonly #options: MutationsOptions;

  constructor(options: MutationsOptions) {
    this.#options = options;
  }

  async put(kind: 'insert' | 'upsert', request: InsertRequest, call: CallOptions): Promise<MutationResult> {
    const { collection, channels } = await this.#target(request.collectionId, request.partitionId);
    if (request.schemaVersion !== collection.schemaVersion) {
      throw new MishardsError(
        'SCHEMA_MISMATCH',
        `the rows fit version ${request.schemaVersion} of the schema, the collection has version ${collection.schemaVersion}; send them again`,
      );
    }
    const isKeyOptional = kind === 'insert' && primaryKeyField(collection.schema).autoId;
    checkRows(request.rows, collection, isKeyOptional);
    const { rows, keys } = this.#withKeys(request.rows, collection);
    const kept = kind === 'upsert' ? lastOfEachKey(rows, keys) : rows;
    const keptKeys = kept === rows ? keys : keysOf(kept, collection);
    const parts = splitRows(kept, keptKeys, channels.length);
    const mutations = parts.map(({ channelIndex, part }): ChannelPart<Mutation> => ({
      channelIndex,
      part: { kind, partitionId: request.partitionId, rows: part },
    }));
    return { keys, ...(await this.#append(channels, mutations, call)) };
  }

  async delete(request: DeleteRequest, call: CallOptions): Promise<MutationResult> {
    const { keys, partitionId } = request;
    const { collection, channels } = await this.#target(request.collectionId, partitionId);
    checkKeys(keys, collection);
    const mutations = splitKeys(keys, channels.length).map(
      ({ channelIndex, part }): ChannelPart<Mutation> => ({
        channelIndex,
        part: { kind: 'delete', partitionId, keys: part },
      }),
    );
    return { keys, ...(await this.#append(channels, keys.length === 0 ? [] : mutations, call)) };
  }

  async #target(
    collectionId: CollectionId,
    partitionId: PartitionId | null,
  ): Promise<{ readonly collection: CollectionMeta; readonly channels: readonly ChannelWriter[] }> {
    this.#options.lease.checkHeld();
    const { collections } = await this.#options.catalog.current();
    const collection = collections.get(collectionId);
    if (collection === undefined) {
      throw new MishardsError('COLLECTION_NOT_FOUND', `collection not found[collection=${collectionId}]`);
    }
    if (partitionId !== null && !collection.partitions.some((partition) => partition.id === partitionId)) {
      throw new MishardsError('PARTITION_NOT_FOUND', `partition not found[partition=${partitionId}]`);
    }
    const channels = await Promise.all(collection.channels.map((id) => this.#options.channels.opened(id)));
    return { collection, channels };
  }

  /** Automatic keys are taken from the clock, so they are unique for as long as its timestamps are, and ascend. */
  #withKeys(
    rows: RowBatch,
    collection: CollectionMeta,
  ): { readonly rows: RowBatch; readonly keys: PrimaryKeyColumn } {
    const field = primaryKeyField(collection.schema);
    const present = rows.columns.get(field.id);
    if (present !== undefined) return { rows, keys: asKeys(present) };
    const first = this.#options.oracle.take(rows.rowCount);
    const values = BigInt64Array.from({ length: rows.rowCount }, (_, row) => first + BigInt(row));
    const keys: PrimaryKeyColumn =
      field.type === 'Int64'
        ? { type: 'Int64', length: values.length, validity: null, values }
        : keysFromValues('VarChar', Array.from(values, String));
    return { rows: { ...rows, columns: new Map([[field.id, keys], ...rows.columns]) }, keys };
  }

  /** One timestamp for all channels. Its place in each log is taken in the same turn of the event loop, so timestamps ascend in every log. */
  async #append(
    channels: readonly ChannelWriter[],
    mutations: readonly ChannelPart<Mutation>[],
    call: CallOptions,
  ): Promise<Omit<MutationResult, 'keys'>> {
    const { lease, oracle, room } = this.#options;
    const writes = mutations.map(({ channelIndex, part }) => ({
      channel: channels[channelIndex]!,
      mutation: part,
      encoded: encodeMutation(part),
    }));
    using _room = room.take(writes.reduce((sum, write) => sum + write.encoded.payload.byteLength, 0));
    call.signal?.throwIfAborted();
    lease.checkHeld();
    const timestamp = oracle.next();
    const results = await Promise.allSettled(
      writes.map(({ channel, mutation, encoded }) => channel.append(mutation, encoded, timestamp)),
    );
    const positions = new Map<ChannelId, LogSequence>();
    results.forEach((result, index) => {
      if (result.status === 'fulfilled') positions.set(writes[index]!.channel.id, result.value);
    });
    throwFailure(results, lease);
    return { timestamp, positions };
  }
}

function keysOf(rows: RowBatch, collection: CollectionMeta): PrimaryKeyColumn {
  return asKeys(rows.columns.get(primaryKeyField(collection.schema).id)!);
}

/** Says that nothing was applied only when that is certain. An acknowledgement after the lease is lost would be one too many. */
function throwFailure(results: readonly PromiseSettledResult<LogSequence>[], lease: WriterLease): void {
  const failures = results.filter((result) => result.status === 'rejected').map(({ reason }) => reason);
  if (failures.length === 0 && lease.isHeld) return;
  const isNothingApplied =
    failures.length > 0 && failures.length === results.length && failures.every(isNothingWritten);
  if (isNothingApplied) throw failures[0];
  const isPart = failures.length > 0 && failures.length < results.length;
  const message = isPart
    ? 'only a part of the rows is known to have been written; the rest may or may not have been'
    : 'the writer failed while it wrote; the rows may or may not have been written';
  const cause: unknown = failures[0] ?? lease.ended.reason;
  throw new MishardsError('CONNECTION_LOST', `${message}: ${asMishardsError(cause).message}`, { cause });
}

function isNothingWritten(error: unknown): boolean {
  return isAppendRefusal(error) || isErrorWithCode(error, 'FENCED', 'NOT_LEADER', 'COLLECTION_NOT_FOUND');
}
