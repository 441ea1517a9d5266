import { packQueryRequest, packSearchRequest } from './read-request-codec.ts';
import {
  unpackLoadedReport,
  unpackNodeStatus,
  unpackQueryResult,
  unpackSearchResult,
} from './read-result-codec.ts';
import type {
  LoadedReport,
  NodeStatus,
  QueryRequest,
  QueryResult,
  ReaderApi,
  SearchRequest,
  SearchResult,
} from './reader-api.ts';
import { READER_METHODS } from './reader-methods.ts';
import type { CollectionId } from '../schema/index.ts';
import type { CallOptions, WirePeer } from '../wire/wire.ts';

/** A reader behind a wire. Owns the peer. */
export class ReaderClient implements ReaderApi, AsyncDisposable {
  readonly #peer: WirePeer;

  constructor(peer: WirePeer) {
    this.#peer = peer;
  }

  async search(request: SearchRequest, call: CallOptions): Promise<SearchResult> {
    return unpackSearchResult(await this.#peer.call(READER_METHODS.search, packSearchRequest(request), call));
  }

  async query(request: QueryRequest, call: CallOptions): Promise<QueryResult> {
    return unpackQueryResult(await this.#peer.call(READER_METHODS.query, packQueryRequest(request), call));
  }

  async loaded(collection: CollectionId, call: CallOptions): Promise<LoadedReport> {
    const request = { head: { collectionId: collection }, parts: [] };
    return unpackLoadedReport(await this.#peer.call(READER_METHODS.loaded, request, call));
  }

  async ping(call: CallOptions): Promise<NodeStatus> {
    return unpackNodeStatus(await this.#peer.call(READER_METHODS.ping, { head: {}, parts: [] }, call));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#peer[Symbol.asyncDispose]();
  }
}
