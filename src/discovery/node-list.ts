import { isDeepStrictEqual } from 'node:util';
import type { NodeInfo } from './discovery.ts';

/** The known nodes, by id ascending, and who wants to know of changes. The array stays the same until something changes. */
export class NodeList {
  #nodes: readonly NodeInfo[];
  readonly #listeners = new Set<(nodes: readonly NodeInfo[]) => void>();

  constructor(nodes: Iterable<NodeInfo> = []) {
    this.#nodes = sortedById(nodes);
  }

  get nodes(): readonly NodeInfo[] {
    return this.#nodes;
  }

  replace(nodes: Iterable<NodeInfo>): void {
    const sorted = sortedById(nodes);
    if (isDeepStrictEqual(sorted, this.#nodes)) return;
    this.#nodes = sorted;
    for (const listener of [...this.#listeners]) {
      // One that was disposed by a listener before it is not called any more.
      if (this.#listeners.has(listener)) listener(sorted);
    }
  }

  subscribe(listener: (nodes: readonly NodeInfo[]) => void): Disposable {
    // A wrapper of its own, so that one function may subscribe twice.
    const entry = (nodes: readonly NodeInfo[]): void => listener(nodes);
    this.#listeners.add(entry);
    return { [Symbol.dispose]: () => void this.#listeners.delete(entry) };
  }
}

function sortedById(nodes: Iterable<NodeInfo>): readonly NodeInfo[] {
  return Object.freeze([...nodes].sort((one, other) => (one.id < other.id ? -1 : 1)));
}
