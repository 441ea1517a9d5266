import {
  asCount,
  asCounts,
  asFlag,
  asHead,
  asList,
  asNumber,
  asText,
  asTexts,
  orNull,
  packPositions,
  unpackPositions,
  type Head,
} from './codecs.ts';
import type { FilterText, Guarantee, QueryRequest, SearchRequest, SubRequest } from './reader-api.ts';
import { PartReader } from '../columns/index.ts';
import { MishardsError } from '../errors/index.ts';
import {
  METRICS,
  type ChannelId,
  type CollectionId,
  type Metric,
  type PartitionId,
} from '../schema/index.ts';
import type { JsonValue, Packet } from '../util/packet.ts';
import { bytesOf, viewAs } from '../util/typed-views.ts';

export function packSearchRequest(request: SearchRequest): Packet {
  const { fieldId, metric, queryCount, k, params, scoreAbove, scoreUpTo } = request;
  const head = { ...packSubRequest(request), fieldId, metric, queryCount, k, params, scoreAbove, scoreUpTo };
  return { head, parts: [bytesOf(request.queries)] };
}

export function unpackSearchRequest(packet: Packet): SearchRequest {
  const head = asHead(packet.head, 'a search');
  const parts = new PartReader(packet.parts);
  const queries = viewAs(Float32Array, parts.next());
  parts.end();
  return {
    ...unpackSubRequest(head),
    fieldId: asCount(head['fieldId'], 'a field id'),
    metric: asMetric(head['metric']),
    queryCount: asCount(head['queryCount'], 'a count of queries'),
    queries,
    k: asCount(head['k'], 'k'),
    params: asHead(head['params'], 'search parameters') as SearchRequest['params'],
    scoreAbove: orNull(head['scoreAbove'], 'a bound of scores', asNumber),
    scoreUpTo: orNull(head['scoreUpTo'], 'a bound of scores', asNumber),
  };
}

export function packQueryRequest(request: QueryRequest): Packet {
  const { countOnly, limit } = request;
  return { head: { ...packSubRequest(request), countOnly, limit }, parts: [] };
}

export function unpackQueryRequest(packet: Packet): QueryRequest {
  const head = asHead(packet.head, 'a query');
  return {
    ...unpackSubRequest(head),
    countOnly: asFlag(head['countOnly'], 'countOnly'),
    limit: orNull(head['limit'], 'a limit', asCount),
  };
}

function packSubRequest(request: SubRequest): { readonly [key: string]: JsonValue } {
  return {
    collectionId: request.collectionId,
    segments: request.segments,
    channels: request.channels.map(({ id, after }) => [id, after]),
    partitionIds: request.partitionIds,
    filter: request.filter === null ? null : { text: request.filter.text, values: request.filter.values },
    outputFieldIds: request.outputFieldIds,
    guarantee: packGuarantee(request.guarantee),
  };
}

function unpackSubRequest(head: Head): SubRequest {
  return {
    collectionId: asText(head['collectionId'], 'a collection id') as CollectionId,
    segments: asTexts(head['segments'], 'segment ids'),
    channels: asList(head['channels'], 'channels').map((entry) => {
      const [id, after] = asList(entry, 'a channel');
      return { id: asText(id, 'a channel id') as ChannelId, after: asCount(after, 'a sequence') };
    }),
    partitionIds: orNull(head['partitionIds'], 'partition ids', asTexts<PartitionId>),
    filter: orNull(head['filter'], 'a filter', unpackFilter),
    outputFieldIds: asCounts(head['outputFieldIds'], 'output fields'),
    guarantee: unpackGuarantee(asHead(head['guarantee'], 'a guarantee')),
  };
}

function unpackFilter(value: JsonValue | undefined, what: string): FilterText {
  const head = asHead(value, what);
  const values = asHead(head['values'], 'filter values') as FilterText['values'];
  return { text: asText(head['text'], 'the text of a filter'), values };
}

function packGuarantee(guarantee: Guarantee): JsonValue {
  if (guarantee.kind !== 'positions') return guarantee;
  return { kind: guarantee.kind, positions: packPositions(guarantee.positions) };
}

function unpackGuarantee(head: Head): Guarantee {
  const kind = asText(head['kind'], 'a kind of guarantee');
  switch (kind) {
    case 'none':
    case 'log-end':
      return { kind };
    case 'positions':
      return { kind, positions: unpackPositions(head['positions'], 'positions') };
    case 'staleness':
      return { kind, maxMs: asNumber(head['maxMs'], 'a staleness') };
    default:
      throw new MishardsError('CORRUPT_DATA', `no guarantee of kind "${kind}" is known`);
  }
}

function asMetric(value: JsonValue | undefined): Metric {
  const metric = METRICS.find((candidate) => candidate === value);
  if (metric === undefined)
    throw new MishardsError('CORRUPT_DATA', `no metric ${JSON.stringify(value)} is known`);
  return metric;
}
