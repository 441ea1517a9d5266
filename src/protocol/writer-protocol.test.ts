import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WriterClient } from './writer-client.ts';
import type { WriterApi } from './writer-api.ts';
import { serveWriter } from './writer-server.ts';
import type { CatalogCommand } from '../catalog/commands.ts';
import { columnFromValues, keysFromValues, valuesOf, type RowBatch } from '../columns/index.ts';
import { isErrorWithCode, MishardsError } from '../errors/index.ts';
import { nodeTimers } from '../host/node/index.ts';
import type { LogEntry } from '../log/log.ts';
import type { ChannelId, CollectionId, IndexId, PartitionId, Timestamp } from '../schema/index.ts';
import { decodePacket, encodePacket } from '../util/packet.ts';
import { InProcessWire } from '../wire/in-process/in-process-wire.ts';
import type { WirePeer } from '../wire/wire.ts';

const COLLECTION = '7' as CollectionId;
const PARTITION = '8' as PartitionId;
const CHANNEL = '7-0' as ChannelId;
const CALL = { timeoutMs: 1_000 };
const COMPACTION = {
  revision: 3,
  executingCount: 1,
  completedCount: 2,
  failedCount: 4,
  merges: [
    { sources: ['1', '2'], target: '3' },
    { sources: ['4'], target: null },
  ],
};

/** Whatever is not replaced fails the test. */
function api(replaced: Partial<WriterApi>): WriterApi {
  const refuse = async (): Promise<never> => assert.fail('not expected');
  return {
    execute: refuse,
    insert: refuse,
    upsert: refuse,
    delete: refuse,
    flush: refuse,
    compact: refuse,
    compactionState: refuse,
    positions: refuse,
    freshRows: refuse,
    follow: refuse,
    ...replaced,
  };
}

/** A peer whose packets pass through their encoded form, as between processes. */
function encodedPeer(writer: WriterApi): WirePeer {
  const handler = serveWriter(writer);
  return {
    address: 'memory://encoded',
    async call(method, request, options) {
      const context = { signal: new AbortController().signal, trace: {}, ...options };
      return decodePacket(encodePacket(await handler(method, decodePacket(encodePacket(request)), context)));
    },
    async [Symbol.asyncDispose]() {},
  };
}

function someRows(): RowBatch {
  const vectorShape = { type: 'FloatVector', elementType: null, dim: 2 } as const;
  const textShape = { type: 'VarChar', elementType: null, dim: null } as const;
  return {
    rowCount: 2,
    columns: new Map([
      [100, keysFromValues('Int64', [5n, -6n])],
      [101, columnFromValues(vectorShape, [Float32Array.of(1, 2), Float32Array.of(3, 4)])],
      [102, columnFromValues(textShape, ['ä', null])],
    ]),
  };
}

test('rows go to the writer and keys come back over the encoded form', async () => {
  const rows = someRows();
  const client = new WriterClient(
    encodedPeer(
      api({
        async insert(request) {
          assert.equal(request.collectionId, COLLECTION);
          assert.equal(request.partitionId, PARTITION);
          assert.equal(request.schemaVersion, 3);
          for (const [id, column] of rows.columns) {
            assert.deepEqual(valuesOf(request.rows.columns.get(id)!), valuesOf(column));
          }
          return {
            timestamp: (2n ** 60n) as Timestamp,
            keys: keysFromValues('VarChar', ['a', 'b']),
            positions: new Map([[CHANNEL, 9]]),
          };
        },
      }),
    ),
  );
  const request = { collectionId: COLLECTION, schemaVersion: 3, partitionId: PARTITION, rows };
  const result = await client.insert(request, CALL);
  assert.equal(result.timestamp, 2n ** 60n);
  assert.deepEqual(valuesOf(result.keys), ['a', 'b']);
  assert.deepEqual([...result.positions], [[CHANNEL, 9]]);
});

