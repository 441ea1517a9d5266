import type { RoutedItem, RoutedNode } from '../router.ts';

/** An item with its order of preference over all nodes, as indexes. */
export interface RankedItem {
  readonly item: RoutedItem;
  readonly order: ArrayLike<number>;
}

/** Room for rounding when weights are added up. */
const TOLERANCE = 1e-9;

/**
 * Chooses `copies` distinct nodes for every item, after Mirrokni, Thorup and Zadimoghaddam, "Consistent Hashing with Bounded
 * Loads" (SODA 2018): each item takes the first node of its order whose load stays within `bound` × its fair share. Loads are
 * weights of items, shares are in proportion to the nodes' weights. Heavy items choose first, and where an item fits nowhere
 * it goes to the least loaded node for its weight, so that one that is too coarse for the bound does the least harm.
 *
 * All first copies are chosen before all second ones, each round within its own share of the bound: first copies do not
 * depend on how many copies there are. A copy in a new zone is worth more than the bound.
 */
export class BoundedLoad {
  readonly #nodes: readonly RoutedNode[];
  readonly #bound: number;
  readonly #loads: Float64Array;
  readonly #limits: Float64Array;

  constructor(nodes: readonly RoutedNode[], bound: number) {
    this.#nodes = nodes;
    this.#bound = bound;
    this.#loads = new Float64Array(nodes.length);
    this.#limits = new Float64Array(nodes.length);
  }

  /** Node indexes of the copies of each item, in the order of `ranked`, which must be by weight descending. */
  choose(ranked: readonly RankedItem[], copies: number): number[][] {
    const total = ranked.reduce((sum, { item }) => sum + item.weight, 0);
    const chosen: number[][] = ranked.map(() => []);
    for (let round = 1; round <= copies; round++) {
      this.#setLimits(total * round);
      for (let index = 0; index < ranked.length; index++) {
        const { item, order } = ranked[index]!;
        const node = this.#pick(item.weight, order, chosen[index]!);
        this.#loads[node] = this.#loads[node]! + item.weight;
        chosen[index]!.push(node);
      }
    }
    return chosen;
  }

  #setLimits(total: number): void {
    const capacity = this.#nodes.reduce((sum, node) => sum + node.weight, 0);
    for (let node = 0; node < this.#nodes.length; node++) {
      const fair = (total * this.#nodes[node]!.weight) / capacity;
      this.#limits[node] = this.#bound * fair * (1 + TOLERANCE);
    }
  }

  #pick(weight: number, order: ArrayLike<number>, taken: readonly number[]): number {
    const inNewZone = this.#pickFrom(weight, order, taken, true);
    return inNewZone === -1 ? this.#pickFrom(weight, order, taken, false) : inNewZone;
  }

  #pickFrom(weight: number, order: ArrayLike<number>, taken: readonly number[], newZone: boolean): number {
    let best = -1;
    let bestLoad = Infinity;
    for (let rank = 0; rank < order.length; rank++) {
      const node = order[rank]!;
      if (taken.length > 0 && (taken.includes(node) || (newZone && this.#sharesZone(node, taken)))) continue;
      const load = this.#loads[node]! + weight;
      if (load <= this.#limits[node]!) return node;
      const relative = load / this.#nodes[node]!.weight;
      if (relative >= bestLoad * (1 - TOLERANCE)) continue;
      best = node;
      bestLoad = relative;
    }
    return best;
  }

  #sharesZone(node: number, taken: readonly number[]): boolean {
    const { zone } = this.#nodes[node]!;
    return zone !== '' && taken.some((other) => this.#nodes[other]!.zone === zone);
  }
}
