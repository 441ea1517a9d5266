import { routedItems } from '../../catalog/routed-items.ts';
import type { CatalogSnapshot } from '../../catalog/catalog.ts';
import type { CollectionMeta, SegmentMeta } from '../../catalog/model.ts';
import type { NodeInfo } from '../../discovery/discovery.ts';
import type { Placement, Router } from '../../routing/router.ts';
import type { CollectionId } from '../../schema/index.ts';

interface CachedPlacement {
  readonly segments: readonly SegmentMeta[];
  readonly incoming: readonly SegmentMeta[];
  readonly readers: readonly NodeInfo[];
  readonly copies: number;
  readonly placement: Placement;
}

/**
 * Placement is a function of segments and readers, so it is computed when one of them changes and not for each search.
 * Holds one entry a collection of the catalog.
 */
export class PlacementCache {
  readonly #router: Router;
  readonly #entries = new Map<CollectionId, CachedPlacement>();

  constructor(router: Router) {
    this.#router = router;
  }

  get router(): string {
    return this.#router.driver;
  }

  placementOf(
    snapshot: CatalogSnapshot,
    collection: CollectionMeta,
    readers: readonly NodeInfo[],
  ): Placement {
    const segments = snapshot.segmentsOf(collection.id);
    const incoming = snapshot.incomingOf(collection.id);
    const copies = collection.load?.replicas ?? 1;
    const cached = this.#entries.get(collection.id);
    const isSame = cached?.segments === segments && cached.incoming === incoming;
    if (isSame && cached.readers === readers && cached.copies === copies) return cached.placement;
    const placement = this.#router.place(routedItems(snapshot, collection), readers, copies);
    this.#entries.set(collection.id, { segments, incoming, readers, copies, placement });
    return placement;
  }

  /** Drops what the catalog no longer has. */
  prune(snapshot: CatalogSnapshot): void {
    for (const id of this.#entries.keys()) {
      if (!snapshot.collections.has(id)) this.#entries.delete(id);
    }
  }
}
