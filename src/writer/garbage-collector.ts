import type { FencedCatalog } from './fenced-catalog.ts';
import type { ObjectsInMaking } from './objects-in-making.ts';
import type { CatalogSnapshot } from '../catalog/catalog.ts';
import type { Orphans } from '../catalog/snapshot.ts';
import type { Clock } from '../host/index.ts';
import type { ObjectStore } from '../object-store/object-store.ts';
import type { CollectionId } from '../schema/index.ts';
import { DELTAS_PREFIX, SEGMENTS_PREFIX, collectionOfKey, objectKeysOf } from '../segment/segment-keys.ts';
import type { Logger } from '../telemetry/logger.ts';

export interface GarbageCollectorOptions {
  readonly host: { readonly clock: Clock };
  readonly snapshot: () => CatalogSnapshot;
  /** Of the same snapshot. */
  readonly orphans: () => Orphans;
  readonly catalog: FencedCatalog;
  readonly objectStore: ObjectStore;
  readonly making: ObjectsInMaking;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  readonly limits: { readonly garbageIntervalMs: number; readonly orphanGraceMs: number };
}

/** Objects remembered between two passes; what is beyond waits for a later one. */
const SEEN_MAX = 100_000;

/**
 * Finds the objects nobody names by listing the object store, and removes them when that has been so for a grace: what flushes,
 * compactions and index builds left that were cut off, and what a former writer was still to remove. It cannot meet an object
 * that is yet to be named: those of this term are in `making`, and those of others never will be (W3).
 */
export class GarbageCollector {
  readonly #options: GarbageCollectorOptions;
  /** When each was first seen to be named by nobody. */
  #seen = new Map<string, number>();
  #nextMs: number;
  #running: Promise<void> | null = null;

  constructor(options: GarbageCollectorOptions) {
    this.#options = options;
    // A takeover has more urgent things to do.
    this.#nextMs = options.host.clock.monotonicMs() + options.limits.orphanGraceMs;
  }

  /** Starts a pass when one is due. */
  look(): void {
    const { host, limits, signal, logger } = this.#options;
    if (signal.aborted || this.#running !== null || host.clock.monotonicMs() < this.#nextMs) return;
    this.#running = this.#pass()
      .catch((error: unknown) => {
        if (!signal.aborted) logger.warn({ error }, 'garbage cannot be collected now');
      })
      .finally(() => {
        this.#running = null;
        const restMs = this.#seen.size > 0 ? limits.orphanGraceMs : limits.garbageIntervalMs;
        this.#nextMs = host.clock.monotonicMs() + restMs;
      });
  }

  async idle(): Promise<void> {
    await this.#running;
  }

  async #pass(): Promise<void> {
    const { objectStore, signal } = this.#options;
    const before = this.#seen;
    this.#seen = new Map();
    for (const prefix of [SEGMENTS_PREFIX, DELTAS_PREFIX]) {
      for (let startAfter: string | undefined; ;) {
        signal.throwIfAborted();
        const page = await objectStore.list(prefix, startAfter === undefined ? {} : { startAfter });
        if (page.length === 0) break;
        startAfter = page.at(-1)!.key;
        await this.#collect(await this.#garbageAmong(page.map(({ key }) => key)), before);
      }
    }
  }

  /** What is in the making is left out first: the snapshot taken then shows whatever was named since. */
  async #garbageAmong(keys: readonly string[]): Promise<readonly string[]> {
    const { catalog, making, snapshot, orphans } = this.#options;
    const candidates = keys.filter((key) => !making.has(key));
    await catalog.current();
    const named = new NamedObjects(snapshot(), orphans());
    return candidates.filter((key) => !named.has(key));
  }

  async #collect(garbage: readonly string[], before: ReadonlyMap<string, number>): Promise<void> {
    const { host, limits, logger, objectStore, signal } = this.#options;
    const nowMs = host.clock.monotonicMs();
    for (const key of garbage) {
      const sinceMs = before.get(key) ?? nowMs;
      if (nowMs - sinceMs < limits.orphanGraceMs) {
        if (this.#seen.size < SEEN_MAX) this.#seen.set(key, sinceMs);
        continue;
      }
      signal.throwIfAborted();
      await objectStore.delete(key);
      logger.info({ key }, 'an object nobody names was removed');
    }
  }
}

/** The objects that documents of the catalog name, those of what was dropped included: the sweeper removes them. */
class NamedObjects {
  readonly #snapshot: CatalogSnapshot;
  readonly #orphans: Orphans;
  readonly #byCollection = new Map<CollectionId, ReadonlySet<string>>();

  constructor(snapshot: CatalogSnapshot, orphans: Orphans) {
    this.#snapshot = snapshot;
    this.#orphans = orphans;
  }

  has(key: string): boolean {
    const collection = collectionOfKey(key);
    let named = this.#byCollection.get(collection);
    if (named === undefined) {
      named = this.#of(collection);
      this.#byCollection.set(collection, named);
    }
    return named.has(key);
  }

  #of(id: CollectionId): ReadonlySet<string> {
    const isOfIt = ({ collectionId }: { readonly collectionId: CollectionId }): boolean =>
      collectionId === id;
    const segments = [
      ...this.#snapshot.segmentsOf(id),
      ...this.#snapshot.incomingOf(id),
      ...this.#orphans.segments.filter(isOfIt),
    ];
    const channels = [...this.#snapshot.channelsOf(id), ...this.#orphans.channels.filter(isOfIt)];
    return new Set([
      ...segments.flatMap(objectKeysOf),
      ...channels.flatMap(({ deltas }) => deltas.map(({ objectKey }) => objectKey)),
    ]);
  }
}
