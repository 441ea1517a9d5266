import { packPositions, unpackPositions } from './codecs.ts';
import { packetCodec, type Codec } from './method.ts';
import type { LoadedReport, NodeStats, NodeStatus, QueryResult, SearchResult } from './reader-api.ts';
import { packColumn, packRows, unpackKeys, unpackRows } from '../columns/index.ts';
import { MishardsError } from '../errors/index.ts';
import { JsonFields } from '../util/json-fields.ts';
import type { JsonValue } from '../util/packet.ts';
import { bytesOf, viewAs } from '../util/typed-views.ts';

export const searchResultCodec: Codec<SearchResult> = packetCodec(
  (result, parts) => {
    parts.push(bytesOf(result.counts), bytesOf(result.scores));
    const keys = packColumn(result.keys, parts);
    return { keys, rows: packRows(result.rows, parts), stats: packStats(result.stats) };
  },
  (head, parts) => {
    const fields = new JsonFields('hits', head);
    const counts = viewAs(Uint32Array, parts.next());
    const scores = viewAs(Float32Array, parts.next());
    const keys = unpackKeys(fields.raw['keys'], parts);
    const rows = unpackRows(fields.raw['rows'], parts);
    const hitCount = counts.reduce((sum, count) => sum + count, 0);
    requireSame(hitCount, scores.length, keys.length, rows.rowCount);
    return { counts, scores, keys, rows, stats: fields.object('stats', unpackStats) };
  },
);

export const queryResultCodec: Codec<QueryResult> = packetCodec(
  (result, parts) => {
    parts.push(bytesOf(result.timestamps));
    const keys = packColumn(result.keys, parts);
    const rows = packRows(result.rows, parts);
    return { count: result.count, keys, rows, stats: packStats(result.stats) };
  },
  (head, parts) => {
    const fields = new JsonFields('rows', head);
    const timestamps = viewAs(BigUint64Array, parts.next());
    const keys = unpackKeys(fields.raw['keys'], parts);
    const rows = unpackRows(fields.raw['rows'], parts);
    requireSame(keys.length, timestamps.length, rows.rowCount);
    const stats = fields.object('stats', unpackStats);
    return { count: fields.count('count'), keys, timestamps, rows, stats };
  },
);

export const loadedReportCodec: Codec<LoadedReport> = packetCodec(
  ({ segmentIds, indexedSegmentIds, freshRowCount, memoryBytes }) => ({
    segmentIds,
    indexedSegmentIds,
    freshRowCount,
    memoryBytes,
  }),
  (head) => {
    const fields = new JsonFields('loaded', head);
    return {
      segmentIds: fields.texts('segmentIds'),
      indexedSegmentIds: fields.texts('indexedSegmentIds'),
      freshRowCount: fields.count('freshRowCount'),
      memoryBytes: fields.count('memoryBytes'),
    };
  },
);

export const nodeStatusCodec: Codec<NodeStatus> = packetCodec(
  ({ ready, inFlight, memoryBytes, revision }) => ({ ready, inFlight, memoryBytes, revision }),
  (head) => {
    const fields = new JsonFields('status', head);
    return {
      ready: fields.flag('ready'),
      inFlight: fields.count('inFlight'),
      memoryBytes: fields.count('memoryBytes'),
      revision: fields.count('revision'),
    };
  },
);

function packStats({ segmentCount, rowsSearched, elapsedMs, positions }: NodeStats): JsonValue {
  return { segmentCount, rowsSearched, elapsedMs, positions: packPositions(positions) };
}

function unpackStats(fields: JsonFields): NodeStats {
  return {
    segmentCount: fields.count('segmentCount'),
    rowsSearched: fields.count('rowsSearched'),
    elapsedMs: fields.number('elapsedMs'),
    positions: unpackPositions(fields.raw['positions'], 'positions'),
  };
}

function requireSame(rowCount: number, ...counts: readonly number[]): void {
  if (counts.every((count) => count === rowCount)) return;
  throw new MishardsError(
    'CORRUPT_DATA',
    `the parts of an answer have ${rowCount}, ${counts.join(', ')} rows`,
  );
}
