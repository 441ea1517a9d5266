import type { FencedCatalog } from './fenced-catalog.ts';
import type { CatalogSnapshot } from '../catalog/catalog.ts';
import { channelDocumentKey, segmentDocumentKey } from '../catalog/keys.ts';
import type { ChannelMeta, SegmentMeta } from '../catalog/model.ts';
import type { Orphans } from '../catalog/snapshot.ts';
import type { Clock } from '../host/index.ts';
import type { Log } from '../log/log.ts';
import type { ObjectStore } from '../object-store/object-store.ts';
import { objectKeysOf } from '../segment/segment-keys.ts';
import type { Logger } from '../telemetry/logger.ts';

export interface SweeperOptions {
  readonly clock: Clock;
  readonly snapshot: () => CatalogSnapshot;
  /** Of the same snapshot. */
  readonly orphans: () => Orphans;
  readonly catalog: FencedCatalog;
  readonly objectStore: ObjectStore;
  readonly log: Log;
  readonly logger: Logger;
  readonly graceMs: number;
}

/** Documents deleted in one transaction. */
const BATCH_MAX = 256;

/** Something dropped: what is to be removed, and the document that names it, which goes last. */
interface Remains {
  readonly key: string;
  readonly remove: () => Promise<void>;
}

/**
 * Removes what dropped collections and partitions leave: objects and logs, and then the documents that name them. The
 * documents are the list of what is to do, so a restart forgets nothing; it only begins the grace anew.
 */
export class Sweeper {
  readonly #options: SweeperOptions;
  readonly #since = new Map<string, number>();
  #running: Promise<void> | null = null;
  /** The snapshot that had nothing to remove. */
  #idleAt: CatalogSnapshot | null = null;

  constructor(options: SweeperOptions) {
    this.#options = options;
  }

  /** Starts a sweep unless one is under way. */
  look(): void {
    if (this.#options.snapshot() === this.#idleAt) return;
    this.#running ??= this.#sweep().finally(() => {
      this.#running = null;
    });
  }

  async idle(): Promise<void> {
    await this.#running;
  }

  async #sweep(): Promise<void> {
    const due = this.#due();
    for (let at = 0; at < due.length; at += BATCH_MAX) {
      const batch = due.slice(at, at + BATCH_MAX);
      try {
        for (const { remove } of batch) await remove();
        await this.#options.catalog.change(() => batch.map(({ key }) => ({ kind: 'delete', key })));
      } catch (error) {
        this.#options.logger.warn({ error }, 'what was dropped cannot be removed yet');
        return;
      }
    }
  }

  /** Those whose grace has passed. */
  #due(): readonly Remains[] {
    const { clock, graceMs } = this.#options;
    const snapshot = this.#options.snapshot();
    const remains = this.#remains();
    this.#idleAt = remains.length === 0 ? snapshot : null;
    const nowMs = clock.monotonicMs();
    const keys = new Set(remains.map(({ key }) => key));
    for (const key of this.#since.keys()) if (!keys.has(key)) this.#since.delete(key);
    for (const key of keys) if (!this.#since.has(key)) this.#since.set(key, nowMs);
    return remains.filter(({ key }) => nowMs - this.#since.get(key)! >= graceMs);
  }

  #remains(): readonly Remains[] {
    const { segments, channels } = this.#options.orphans();
    return [
      ...segments.map((segment) => ({
        key: segmentDocumentKey(segment.collectionId, segment.id),
        remove: () => this.#removeSegment(segment),
      })),
      ...channels.map((channel) => ({
        key: channelDocumentKey(channel.id),
        remove: () => this.#removeChannel(channel),
      })),
    ];
  }

  async #removeSegment(segment: SegmentMeta): Promise<void> {
    for (const key of objectKeysOf(segment)) await this.#options.objectStore.delete(key);
  }

  async #removeChannel(channel: ChannelMeta): Promise<void> {
    await this.#options.log.drop(channel.id);
    for (const { objectKey } of channel.deltas) await this.#options.objectStore.delete(objectKey);
  }
}
