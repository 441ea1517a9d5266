import { hash53 } from '../../util/hash.ts';
import type { RoutedNode } from '../router.ts';

/** Points of a node of weight 1: its share of the ring then deviates by about 9 % (1/√128). */
const POINTS_PER_WEIGHT = 128;
const POINTS_PER_NODE_MAX = 1024;
/** Orders kept, in node indexes: 8 MiB of them. */
const KEPT_ORDERS_LENGTH_MAX = 4 * 1024 * 1024;

/**
 * Karger et al., "Consistent Hashing and Random Trees" (STOC 1997): every node owns points on a circle in proportion to its
 * weight, and an item prefers the nodes in the order in which their points follow its own. A node that joins or leaves
 * changes only the orders its points are in.
 */
export class HashRing {
  readonly #nodeCount: number;
  readonly #positions: Float64Array;
  readonly #owners: Uint16Array;
  #orders = new Map<number, Uint16Array>();

  /** Nodes are known by their index in `nodes`, which must be sorted by id. */
  constructor(nodes: readonly RoutedNode[]) {
    this.#nodeCount = nodes.length;
    const scale = pointScale(nodes);
    const points = nodes.flatMap((node, owner) => {
      const count = Math.min(POINTS_PER_NODE_MAX, Math.max(1, Math.round(node.weight * scale)));
      return Array.from({ length: count }, (_, index) => ({ position: hash53(node.id, index + 1), owner }));
    });
    points.sort((one, other) => one.position - other.position || one.owner - other.owner);
    this.#positions = Float64Array.from(points, (point) => point.position);
    this.#owners = Uint16Array.from(points, (point) => point.owner);
  }

  /** Indexes of all nodes in the order of preference of `key`. */
  orderOf(key: string): Uint16Array {
    const point = this.#pointAfter(hash53(key));
    const kept = this.#orders.get(point);
    if (kept !== undefined) return kept;
    if (this.#orders.size * this.#nodeCount > KEPT_ORDERS_LENGTH_MAX) this.#orders = new Map();
    const order = this.#walk(point);
    this.#orders.set(point, order);
    return order;
  }

  #pointAfter(position: number): number {
    let low = 0;
    let high = this.#positions.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#positions[middle]! < position) low = middle + 1;
      else high = middle;
    }
    return low === this.#positions.length ? 0 : low;
  }

  #walk(start: number): Uint16Array {
    const order = new Uint16Array(this.#nodeCount);
    const seen = new Uint8Array(this.#nodeCount);
    let found = 0;
    for (let step = 0; found < this.#nodeCount; step++) {
      const owner = this.#owners[(start + step) % this.#owners.length]!;
      if (seen[owner] === 1) continue;
      seen[owner] = 1;
      order[found++] = owner;
    }
    return order;
  }
}

/**
 * Points a unit of weight. Weights may be in any unit (cores, gibibytes): beyond 8 they are scaled down by a power of two,
 * which changes only when the greatest weight passes one, so that an ordinary join does not move the others' points.
 */
function pointScale(nodes: readonly RoutedNode[]): number {
  const weightMax = nodes.reduce((max, node) => Math.max(max, node.weight), 0);
  const exponent = weightMax <= 8 ? 0 : Math.ceil(Math.log2(weightMax / 8));
  return POINTS_PER_WEIGHT / 2 ** exponent;
}
