import { assert } from '../util/assert.ts';
import type { RoutedItem, RoutedNode } from './router.ts';

/** Order of UTF-16 code units: the same on every machine, whatever its locale. */
export function byText(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}

/** Nodes by id, so that nothing depends on the order in which discovery listed them. */
export function sortedNodes(nodes: readonly RoutedNode[]): readonly RoutedNode[] {
  const sorted = nodes.toSorted((one, other) => byText(one.id, other.id));
  for (let index = 0; index < sorted.length; index++) {
    const { id, weight } = sorted[index]!;
    assert(weight > 0, `node ${id} has the weight ${weight}`);
    assert(index === 0 || sorted[index - 1]!.id !== id, `node ${id} is given twice`);
  }
  return sorted;
}

export function distinctKeys(items: readonly RoutedItem[]): readonly string[] {
  const keys = items.map((item) => item.key);
  assert(new Set(keys).size === keys.length, 'an item is given twice');
  return keys;
}

/**
 * `order` with nodes of zones not yet seen moved to the front until `copies` are there, where there are such zones.
 * Nodes of unknown zone ('') count as zones of their own.
 */
export function spreadOverZones(order: readonly RoutedNode[], copies: number): readonly RoutedNode[] {
  const front: RoutedNode[] = [];
  const zones = new Set<string>();
  for (const node of order) {
    if (front.length === copies) break;
    if (node.zone !== '' && zones.has(node.zone)) continue;
    zones.add(node.zone);
    front.push(node);
  }
  return [...front, ...order.filter((node) => !front.includes(node))];
}