test('in one process the bulk of a call is never copied', async () => {
  const rows = someRows();
  const wire = new InProcessWire(nodeTimers);
  const vectorsOf = (batch: RowBatch): ArrayBufferLike => {
    const column = batch.columns.get(101)!;
    return column.type === 'FloatVector' ? column.values.buffer : assert.fail('not a vector column');
  };
  const writer = api({
    async upsert(request) {
      assert.equal(vectorsOf(request.rows), vectorsOf(rows));
      const keys = keysFromValues('Int64', [5n, -6n]);
      return { timestamp: 1n as Timestamp, keys, positions: new Map() };
    },
  });
  await using _server = await wire.listen('memory://writer', serveWriter(writer));
  await using peer = wire.connect('memory://writer');
  await new WriterClient(peer).upsert(
    { collectionId: COLLECTION, schemaVersion: 1, partitionId: PARTITION, rows },
    CALL,
  );
});

test('deletes, flushes, compactions, positions and fresh rows keep their values', async () => {
  const client = new WriterClient(
    encodedPeer(
      api({
        async delete(request) {
          assert.equal(request.partitionId, null);
          return { timestamp: 4n as Timestamp, keys: request.keys, positions: new Map() };
        },
        async flush(collections) {
          assert.deepEqual(collections, [COLLECTION]);
          return {
            revision: 12,
            timestamp: 5n as Timestamp,
            segmentIds: new Map([[COLLECTION, ['1', '2']]]),
          };
        },
        async compact(collection) {
          assert.equal(collection, COLLECTION);
          return { compactionId: '9', planCount: 2 };
        },
        async compactionState(compactionId) {
          assert.equal(compactionId, '9');
          return COMPACTION;
        },
        async positions() {
          return new Map([[CHANNEL, 0]]);
        },
        async freshRows() {
          return new Map([[PARTITION, 41]]);
        },
      }),
    ),
  );
  const keys = keysFromValues('VarChar', ['x']);
  const deleted = await client.delete({ collectionId: COLLECTION, partitionId: null, keys }, CALL);
  assert.deepEqual(valuesOf(deleted.keys), ['x']);
  const flushed = await client.flush([COLLECTION], CALL);
  assert.deepEqual(flushed, {
    revision: 12,
    timestamp: 5n,
    segmentIds: new Map([[COLLECTION, ['1', '2']]]),
  });
  assert.deepEqual(await client.compact(COLLECTION, CALL), { compactionId: '9', planCount: 2 });
  assert.deepEqual(await client.compactionState('9', CALL), COMPACTION);
  assert.deepEqual([...(await client.positions(COLLECTION, CALL))], [[CHANNEL, 0]]);
  assert.deepEqual([...(await client.freshRows(COLLECTION, CALL))], [[PARTITION, 41]]);
});

test('followed entries keep sequence, epoch, type, timestamp and payload', async () => {
  const entries: LogEntry[] = [3, 4, 5].map((sequence) => ({
    type: sequence - 2,
    timestamp: BigInt(sequence * 100) as Timestamp,
    payload: Uint8Array.from({ length: sequence }, () => sequence),
    sequence,
    epoch: 2,
  }));
  const result = {
    entries: new Map([[CHANNEL, entries]]),
    behind: ['7-1' as ChannelId],
    last: new Map([[CHANNEL, 5]]),
  };
  const client = new WriterClient(encodedPeer(api({ follow: async () => result })));
  const request = { from: new Map([[CHANNEL, 3]]), waitMs: 10, bytesMax: 100 };
  const answer = await client.follow(request, CALL);
  assert.deepEqual(answer.behind, result.behind);
  assert.deepEqual([...answer.last], [...result.last]);
  assert.deepEqual(
    answer.entries.get(CHANNEL)!.map((entry) => ({ ...entry, payload: [...entry.payload] })),
    entries.map((entry) => ({ ...entry, payload: [...entry.payload] })),
  );
});

