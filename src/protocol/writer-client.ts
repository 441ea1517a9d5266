import { callMethod } from './method.ts';
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
import { WRITER_METHODS } from './writer-messages.ts';
import type { CatalogCommand } from '../catalog/commands.ts';
import type { CollectionId, PartitionId } from '../schema/index.ts';
import type { CallOptions, WirePeer } from '../wire/wire.ts';

/** The writer behind a wire. Owns the peer. */
export class WriterClient implements WriterApi, AsyncDisposable {
  readonly #peer: WirePeer;

  constructor(peer: WirePeer) {
    this.#peer = peer;
  }

  execute(command: CatalogCommand, call: CallOptions): Promise<{ readonly revision: number }> {
    return callMethod(this.#peer, WRITER_METHODS.execute, command, call);
  }

  insert(request: InsertRequest, call: CallOptions): Promise<MutationResult> {
    return callMethod(this.#peer, WRITER_METHODS.insert, request, call);
  }

  upsert(request: InsertRequest, call: CallOptions): Promise<MutationResult> {
    return callMethod(this.#peer, WRITER_METHODS.upsert, request, call);
  }

  delete(request: DeleteRequest, call: CallOptions): Promise<MutationResult> {
    return callMethod(this.#peer, WRITER_METHODS.delete, request, call);
  }

  flush(collections: readonly CollectionId[], call: CallOptions): Promise<FlushResult> {
    return callMethod(this.#peer, WRITER_METHODS.flush, collections, call);
  }

  compact(collection: CollectionId, call: CallOptions): Promise<CompactionRequested> {
    return callMethod(this.#peer, WRITER_METHODS.compact, collection, call);
  }

  compactionState(compactionId: string, call: CallOptions): Promise<CompactionState> {
    return callMethod(this.#peer, WRITER_METHODS.compactionState, compactionId, call);
  }

  positions(collection: CollectionId, call: CallOptions): Promise<Positions> {
    return callMethod(this.#peer, WRITER_METHODS.positions, collection, call);
  }

  freshRows(collection: CollectionId, call: CallOptions): Promise<ReadonlyMap<PartitionId, number>> {
    return callMethod(this.#peer, WRITER_METHODS.freshRows, collection, call);
  }

  follow(request: FollowRequest, call: CallOptions): Promise<FollowResult> {
    return callMethod(this.#peer, WRITER_METHODS.follow, request, call);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#peer[Symbol.asyncDispose]();
  }
}
