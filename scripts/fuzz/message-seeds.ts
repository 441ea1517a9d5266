import { keysFromValues } from '../../src/columns/index.ts';
import type { Random } from '../../src/host/index.ts';
import type { Codec } from '../../src/protocol/method.ts';
import { READER_METHODS } from '../../src/protocol/reader-methods.ts';
import { WRITER_METHODS } from '../../src/protocol/writer-messages.ts';
import type { ChannelId, CollectionId, PartitionId, SegmentId, Timestamp } from '../../src/schema/index.ts';
import { encodeMutation } from '../../src/segment/mutation-codec.ts';
import { encodePacket } from '../../src/util/packet.ts';
import { createCollection } from '../../test/support/catalog-model.ts';
import { randomRows, schemaOfAllTypes } from '../../test/support/random-rows.ts';
import { floatVectors } from '../../test/support/vectors.ts';

/** A packet with the codec that reads it, or the type of the log's mutation it is. */
export interface EncodedMessage {
  readonly codec: object | number;
  readonly packet: Uint8Array;
}

const channel = '1-0' as ChannelId;
const collectionId = '1' as CollectionId;
const partitionId = '10' as PartitionId;
const positions = new Map([[channel, 4]]);
const timestamp = 9n as Timestamp;

export function messageSeeds(random: Random): readonly EncodedMessage[] {
  const rows = randomRows(random, schemaOfAllTypes('Int64', 2), 2);
  const keys = keysFromValues('Int64', [1n, 2n]);
  const seed = <T>(codec: Codec<T>, value: T): EncodedMessage => ({
    codec,
    packet: encodePacket(codec.encode(value)),
  });
  const stats = {
    segmentCount: 1,
    rowsSearched: 2,
    elapsedMs: 0.5,
    positions: new Map([['7-0' as ChannelId, 3]]),
  };
  const part = {
    collectionId,
    schemaVersion: 4,
    segments: ['5' as SegmentId],
    channels: [{ id: channel, after: 3, atLeast: 3 }],
    partitions: { ids: [partitionId], newerThan: null },
    rowsSince: 0n as Timestamp,
    filter: { text: 'id > 1', values: {} },
    outputFieldIds: [100],
    guarantee: { kind: 'positions', positions } as const,
  };
  const { search, query } = READER_METHODS;
  const { insert, delete: remove, execute, follow, flush } = WRITER_METHODS;
  const entry = { type: 1, timestamp, payload: new Uint8Array(9), sequence: 1, epoch: 2 };
  const insertMutation = encodeMutation({ kind: 'insert', partitionId, rows });
  const deleteMutation = encodeMutation({ kind: 'delete', partitionId: null, keys });
  return [
    seed(search.request, {
      ...part,
      fieldId: 101,
      metric: 'L2',
      queries: floatVectors(2, [1, 2]),
      k: 3,
      params: { ef: 64 },
      scoreAbove: null,
      scoreUpTo: 1.5,
    }),
    seed(search.answer, { counts: Uint32Array.of(2), scores: Float32Array.of(1, 2), keys, rows, stats }),
    seed(query.request, {
      ...part,
      countOnly: false,
      orderBy: [{ fieldId: 100, descending: true, nullsFirst: false }],
      limit: 5,
    }),
    seed(query.answer, { count: 2, keys, timestamps: BigUint64Array.of(1n, 2n), rows, stats }),
    seed(insert.request, { collectionId, schemaVersion: 1, partitionId, rows }),
    seed(insert.answer, { timestamp, keys, positions }),
    seed(remove.request, { collectionId, partitionId: null, keys }),
    seed(execute.request, createCollection('c', { schema: schemaOfAllTypes('VarChar', 2) })),
    seed(flush.answer, { revision: 3, timestamp, segmentIds: new Map([[collectionId, ['5']]]) }),
    seed(follow.request, { from: positions, waitMs: 10, bytesMax: 1_000 }),
    seed(follow.answer, { entries: new Map([[channel, [entry, entry]]]), behind: [], last: positions }),
    { codec: insertMutation.type, packet: insertMutation.payload },
    { codec: deleteMutation.type, packet: deleteMutation.payload },
  ];
}