const COMMANDS: readonly CatalogCommand[] = [
  { kind: 'create-database', name: 'a', properties: { x: 'y' } },
  { kind: 'drop-database', name: 'a' },
  { kind: 'alter-database', name: 'a', set: { k: 'v' }, remove: ['x'] },
  {
    kind: 'create-collection',
    databaseName: 'default',
    name: 'c',
    schema: {
      description: '',
      autoId: false,
      enableDynamicField: false,
      fields: [
        {
          id: 100,
          name: 'id',
          description: 'd',
          type: 'Int64',
          elementType: null,
          isPrimaryKey: true,
          autoId: false,
          isPartitionKey: false,
          isClusteringKey: false,
          nullable: false,
          defaultValue: { kind: 'int', value: '9223372036854775807' },
          isDynamic: false,
          dim: null,
          maxLength: null,
          maxCapacity: null,
          typeParams: { a: 'b' },
        },
      ],
    },
    shardsNum: 2,
    consistencyLevel: 'Bounded',
    properties: {},
    partitionCount: 1,
  },
  { kind: 'drop-collection', collectionId: COLLECTION },
  { kind: 'rename-collection', collectionId: COLLECTION, databaseName: 'default', name: 'd' },
  { kind: 'alter-collection', collectionId: COLLECTION, set: {}, remove: ['z'] },
  {
    kind: 'alter-field',
    collectionId: COLLECTION,
    fieldId: 100,
    maxLength: 5,
    maxCapacity: null,
    set: { 'mmap.enabled': 'true' },
    remove: [],
  },
  { kind: 'truncate-collection', collectionId: COLLECTION },
  { kind: 'create-alias', collectionId: COLLECTION, alias: 'e' },
  { kind: 'alter-alias', collectionId: COLLECTION, alias: 'e' },
  { kind: 'drop-alias', databaseName: 'default', alias: 'e' },
  { kind: 'create-partition', collectionId: COLLECTION, name: 'p' },
  { kind: 'drop-partition', collectionId: COLLECTION, name: 'p' },
  {
    kind: 'create-index',
    collectionId: COLLECTION,
    name: 'i',
    fieldId: 101,
    requestedType: 'AUTOINDEX',
    type: 'HNSW',
    metric: null,
    params: { M: '16' },
  },
  { kind: 'alter-index', collectionId: COLLECTION, indexId: '4' as IndexId, set: { a: 'b' }, remove: [] },
  { kind: 'drop-index', collectionId: COLLECTION, indexId: '4' as IndexId },
  { kind: 'load', collectionId: COLLECTION, replicas: 1, partitionIds: null, fieldIds: [100, 101] },
  { kind: 'release', collectionId: COLLECTION, partitionIds: [PARTITION] },
];

test('every command arrives as it was sent', async () => {
  const received: CatalogCommand[] = [];
  const client = new WriterClient(
    encodedPeer(
      api({
        async execute(command) {
          received.push(command);
          return { revision: received.length };
        },
      }),
    ),
  );
  for (const command of COMMANDS) await client.execute(command, CALL);
  assert.deepEqual(received, COMMANDS);
});

test('errors keep their code; unknown methods and damaged requests are refused', async () => {
  const writer = api({
    async positions() {
      throw new MishardsError('NOT_LEADER', 'ask another');
    },
  });
  const client = new WriterClient(encodedPeer(writer));
  await assert.rejects(client.positions(COLLECTION, CALL), (error) => isErrorWithCode(error, 'NOT_LEADER'));
  const handler = serveWriter(writer);
  const context = { timeoutMs: 1, signal: new AbortController().signal, trace: {} };
  const damaged = { head: { collectionId: 5 }, parts: [] };
  await assert.rejects(handler('writer.positions', damaged, context), { code: 'CORRUPT_DATA' });
  await assert.rejects(handler('writer.unknown', damaged, context), { code: 'NOT_SUPPORTED' });
});
