import { packetCodec, type Method } from './method.ts';
import { queryRequestCodec, searchRequestCodec } from './read-request-codec.ts';
import {
  loadedReportCodec,
  nodeStatusCodec,
  queryResultCodec,
  searchResultCodec,
} from './read-result-codec.ts';
import type {
  LoadedReport,
  NodeStatus,
  QueryRequest,
  QueryResult,
  SearchRequest,
  SearchResult,
} from './reader-api.ts';
import type { CollectionId } from '../schema/index.ts';
import { JsonFields } from '../util/json-fields.ts';

const collectionCodec = packetCodec<CollectionId>(
  (collectionId) => ({ collectionId }),
  (head) => new JsonFields('request', head).decimal('collectionId'),
);

const nothingCodec = packetCodec<null>(
  () => null,
  () => null,
);

/** The calls of `ReaderApi` as they travel. */
export const READER_METHODS = {
  search: { name: 'reader.search', request: searchRequestCodec, answer: searchResultCodec },
  query: { name: 'reader.query', request: queryRequestCodec, answer: queryResultCodec },
  loaded: { name: 'reader.loaded', request: collectionCodec, answer: loadedReportCodec },
  ping: { name: 'reader.ping', request: nothingCodec, answer: nodeStatusCodec },
} as const satisfies {
  readonly search: Method<SearchRequest, SearchResult>;
  readonly query: Method<QueryRequest, QueryResult>;
  readonly loaded: Method<CollectionId, LoadedReport>;
  readonly ping: Method<null, NodeStatus>;
};
