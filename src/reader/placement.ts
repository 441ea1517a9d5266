import type { CatalogSnapshot } from '../catalog/catalog.ts';
import type { CollectionMeta, SegmentMeta } from '../catalog/model.ts';
import { routedItems, segmentKey } from '../catalog/routed-items.ts';
import type { NodeInfo } from '../discovery/discovery.ts';
import type { Router } from '../routing/router.ts';
import type { NodeId, SegmentId } from '../schema/index.ts';

/** Which segments of a collection placement keeps on one node. Computed when segments, readers or the load change. */
export class WantedSegments {
  readonly #router: Router;
  readonly #nodeId: NodeId;
  #inputs: readonly unknown[] = [];
  #wanted: ReadonlyMap<SegmentId, SegmentMeta> = new Map();

  constructor(router: Router, nodeId: NodeId) {
    this.#router = router;
    this.#nodeId = nodeId;
  }

  /** The last answer. */
  get last(): ReadonlyMap<SegmentId, SegmentMeta> {
    return this.#wanted;
  }

  /** Those placed here among the first `load.replicas` nodes, of loaded partitions; incoming ones too, so that they are open when they are read. */
  of(
    snapshot: CatalogSnapshot,
    collection: CollectionMeta,
    readers: readonly NodeInfo[],
  ): ReadonlyMap<SegmentId, SegmentMeta> {
    const { load } = collection;
    if (load === null) return new Map();
    const segments = snapshot.segmentsOf(collection.id);
    const incoming = snapshot.incomingOf(collection.id);
    const inputs = [segments, incoming, readers, load];
    if (inputs.every((input, index) => input === this.#inputs[index])) return this.#wanted;
    const placement = this.#router.place(routedItems(snapshot, collection), readers, load.replicas);
    const isLoaded = ({ partitionId }: SegmentMeta): boolean =>
      load.partitionIds?.includes(partitionId) ?? true;
    const isHere = ({ id }: SegmentMeta): boolean =>
      placement.get(segmentKey(id))?.slice(0, load.replicas).includes(this.#nodeId) ?? false;
    const wanted = [...segments, ...incoming].filter((segment) => isLoaded(segment) && isHere(segment));
    this.#inputs = inputs;
    this.#wanted = new Map(wanted.map((segment) => [segment.id, segment]));
    return this.#wanted;
  }
}
