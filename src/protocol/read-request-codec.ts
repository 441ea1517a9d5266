import { packPositions, unpackPositions } from './codecs.ts';
import { packetCodec, type Codec } from './method.ts';
import type {
  ChannelPart,
  FilterText,
  Guarantee,
  OrderBy,
  PartitionChoice,
  QueryRequest,
  SearchRequest,
  SubRequest,
} from './reader-api.ts';
import { packColumn, unpackVectors } from '../columns/index.ts';
import {
  METRICS,
  type ChannelId,
  type CollectionId,
  type PartitionId,
  type Timestamp,
} from '../schema/index.ts';
import { JsonFields } from '../util/json-fields.ts';
import type { JsonValue } from '../util/packet.ts';

const GUARANTEES = ['none', 'positions', 'log-end', 'staleness'] as const;

/** The queries are a view into the packet where it is aligned. */
export const searchRequestCodec: Codec<SearchRequest> = packetCodec(
  (request, parts) => {
    const { fieldId, metric, k, params, scoreAbove, scoreUpTo } = request;
    const queries = packColumn(request.queries, parts);
    return { ...packSubRequest(request), fieldId, metric, queries, k, params, scoreAbove, scoreUpTo };
  },
  (head, parts) => {
    const fields = new JsonFields('search', head);
    return {
      ...unpackSubRequest(fields),
      fieldId: fields.count('fieldId'),
      metric: fields.oneOf('metric', METRICS),
      queries: unpackVectors(fields.raw['queries'], parts),
      k: fields.count('k'),
      params: fields.object('params', ({ raw }) => raw as SearchRequest['params']),
      scoreAbove: fields.nullable('scoreAbove', (name) => fields.number(name)),
      scoreUpTo: fields.nullable('scoreUpTo', (name) => fields.number(name)),
    };
  },
);

export const queryRequestCodec: Codec<QueryRequest> = packetCodec(
  (request) => {
    const { countOnly, limit, orderBy } = request;
    return { ...packSubRequest(request), countOnly, limit, orderBy: orderBy.map((one) => ({ ...one })) };
  },
  (head) => {
    const fields = new JsonFields('query', head);
    return {
      ...unpackSubRequest(fields),
      countOnly: fields.flag('countOnly'),
      orderBy: fields.objects('orderBy', unpackOrder),
      limit: fields.nullable('limit', (name) => fields.count(name)),
    };
  },
);

function packSubRequest(request: SubRequest): { readonly [key: string]: JsonValue } {
  return {
    collectionId: request.collectionId,
    schemaVersion: request.schemaVersion,
    segments: request.segments,
    channels: request.channels.map(({ id, after, atLeast }) => ({ id, after, atLeast })),
    partitions: { ids: request.partitions.ids, newerThan: request.partitions.newerThan },
    rowsSince: String(request.rowsSince),
    filter: request.filter === null ? null : { text: request.filter.text, values: request.filter.values },
    outputFieldIds: request.outputFieldIds,
    guarantee: packGuarantee(request.guarantee),
  };
}

function unpackSubRequest(fields: JsonFields): SubRequest {
  return {
    collectionId: fields.decimal<CollectionId>('collectionId'),
    schemaVersion: fields.count('schemaVersion'),
    segments: fields.texts('segments'),
    channels: fields.objects('channels', unpackChannel),
    partitions: fields.object('partitions', unpackPartitions),
    rowsSince: BigInt(fields.decimal('rowsSince')) as Timestamp,
    filter: fields.nullable('filter', (name) => fields.object(name, unpackFilter)),
    outputFieldIds: fields.counts('outputFieldIds'),
    guarantee: fields.object('guarantee', unpackGuarantee),
  };
}

function unpackChannel(fields: JsonFields): ChannelPart {
  return {
    id: fields.text('id') as ChannelId,
    after: fields.count('after'),
    atLeast: fields.count('atLeast'),
  };
}

function unpackPartitions(fields: JsonFields): PartitionChoice {
  return {
    ids: fields.texts('ids'),
    newerThan: fields.nullable('newerThan', (name) => fields.decimal<PartitionId>(name)),
  };
}

function unpackFilter(fields: JsonFields): FilterText {
  const values = fields.object('values', ({ raw }) => raw as FilterText['values']);
  return { text: fields.text('text'), values };
}

function unpackOrder(fields: JsonFields): OrderBy {
  return {
    fieldId: fields.count('fieldId'),
    descending: fields.flag('descending'),
    nullsFirst: fields.flag('nullsFirst'),
  };
}

function packGuarantee(guarantee: Guarantee): JsonValue {
  if (guarantee.kind !== 'positions') return guarantee;
  return { kind: guarantee.kind, positions: packPositions(guarantee.positions) };
}

function unpackGuarantee(fields: JsonFields): Guarantee {
  const kind = fields.oneOf('kind', GUARANTEES);
  if (kind === 'positions') return { kind, positions: unpackPositions(fields.raw['positions'], 'positions') };
  if (kind === 'staleness') return { kind, maxMs: fields.number('maxMs') };
  return { kind };
}
