import type { CatalogSnapshot } from '../../catalog/catalog.ts';
import type { Clock } from '../../host/index.ts';
import type { CollectionId, SegmentId } from '../../schema/index.ts';

/**
 * Segments whose merge came to nothing because the result could not be indexed. They are left alone for a time, so that what fails
 * for ever costs one rewrite in that time, and others are merged meanwhile. It is forgotten with the writer's term.
 */
export class RestingSegments {
  readonly #clock: Clock;
  readonly #restMs: number;
  readonly #resting = new Map<SegmentId, { readonly collectionId: CollectionId; readonly untilMs: number }>();

  constructor(clock: Clock, restMs: number) {
    this.#clock = clock;
    this.#restMs = restMs;
  }

  add(collectionId: CollectionId, ids: readonly SegmentId[]): void {
    const untilMs = this.#clock.monotonicMs() + this.#restMs;
    for (const id of ids) this.#resting.set(id, { collectionId, untilMs });
  }

  /** Among them are segments whose time is over, and those that are gone, until `forget`. */
  get ids(): ReadonlySet<SegmentId> {
    return new Set(this.#resting.keys());
  }

  has(collection: CollectionId): boolean {
    return this.#resting.values().some(({ collectionId }) => collectionId === collection);
  }

  /** Lets go of those whose time is over, and of those that are gone. */
  forget(snapshot: CatalogSnapshot): void {
    const nowMs = this.#clock.monotonicMs();
    for (const [id, { collectionId, untilMs }] of this.#resting) {
      const isOver = nowMs >= untilMs || snapshot.segment(collectionId, id) === undefined;
      if (isOver) this.#resting.delete(id);
    }
  }
}
