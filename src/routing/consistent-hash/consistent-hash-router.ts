import type { NodeId } from '../../schema/index.ts';
import { hash53 } from '../../util/hash.ts';
import type { Placement, RoutedItem, RoutedNode, Router } from '../router.ts';
import { byText, distinctKeys, sortedNodes } from '../routing-input.ts';
import { BoundedLoad, type RankedItem } from './bounded-load.ts';
import { HashRing } from './hash-ring.ts';

/** Rings kept: the nodes of now, and of a moment ago for requests planned before a change. */
const RINGS_MAX = 4;
const LOAD_BOUND = 1.25;

export interface ConsistentHashOptions {
  /** The busiest node's load over its fair share, where the weights of items permit; above 1. Less moves more on a change. */
  readonly loadBound?: number;
}

/**
 * The default: every item by itself on a consistent-hash ring, with bounded loads. Nodes are weighted, copies prefer
 * distinct zones, and the order after the copies is the ring's. `docs/internals/routing.md` has the figures.
 */
export class ConsistentHashRouter implements Router {
  readonly driver = 'consistent-hash';
  readonly #loadBound: number;
  readonly #rings = new Map<string, HashRing>();

  constructor(options: ConsistentHashOptions = {}) {
    this.#loadBound = options.loadBound ?? LOAD_BOUND;
  }

  place(items: readonly RoutedItem[], nodes: readonly RoutedNode[], copies: number): Placement {
    const sorted = sortedNodes(nodes);
    const keys = distinctKeys(items);
    if (sorted.length === 0) return new Map(keys.map((key) => [key, []]));
    const ring = this.#ringOf(sorted);
    const ranked = items.map((item) => ({ item, order: ring.orderOf(item.key), hash: hash53(item.key) }));
    ranked.sort(
      (one, other) =>
        other.item.weight - one.item.weight || one.hash - other.hash || byText(one.item.key, other.item.key),
    );
    const chosen = new BoundedLoad(sorted, this.#loadBound).choose(ranked, Math.min(copies, sorted.length));
    const ids = sorted.map((node) => node.id);
    return new Map(ranked.map((entry, index) => [entry.item.key, inOrder(chosen[index]!, entry, ids)]));
  }

  #ringOf(nodes: readonly RoutedNode[]): HashRing {
    const key = JSON.stringify(nodes.map((node) => [node.id, node.weight]));
    const kept = this.#rings.get(key);
    if (kept !== undefined) return kept;
    const oldest = this.#rings.keys().next();
    if (this.#rings.size >= RINGS_MAX && oldest.done !== true) this.#rings.delete(oldest.value);
    const ring = new HashRing(nodes);
    this.#rings.set(key, ring);
    return ring;
  }
}

/** The copies, then the other nodes in the item's order. */
function inOrder(
  copies: readonly number[],
  { order }: RankedItem,
  ids: readonly NodeId[],
): readonly NodeId[] {
  const list = copies.map((node) => ids[node]!);
  for (let rank = 0; rank < order.length; rank++) {
    const node = order[rank]!;
    if (!copies.includes(node)) list.push(ids[node]!);
  }
  return list;
}
