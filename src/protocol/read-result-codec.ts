import { asCount, asFlag, asHead, asNumber, asTexts } from './codecs.ts';
import type { LoadedReport, NodeStats, NodeStatus, QueryResult, SearchResult } from './reader-api.ts';
import {
  packColumn,
  packRows,
  PartReader,
  unpackKeys,
  unpackRows,
  type PrimaryKeyColumn,
} from '../columns/index.ts';
import { MishardsError } from '../errors/index.ts';
import type { JsonValue, Packet } from '../util/packet.ts';
import { bytesOf, viewAs } from '../util/typed-views.ts';

export function packSearchResult(result: SearchResult): Packet {
  const parts = [bytesOf(result.counts), bytesOf(result.scores)];
  const keys = packColumn(result.keys, parts);
  const rows = packRows(result.rows, parts);
  return { head: { keys, rows, stats: packStats(result.stats) }, parts };
}

export function unpackSearchResult(packet: Packet): SearchResult {
  const head = asHead(packet.head, 'hits');
  const parts = new PartReader(packet.parts);
  const counts = viewAs(Uint32Array, parts.next());
  const scores = viewAs(Float32Array, parts.next());
  const keys = unpackKeys(head['keys'], parts);
  const rows = unpackRows(head['rows'], parts);
  parts.end();
  const hitCount = counts.reduce((sum, count) => sum + count, 0);
  requireRows(hitCount, scores.length, keys, rows.rowCount);
  return { counts, scores, keys, rows, stats: unpackStats(head['stats']) };
}

export function packQueryResult(result: QueryResult): Packet {
  const parts = [bytesOf(result.timestamps)];
  const keys = packColumn(result.keys, parts);
  const rows = packRows(result.rows, parts);
  return { head: { count: result.count, keys, rows, stats: packStats(result.stats) }, parts };
}

export function unpackQueryResult(packet: Packet): QueryResult {
  const head = asHead(packet.head, 'rows');
  const parts = new PartReader(packet.parts);
  const timestamps = viewAs(BigUint64Array, parts.next());
  const keys = unpackKeys(head['keys'], parts);
  const rows = unpackRows(head['rows'], parts);
  parts.end();
  requireRows(keys.length, timestamps.length, keys, rows.rowCount);
  return {
    count: asCount(head['count'], 'a count'),
    keys,
    timestamps,
    rows,
    stats: unpackStats(head['stats']),
  };
}

export function packLoadedReport(report: LoadedReport): Packet {
  const { segmentIds, indexedSegmentIds, freshRowCount, memoryBytes } = report;
  return { head: { segmentIds, indexedSegmentIds, freshRowCount, memoryBytes }, parts: [] };
}

export function unpackLoadedReport(packet: Packet): LoadedReport {
  const head = asHead(packet.head, 'a report of what is loaded');
  return {
    segmentIds: asTexts(head['segmentIds'], 'segment ids'),
    indexedSegmentIds: asTexts(head['indexedSegmentIds'], 'segment ids'),
    freshRowCount: asCount(head['freshRowCount'], 'a count of rows'),
    memoryBytes: asCount(head['memoryBytes'], 'bytes'),
  };
}

export function packNodeStatus(status: NodeStatus): Packet {
  const { ready, inFlight, memoryBytes, revision } = status;
  return { head: { ready, inFlight, memoryBytes, revision }, parts: [] };
}

export function unpackNodeStatus(packet: Packet): NodeStatus {
  const head = asHead(packet.head, 'the status of a node');
  return {
    ready: asFlag(head['ready'], 'ready'),
    inFlight: asCount(head['inFlight'], 'a count of requests'),
    memoryBytes: asCount(head['memoryBytes'], 'bytes'),
    revision: asCount(head['revision'], 'a revision'),
  };
}

function packStats(stats: NodeStats): JsonValue {
  const { segmentCount, rowsSearched, elapsedMs } = stats;
  return { segmentCount, rowsSearched, elapsedMs };
}

function unpackStats(value: JsonValue | undefined): NodeStats {
  const head = asHead(value, 'statistics');
  return {
    segmentCount: asCount(head['segmentCount'], 'a count of segments'),
    rowsSearched: asCount(head['rowsSearched'], 'a count of rows'),
    elapsedMs: asNumber(head['elapsedMs'], 'milliseconds'),
  };
}

function requireRows(rowCount: number, valueCount: number, keys: PrimaryKeyColumn, rowsCount: number): void {
  if (rowCount === valueCount && rowCount === keys.length && rowCount === rowsCount) return;
  throw new MishardsError(
    'CORRUPT_DATA',
    `an answer has ${rowCount} rows, ${valueCount} values, ${keys.length} keys and ${rowsCount} rows of output fields`,
  );
}
