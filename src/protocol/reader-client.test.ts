import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ReaderClient } from './reader-client.ts';
import { serveReader } from './reader-server.ts';
import type { QueryRequest, ReaderApi, SearchRequest, SearchResult, SubRequest } from './reader-api.ts';
import { columnFromValues, keysFromValues, valuesOf } from '../columns/index.ts';
import { MishardsError } from '../errors/index.ts';
import type { ChannelId, CollectionId, PartitionId, Timestamp, SegmentId } from '../schema/index.ts';
import { decodePacket, encodePacket } from '../util/packet.ts';
import type { CallContext, CallOptions, WirePeer } from '../wire/wire.ts';
import { floatVectors } from '../../test/support/vectors.ts';

const collectionId = '7' as CollectionId;
const call: CallOptions = { timeoutMs: 1_000, trace: { traceparent: '00-1-2-3' } };

const subRequest: SubRequest = {
  collectionId,
  schemaVersion: 4,
  segments: ['11', '12'] as SegmentId[],
  channels: [{ id: '7-0' as ChannelId, after: 2 ** 40, atLeast: 7 }],
  partitions: { ids: ['3'] as PartitionId[], newerThan: null },
  rowsSince: (2n ** 60n + 1n) as Timestamp,
  filter: { text: 'price > {limit}', values: { limit: 3.5, names: ['a', null] } },
  outputFieldIds: [101, 102],
  guarantee: { kind: 'positions', positions: new Map([['7-0' as ChannelId, 99]]) },
};

const searchRequest: SearchRequest = {
  ...subRequest,
  fieldId: 101,
  metric: 'COSINE',
  queries: floatVectors(2, [1, 2, 3, 4]),
  k: 10,
  params: { ef: 64, exact: true, mode: 'x' },
  scoreAbove: -0.5,
  scoreUpTo: null,
};

const queryRequest: QueryRequest = {
  ...subRequest,
  partitions: { ids: [], newerThan: '3' as PartitionId },
  filter: null,
  guarantee: { kind: 'staleness', maxMs: 5_000 },
  countOnly: false,
  orderBy: [{ fieldId: 101, descending: true, nullsFirst: false }],
  limit: null,
};

const stats = {
  segmentCount: 2,
  rowsSearched: 1_000,
  elapsedMs: 1.25,
  positions: new Map([['7-0' as ChannelId, 3]]),
};
const searchResult: SearchResult = {
  counts: Uint32Array.of(2, 1),
  scores: Float32Array.of(0.9, 0.8, 0.7),
  keys: keysFromValues('VarChar', ['a', 'ß', '']),
  rows: {
    rowCount: 3,
    columns: new Map([
      [
        101,
        columnFromValues({ type: 'FloatVector', elementType: null, dim: 2 }, [
          null,
          Float32Array.of(1, 2),
          null,
        ]),
      ],
      [102, columnFromValues({ type: 'Int8', elementType: null, dim: null }, [1, -1, 0])],
    ]),
  },
  stats,
};

/** A peer that encodes and decodes everything as a socket would, and remembers the context it passed on. */
function peerOf(api: Partial<ReaderApi>): WirePeer & { readonly contexts: CallContext[] } {
  const handler = serveReader(api as ReaderApi);
  const contexts: CallContext[] = [];
  return {
    address: 'memory://reader',
    contexts,
    async call(method, request, options) {
      const context = {
        timeoutMs: options.timeoutMs,
        signal: AbortSignal.any([]),
        trace: options.trace ?? {},
      };
      contexts.push(context);
      return decodePacket(encodePacket(await handler(method, decodePacket(encodePacket(request)), context)));
    },
    async [Symbol.asyncDispose]() {},
  };
}

test('a search arrives as it was sent and its answer comes back', async () => {
  let received: SearchRequest | undefined;
  const peer = peerOf({
    async search(request, context) {
      received = request;
      assert.equal(context, peer.contexts[0]);
      assert.deepEqual(context.trace, call.trace);
      return searchResult;
    },
  });
  const answer = await new ReaderClient(peer).search(searchRequest, call);
  assert.deepEqual(received, searchRequest);
  assert.deepEqual([...answer.counts], [2, 1]);
  assert.deepEqual([...answer.scores], [...searchResult.scores]);
  assert.deepEqual(valuesOf(answer.keys), ['a', 'ß', '']);
  assert.deepEqual(valuesOf(answer.rows.columns.get(101)!), valuesOf(searchResult.rows.columns.get(101)!));
  assert.deepEqual(valuesOf(answer.rows.columns.get(102)!), [1, -1, 0]);
  assert.deepEqual(answer.stats, stats);
});

test('a query arrives as it was sent and its answer comes back', async () => {
  const received: QueryRequest[] = [];
  const keys = keysFromValues('Int64', [-(2n ** 62n), 5n]);
  const peer = peerOf({
    async query(request) {
      received.push(request);
      const timestamps = BigUint64Array.of(1n, 2n ** 63n);
      return { count: 2, keys, timestamps, rows: { rowCount: 2, columns: new Map() }, stats };
    },
  });
  const client = new ReaderClient(peer);
  for (const guarantee of [queryRequest.guarantee, { kind: 'none' }, { kind: 'log-end' }] as const) {
    const request = { ...queryRequest, guarantee };
    const answer = await client.query(request, call);
    assert.deepEqual(received.at(-1), request);
    assert.equal(answer.count, 2);
    assert.deepEqual(valuesOf(answer.keys), [-(2n ** 62n), 5n]);
    assert.deepEqual([...answer.timestamps], [1n, 2n ** 63n]);
    assert.equal(answer.rows.rowCount, 2);
  }
});

test('reports, status and errors travel', async () => {
  const report = {
    segmentIds: ['11'] as SegmentId[],
    indexedSegmentIds: [],
    freshRowCount: 4,
    memoryBytes: 2 ** 40,
  };
  const status = { ready: true, inFlight: 3, memoryBytes: 17, revision: 12 };
  const client = new ReaderClient(
    peerOf({
      loaded: async (id) => {
        assert.equal(id, collectionId);
        return report;
      },
      ping: async () => status,
      search: async () => {
        throw new MishardsError('STALE_PLAN', 'plan again');
      },
    }),
  );
  assert.deepEqual(await client.loaded(collectionId, call), report);
  assert.deepEqual(await client.ping(call), status);
  await assert.rejects(client.search(searchRequest, call), { code: 'STALE_PLAN' });
});

test('a packet that is not what its method takes is refused', async () => {
  const handler = serveReader({} as ReaderApi);
  const context: CallContext = { timeoutMs: 1, signal: AbortSignal.any([]), trace: {} };
  const refused = (method: string, head: object) =>
    assert.rejects(handler(method, { head: head as never, parts: [new Uint8Array(0)] }, context), {
      code: 'CORRUPT_DATA',
    });
  await refused('reader.search', { collectionId: 7 });
  await refused('reader.query', {});
  await refused('reader.loaded', {});
  await assert.rejects(handler('reader.fly', { head: {}, parts: [] }, context), { code: 'NOT_SUPPORTED' });
});
