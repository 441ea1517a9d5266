import type { Placement, RoutedItem, RoutedNode, Router } from '../router.ts';
import { byText, distinctKeys, sortedNodes, spreadOverZones } from '../routing-input.ts';

/**
 * Items by key, dealt to the nodes by id in turn. Counts differ by one at most, whatever the weights; almost everything moves
 * when a node or an item comes or goes. For fixed clusters and for comparison.
 */
export class RoundRobinRouter implements Router {
  readonly driver = 'round-robin';

  place(items: readonly RoutedItem[], nodes: readonly RoutedNode[], copies: number): Placement {
    const sorted = sortedNodes(nodes);
    const keys = distinctKeys(items).toSorted(byText);
    return new Map(
      keys.map((key, index) => {
        const start = index % Math.max(1, sorted.length);
        const order = [...sorted.slice(start), ...sorted.slice(0, start)];
        return [key, spreadOverZones(order, copies).map((node) => node.id)];
      }),
    );
  }
}
