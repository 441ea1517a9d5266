import type { Catalog, CatalogSnapshot } from './catalog.ts';
import { CATALOG_PREFIX, WRITER_LEASE_KEY } from './keys.ts';
import { SnapshotDraft } from './snapshot-draft.ts';
import { EMPTY_PARTS, Snapshot, type Orphans } from './snapshot.ts';
import type { Timers } from '../host/index.ts';
import type { KeyValue, Metastore, WatchEvent } from '../metastore/metastore.ts';

const RESYNC_FIRST_DELAY_MS = 100;
const RESYNC_DELAY_MAX_MS = 5_000;

export interface CatalogOptions {
  readonly metastore: Metastore;
  readonly timers: Timers;
  /** Told when the snapshot cannot be brought up to date; it is tried again by itself. */
  readonly onProblem?: (error: unknown) => void;
}

/** Reads the whole catalog once, then follows its changes. `METASTORE_UNAVAILABLE`, `CORRUPT_DATA`. */
export async function openCatalog(options: CatalogOptions): Promise<MetastoreCatalog> {
  const catalog = new MetastoreCatalog(options);
  await catalog.start();
  return catalog;
}

/** The catalog on a metastore. Every key is one document; a snapshot holds whole revisions only. */
export class MetastoreCatalog implements Catalog {
  readonly #metastore: Metastore;
  readonly #timers: Timers;
  readonly #onProblem: (error: unknown) => void;
  readonly #closed = new AbortController();
  readonly #listeners = new Set<(snapshot: CatalogSnapshot) => void>();
  readonly #follows: readonly KeyFollow[];
  #snapshot = new Snapshot(EMPTY_PARTS);

  constructor(options: CatalogOptions) {
    this.#metastore = options.metastore;
    this.#timers = options.timers;
    this.#onProblem = options.onProblem ?? (() => undefined);
    this.#follows = [
      newFollow(WRITER_LEASE_KEY, (key) => key === WRITER_LEASE_KEY),
      newFollow(CATALOG_PREFIX, () => true),
    ];
  }

  async start(): Promise<void> {
    for (const follow of this.#follows) await this.#readAll(follow);
  }

  snapshot(): CatalogSnapshot {
    return this.#snapshot;
  }

  /** Documents whose collection or partition is gone. */
  orphans(): Orphans {
    return this.#snapshot.orphans();
  }

  subscribe(listener: (snapshot: CatalogSnapshot) => void): Disposable {
    // A function of its own for each subscription, so that the same listener can subscribe twice.
    const entry = (snapshot: CatalogSnapshot): void => listener(snapshot);
    this.#listeners.add(entry);
    return { [Symbol.dispose]: () => void this.#listeners.delete(entry) };
  }

  async waitFor(
    accepts: (snapshot: CatalogSnapshot) => boolean,
    signal: AbortSignal,
  ): Promise<CatalogSnapshot> {
    signal.throwIfAborted();
    if (accepts(this.#snapshot)) return this.#snapshot;
    const { promise, resolve, reject } = Promise.withResolvers<CatalogSnapshot>();
    const onAbort = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort);
    using _ = this.subscribe((snapshot) => {
      if (accepts(snapshot)) resolve(snapshot);
    });
    try {
      return await promise;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort(new Error('the catalog is closed'));
    this.#listeners.clear();
    for (const follow of this.#follows) await follow.watch?.[Symbol.asyncDispose]();
  }

  /** Brings the snapshot to the present state of the keys, sharing what did not change, and watches from there. */
  async #readAll(follow: KeyFollow): Promise<void> {
    const { revision, entries } = await this.#metastore.range(follow.prefix);
    if (this.#closed.signal.aborted) return;
    const present = entries.filter((entry) => follow.accepts(entry.key));
    const draft = new SnapshotDraft(this.#snapshot);
    const known = new Map<string, number>();
    for (const entry of present) {
      if (follow.known.get(entry.key) !== entry.modRevision) draft.apply(entry.key, entry.value);
      known.set(entry.key, entry.modRevision);
    }
    for (const key of follow.known.keys()) if (!known.has(key)) draft.apply(key, null);
    this.#publish(follow, draft, revision);
    follow.known = known;
    const round = follow.round;
    follow.watch = this.#metastore.watch(follow.prefix, revision, {
      onEvents: (events, changedAt) => {
        if (round === follow.round) this.#onEvents(follow, events, changedAt);
      },
      onReset: (reason) => {
        if (round === follow.round) void this.#resync(follow, new Error(`the watch was reset: ${reason}`));
      },
    });
  }

  #onEvents(follow: KeyFollow, events: readonly WatchEvent[], revision: number): void {
    const draft = new SnapshotDraft(this.#snapshot);
    const changes = events.map(changeOf).filter((change) => follow.accepts(change.key));
    try {
      for (const change of changes) draft.apply(change.key, change.value);
    } catch (error) {
      void this.#resync(follow, error);
      return;
    }
    for (const change of changes) {
      if (change.value === null) follow.known.delete(change.key);
      else follow.known.set(change.key, change.modRevision);
    }
    this.#publish(follow, draft, revision);
  }

  #publish(follow: KeyFollow, draft: SnapshotDraft, revision: number): void {
    const isCatalog = follow.prefix === CATALOG_PREFIX;
    this.#snapshot = draft.build(isCatalog ? revision : this.#snapshot.revision);
    for (const listener of [...this.#listeners]) listener(this.#snapshot);
  }

  /** Reads all anew until it succeeds; meanwhile the last snapshot stays. */
  async #resync(follow: KeyFollow, problem: unknown): Promise<void> {
    follow.round++;
    this.#onProblem(problem);
    const { signal } = this.#closed;
    try {
      await follow.watch?.[Symbol.asyncDispose]();
      for (let delayMs = RESYNC_FIRST_DELAY_MS; !signal.aborted;) {
        try {
          return await this.#readAll(follow);
        } catch (error) {
          this.#onProblem(error);
        }
        await this.#timers.sleep(delayMs, signal);
        delayMs = Math.min(delayMs * 2, RESYNC_DELAY_MAX_MS);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
}

/** One watched prefix, with the revision at which each of its keys was last seen to change. */
interface KeyFollow {
  readonly prefix: string;
  readonly accepts: (key: string) => boolean;
  known: Map<string, number>;
  watch: AsyncDisposable | null;
  /** Counts the watches; what an earlier one still reports is out of order. */
  round: number;
}

function newFollow(prefix: string, accepts: (key: string) => boolean): KeyFollow {
  return { prefix, accepts, known: new Map(), watch: null, round: 0 };
}

type KeyChange = Pick<KeyValue, 'key' | 'modRevision'> & { readonly value: string | null };

function changeOf(event: WatchEvent): KeyChange {
  if (event.kind === 'put') return event.entry;
  return { key: event.key, modRevision: event.modRevision, value: null };
}
