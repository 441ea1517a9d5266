import type { MemoryUser } from './memory-budget.ts';
import type { ReaderContext } from './reader-context.ts';
import { RequestScope } from './request-scope.ts';
import { ServedCollection } from './served-collection.ts';
import type { CatalogSnapshot } from '../catalog/catalog.ts';
import { MishardsError } from '../errors/index.ts';
import type { SubRequest } from '../protocol/reader-api.ts';
import type { CollectionId } from '../schema/index.ts';

/** All loaded collections, as the catalog shows them: serves new ones, lets released and dropped ones go. */
export class ServedCollections {
  readonly #context: ReaderContext;
  readonly #served = new Map<CollectionId, ServedCollection>();
  readonly #closing = new Set<Promise<void>>();
  #isClosed = false;

  constructor(context: ReaderContext) {
    this.#context = context;
  }

  get(id: CollectionId): ServedCollection | undefined {
    return this.#served.get(id);
  }

  values(): Iterable<ServedCollection & MemoryUser> {
    return this.#served.values();
  }

  /** Call it when the catalog or the readers change. */
  update(snapshot: CatalogSnapshot): void {
    if (this.#isClosed) return;
    for (const [id, collection] of this.#served) {
      if (isLoaded(snapshot, id)) continue;
      this.#served.delete(id);
      this.#close(collection, new MishardsError('STALE_PLAN', `collection ${id} was released; plan again`));
    }
    for (const meta of snapshot.collections.values()) {
      if (meta.load === null) continue;
      const served = this.#served.get(meta.id);
      if (served !== undefined) served.update(snapshot);
      else this.#served.set(meta.id, new ServedCollection(meta, snapshot, this.#context));
    }
  }

  sweep(): void {
    for (const collection of this.#served.values()) collection.sweep();
  }

  /**
   * The collection of a sub-request, once this reader's catalog shows it loaded, with the schema and the segments of the plan. Waits a
   * bounded time for a catalog that lags behind the proxy's. `COLLECTION_NOT_LOADED`, `STALE_PLAN`.
   */
  async planned(request: SubRequest, signal: AbortSignal): Promise<ServedCollection> {
    const id = request.collectionId;
    await this.#waitUntil(
      (snapshot) => isLoaded(snapshot, id),
      signal,
      () => notLoaded(this.#snapshot(), id),
    );
    const { schemaVersion } = request;
    await this.#waitUntil(
      (snapshot) => (snapshot.collections.get(id)?.schemaVersion ?? schemaVersion) >= schemaVersion,
      signal,
      () => stale(`version ${schemaVersion} of the schema is not in this reader's catalog`),
    );
    this.update(this.#snapshot());
    const collection = this.#served.get(id);
    if (collection === undefined) throw notLoaded(this.#snapshot(), id);

    const unknown = (snapshot: CatalogSnapshot) =>
      request.segments.find((segment) => collection.whereabouts(segment, snapshot) === 'unknown');
    const ahead = (): MishardsError =>
      stale(`segment ${unknown(this.#snapshot())} is not in this reader's catalog`);
    await this.#waitUntil((snapshot) => unknown(snapshot) === undefined, signal, ahead);
    const gone = request.segments.find(
      (segment) => collection.whereabouts(segment, this.#snapshot()) === 'gone',
    );
    if (gone !== undefined) throw stale(`segment ${gone} was superseded`);
    return collection;
  }

  /** Ends all; requests that wait get `reason`. */
  async close(reason: MishardsError): Promise<void> {
    this.#isClosed = true;
    for (const collection of this.#served.values()) this.#close(collection, reason);
    this.#served.clear();
    await Promise.all(this.#closing);
  }

  #snapshot(): CatalogSnapshot {
    return this.#context.catalog.snapshot();
  }

  async #waitUntil(
    accepts: (snapshot: CatalogSnapshot) => boolean,
    signal: AbortSignal,
    late: () => MishardsError,
  ): Promise<void> {
    const { catalog, host, options } = this.#context;
    if (accepts(catalog.snapshot())) return;
    using lag = new RequestScope(host, { timeoutMs: options.planLagMaxMs, signal });
    try {
      await catalog.waitFor(accepts, lag.signal);
    } catch (error) {
      if (signal.aborted || !lag.signal.aborted) throw error;
      throw late();
    }
  }

  #close(collection: ServedCollection, reason: MishardsError): void {
    const closed = collection
      .close(reason)
      .catch((error: unknown) =>
        this.#context.logger.error({ collection: collection.id, error }, 'a collection could not be closed'),
      )
      .finally(() => this.#closing.delete(closed));
    this.#closing.add(closed);
  }
}

function isLoaded(snapshot: CatalogSnapshot, id: CollectionId): boolean {
  return (snapshot.collections.get(id)?.load ?? null) !== null;
}

function notLoaded(snapshot: CatalogSnapshot, id: CollectionId): MishardsError {
  const meta = snapshot.collections.get(id);
  if (meta === undefined) return new MishardsError('COLLECTION_NOT_FOUND', `no collection has the id ${id}`);
  return new MishardsError('COLLECTION_NOT_LOADED', `collection ${meta.name} is not loaded; load it first`);
}

function stale(what: string): MishardsError {
  return new MishardsError('STALE_PLAN', `${what}; plan again`);
}
