import { hash64, mix53, type Hash64 } from '../../util/hash.ts';
import type { Placement, RoutedItem, RoutedNode, Router } from '../router.ts';
import { distinctKeys, sortedNodes, spreadOverZones } from '../routing-input.ts';

interface ScoredNode {
  readonly node: RoutedNode;
  readonly hash: Hash64;
}

/**
 * Thaler and Ravishankar, "Using Name-Based Mappings to Increase Hit Rates" (1998), with Schindelhauer and Schomaker's weights
 * (2005): an item ranks the nodes by a hash of the pair. The least possible moves when a node joins or leaves, but the loads
 * of few items are as uneven as chance.
 */
export class RendezvousRouter implements Router {
  readonly driver = 'rendezvous';

  place(items: readonly RoutedItem[], nodes: readonly RoutedNode[], copies: number): Placement {
    const hashed = sortedNodes(nodes).map((node) => ({ node, hash: hash64(node.id) }));
    return new Map(
      distinctKeys(items).map((key) => {
        const order = rank(hash64(key), hashed);
        return [key, spreadOverZones(order, copies).map((node) => node.id)];
      }),
    );
  }
}

function rank(key: Hash64, nodes: readonly ScoredNode[]): readonly RoutedNode[] {
  const scored = nodes.map(({ node, hash }) => ({ node, score: score(mix53(key, hash), node.weight) }));
  return scored.sort((one, other) => one.score - other.score).map(({ node }) => node);
}

/** An exponential variable of rate `weight`: the smallest of several is a node's with probability proportional to its weight. */
function score(hash: number, weight: number): number {
  return -Math.log((hash + 1) / 2 ** 53) / weight;
}
