import { asMishardsError } from '../errors/index.ts';
import type { Discovery, DiscoveryContext, NodeInfo } from './discovery.ts';
import { checkNodeInfo } from './node-info.ts';
import { NodeList } from './node-list.ts';

/** Holds a third party's discovery to the contract: nodes well formed, by id, and the same array until something changes. */
export class CheckedDiscovery implements Discovery {
  readonly driver: string;
  readonly #inner: Discovery;
  readonly #context: DiscoveryContext;
  readonly #list = new NodeList();
  readonly #subscription: Disposable;

  constructor(inner: Discovery, context: DiscoveryContext) {
    this.driver = inner.driver;
    this.#inner = inner;
    this.#context = context;
    this.#subscription = inner.subscribe((nodes) => this.#update(nodes));
    this.#update(inner.nodes());
  }

  async register(node: NodeInfo): Promise<AsyncDisposable> {
    return await this.#inner.register(node);
  }

  nodes(): readonly NodeInfo[] {
    return this.#list.nodes;
  }

  subscribe(listener: (nodes: readonly NodeInfo[]) => void): Disposable {
    return this.#list.subscribe(listener);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#subscription[Symbol.dispose]();
    await this.#inner[Symbol.asyncDispose]();
  }

  /** Two nodes of one id would make placements differ between processes: the one started later counts. */
  #update(nodes: readonly unknown[]): void {
    const byId = new Map<string, NodeInfo>();
    for (const value of nodes) {
      const node = this.#checked(value);
      if (node === null) continue;
      const other = byId.get(node.id);
      if (other === undefined || other.startedMs < node.startedMs) byId.set(node.id, node);
    }
    this.#list.replace(byId.values());
  }

  #checked(value: unknown): NodeInfo | null {
    try {
      return checkNodeInfo(value);
    } catch (error) {
      this.#context.onProblem(asMishardsError(error));
      return null;
    }
  }
}
