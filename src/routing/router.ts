import type { NodeId } from '../schema/index.ts';

/** Something to place: a segment (weight = its rows) or a channel. */
export interface RoutedItem {
  readonly key: string;
  /** Above 0. */
  readonly weight: number;
}

export interface RoutedNode {
  readonly id: NodeId;
  /** Relative capacity, above 0. */
  readonly weight: number;
  /** Failure zone or ''; replicas prefer distinct zones. */
  readonly zone: string;
}

/**
 * For every item its nodes in order of preference, all distinct: the first `copies` are the ones that keep it loaded,
 * the rest are where to go when those fail. Every given node appears for every item (total).
 */
export type Placement = ReadonlyMap<string, readonly NodeId[]>;

/**
 * Placement of items on nodes: a pure function, so that every proxy and reader computes the same without talking.
 * It must not depend on the order of its inputs, and should move little when a node joins or leaves.
 *
 * Third-party routers load by module path and export `createRouter(options: Readonly<Record<string, unknown>>): Router`.
 */
export interface Router {
  readonly driver: string;
  /** `copies` is at least 1 and may exceed the nodes; then all nodes are copies. No nodes gives empty lists. */
  place(items: readonly RoutedItem[], nodes: readonly RoutedNode[], copies: number): Placement;
}
