import type { WatchEvent, Watcher } from './metastore.ts';

/** The changes of one revision, in the order of its transaction. */
export interface RevisionChanges {
  readonly revision: number;
  readonly events: readonly WatchEvent[];
}

export type ChangesAfter =
  /** `upTo` is the store's revision when it was read; nothing up to it is missing from `changes`. */
  | { readonly kind: 'changes'; readonly upTo: number; readonly changes: readonly RevisionChanges[] }
  | { readonly kind: 'reset'; readonly reason: string };

/** Reads the changes under `prefix` of revisions after `afterRevision`; undefined when the store cannot answer now. */
export type ReadChanges = (prefix: string, afterRevision: number) => ChangesAfter | undefined;

interface Watch {
  readonly prefix: string;
  readonly watcher: Watcher;
  readRevision: number;
}

/** The watches of one store that reads its changes by polling, with a wake-up at once for changes of its own. */
export class WatchSet {
  readonly #read: ReadChanges;
  readonly #watches = new Set<Watch>();
  #isWoken = false;

  constructor(read: ReadChanges) {
    this.#read = read;
  }

  add(prefix: string, afterRevision: number, watcher: Watcher): AsyncDisposable {
    const watch: Watch = { prefix, watcher, readRevision: afterRevision };
    this.#watches.add(watch);
    this.wake();
    return { [Symbol.asyncDispose]: async () => void this.#watches.delete(watch) };
  }

  /** Polls soon, never from within the caller. */
  wake(): void {
    if (this.#isWoken || this.#watches.size === 0) return;
    this.#isWoken = true;
    queueMicrotask(() => {
      this.#isWoken = false;
      this.poll();
    });
  }

  poll(): void {
    for (const watch of [...this.#watches]) this.#pollOne(watch);
  }

  clear(): void {
    this.#watches.clear();
  }

  #pollOne(watch: Watch): void {
    if (!this.#watches.has(watch)) return;
    const read = this.#read(watch.prefix, watch.readRevision);
    if (read === undefined) return;
    if (read.kind === 'reset') {
      this.#watches.delete(watch);
      watch.watcher.onReset(read.reason);
      return;
    }
    watch.readRevision = read.upTo;
    for (const { revision, events } of read.changes) {
      if (!this.#watches.has(watch)) return;
      watch.watcher.onEvents(events, revision);
    }
  }
}

/** Why a watch after `afterRevision` cannot be served, if it cannot. */
export function resetReason(
  afterRevision: number,
  compactedRevision: number,
  revision: number,
): string | undefined {
  if (afterRevision < compactedRevision) {
    return `changes up to revision ${compactedRevision} are no longer kept, the watch is at ${afterRevision}`;
  }
  if (afterRevision > revision) {
    return `the store is at revision ${revision}, before the watch at ${afterRevision}: it was restored`;
  }
  return undefined;
}
