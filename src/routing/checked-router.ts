import { MishardsError } from '../errors/index.ts';
import type { Placement, RoutedItem, RoutedNode, Router } from './router.ts';

/** Holds a third party's router to the contract: a placement that forgets an item or a node would silently lose rows. */
export class CheckedRouter implements Router {
  readonly driver: string;
  readonly #inner: Router;

  constructor(inner: Router) {
    this.driver = inner.driver;
    this.#inner = inner;
  }

  place(items: readonly RoutedItem[], nodes: readonly RoutedNode[], copies: number): Placement {
    const placement = this.#inner.place(items, nodes, copies);
    const known = new Set<string>(nodes.map((node) => node.id));
    for (const { key } of items) {
      const order = placement.get(key);
      const isTotal = order?.length === known.size && new Set(order).isSubsetOf(known);
      if (isTotal && new Set(order).size === known.size) continue;
      throw new MishardsError(
        'INTERNAL',
        `the router "${this.driver}" placed ${key} on [${order?.join(', ') ?? 'nothing'}]; it must list each of the ${known.size} nodes once`,
      );
    }
    return placement;
  }
}
