import { callMethod } from './method.ts';
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

  search(request: SearchRequest, call: CallOptions): Promise<SearchResult> {
    return callMethod(this.#peer, READER_METHODS.search, request, call);
  }

  query(request: QueryRequest, call: CallOptions): Promise<QueryResult> {
    return callMethod(this.#peer, READER_METHODS.query, request, call);
  }

  loaded(collection: CollectionId, call: CallOptions): Promise<LoadedReport> {
    return callMethod(this.#peer, READER_METHODS.loaded, collection, call);
  }

  ping(call: CallOptions): Promise<NodeStatus> {
    return callMethod(this.#peer, READER_METHODS.ping, null, call);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#peer[Symbol.asyncDispose]();
  }
}
