import { packPositions, unpackPositions } from './codecs.ts';
import { packCommand, unpackCommand } from './command-codec.ts';
import { packEntries, unpackEntries } from './log-entry-codec.ts';
import { packetCodec, type Method } from './method.ts';
import type {
  CompactionRequested,
  CompactionState,
  DeleteRequest,
  FlushResult,
  FollowRequest,
  FollowResult,
  InsertRequest,
  MutationResult,
  Positions,
  WriterApi,
} from './writer-api.ts';
import type { CatalogCommand } from '../catalog/commands.ts';
import { packColumn, packRows, unpackKeys, unpackRows } from '../columns/index.ts';
import type { LogEntry } from '../log/log.ts';
import type { ChannelId, CollectionId, PartitionId, Timestamp } from '../schema/index.ts';
import { JsonFields } from '../util/json-fields.ts';

const REQUEST = 'request';
const ANSWER = 'answer';

const collectionCodec = packetCodec<CollectionId>(
  (collectionId) => ({ collectionId }),
  (head) => new JsonFields(REQUEST, head).decimal('collectionId'),
);

const insertCodec = packetCodec<InsertRequest>(
  ({ rows, ...request }, parts) => ({ ...request, rows: packRows(rows, parts) }),
  (head, parts) => {
    const fields = new JsonFields(REQUEST, head);
    return {
      collectionId: fields.decimal('collectionId'),
      schemaVersion: fields.count('schemaVersion'),
      partitionId: fields.decimal('partitionId'),
      rows: unpackRows(fields.raw['rows'], parts),
    };
  },
);

const deleteCodec = packetCodec<DeleteRequest>(
  ({ keys, ...request }, parts) => ({ ...request, keys: packColumn(keys, parts) }),
  (head, parts) => {
    const fields = new JsonFields(REQUEST, head);
    return {
      collectionId: fields.decimal('collectionId'),
      partitionId: fields.nullable('partitionId', (name) => fields.decimal(name)),
      keys: unpackKeys(fields.raw['keys'], parts),
    };
  },
);

const mutationResultCodec = packetCodec<MutationResult>(
  ({ timestamp, keys, positions }, parts) => ({
    timestamp: String(timestamp),
    keys: packColumn(keys, parts),
    positions: packPositions(positions),
  }),
  (head, parts) => {
    const fields = new JsonFields(ANSWER, head);
    return {
      timestamp: timestampOf(fields),
      keys: unpackKeys(fields.raw['keys'], parts),
      positions: unpackPositions(fields.raw['positions'], 'positions'),
    };
  },
);

const positionsCodec = packetCodec<Positions>(packPositions, (head) => unpackPositions(head, 'positions'));

const flushResultCodec = packetCodec<FlushResult>(
  ({ revision, timestamp, segmentIds }) => ({
    revision,
    timestamp: String(timestamp),
    collections: [...segmentIds].map(([collectionId, ids]) => ({ collectionId, ids })),
  }),
  (head) => {
    const fields = new JsonFields(ANSWER, head);
    const collections = fields.objects('collections', (item): [CollectionId, readonly string[]] => [
      item.decimal('collectionId'),
      item.texts('ids'),
    ]);
    return {
      revision: fields.count('revision'),
      timestamp: timestampOf(fields),
      segmentIds: new Map(collections),
    };
  },
);

const followRequestCodec = packetCodec<FollowRequest>(
  ({ from, waitMs, bytesMax }) => ({ from: packPositions(from), waitMs, bytesMax }),
  (head) => {
    const fields = new JsonFields(REQUEST, head);
    return {
      from: unpackPositions(fields.raw['from'], 'positions'),
      waitMs: fields.number('waitMs'),
      bytesMax: fields.count('bytesMax'),
    };
  },
);

const followResultCodec = packetCodec<FollowResult>(
  ({ entries, behind, last }, parts) => ({
    channels: [...entries].map(([channel, items]) => ({ channel, entries: packEntries(items, parts) })),
    behind,
    last: packPositions(last),
  }),
  (head, parts) => {
    const fields = new JsonFields(ANSWER, head);
    const channels = fields.objects('channels', (item): [ChannelId, readonly LogEntry[]] => [
      item.text('channel'),
      unpackEntries(item.raw['entries'], parts),
    ]);
    return {
      entries: new Map(channels),
      behind: fields.texts('behind'),
      last: unpackPositions(fields.raw['last'], 'positions'),
    };
  },
);

const compactionRequestedCodec = packetCodec<CompactionRequested>(
  ({ compactionId, planCount }) => ({ compactionId, planCount }),
  (head) => {
    const fields = new JsonFields(ANSWER, head);
    return { compactionId: fields.decimal('compactionId'), planCount: fields.count('planCount') };
  },
);

const compactionStateCodec = packetCodec<CompactionState>(
  ({ merges, ...counts }) => ({
    ...counts,
    merges: merges.map(({ sources, target }) => ({ sources, target })),
  }),
  (head) => {
    const fields = new JsonFields(ANSWER, head);
    return {
      revision: fields.count('revision'),
      executingCount: fields.count('executingCount'),
      completedCount: fields.count('completedCount'),
      failedCount: fields.count('failedCount'),
      merges: fields.objects('merges', (item) => ({
        sources: item.texts('sources'),
        target: item.nullable('target', (name) => item.decimal(name)),
      })),
    };
  },
);

/** The calls of `WriterApi` on the wire. */
export const WRITER_METHODS = {
  execute: {
    name: 'writer.execute',
    request: packetCodec<CatalogCommand>(packCommand, unpackCommand),
    answer: packetCodec<{ readonly revision: number }>(
      ({ revision }) => ({ revision }),
      (head) => ({ revision: new JsonFields(ANSWER, head).count('revision') }),
    ),
  },
  insert: { name: 'writer.insert', request: insertCodec, answer: mutationResultCodec },
  upsert: { name: 'writer.upsert', request: insertCodec, answer: mutationResultCodec },
  delete: { name: 'writer.delete', request: deleteCodec, answer: mutationResultCodec },
  flush: {
    name: 'writer.flush',
    request: packetCodec<readonly CollectionId[]>(
      (collections) => ({ collections }),
      (head) => new JsonFields(REQUEST, head).texts('collections'),
    ),
    answer: flushResultCodec,
  },
  compact: { name: 'writer.compact', request: collectionCodec, answer: compactionRequestedCodec },
  compactionState: {
    name: 'writer.compaction-state',
    request: packetCodec<string>(
      (compactionId) => ({ compactionId }),
      (head) => new JsonFields(REQUEST, head).decimal('compactionId'),
    ),
    answer: compactionStateCodec,
  },
  positions: { name: 'writer.positions', request: collectionCodec, answer: positionsCodec },
  freshRows: {
    name: 'writer.fresh-rows',
    request: collectionCodec,
    answer: packetCodec<ReadonlyMap<PartitionId, number>>(
      (counts) => Object.fromEntries(counts),
      (head) => {
        const fields = new JsonFields(ANSWER, head);
        return new Map(Object.keys(fields.raw).map((id) => [id as PartitionId, fields.count(id)]));
      },
    ),
  },
  follow: { name: 'writer.follow', request: followRequestCodec, answer: followResultCodec },
} as const satisfies {
  readonly [Name in keyof WriterApi]: Method<
    Parameters<WriterApi[Name]>[0],
    Awaited<ReturnType<WriterApi[Name]>>
  >;
};

function timestampOf(fields: JsonFields): Timestamp {
  return BigInt(fields.decimal('timestamp')) as Timestamp;
}
