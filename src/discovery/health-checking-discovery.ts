import type { Host } from '../host/index.ts';
import type { NodeId } from '../schema/index.ts';
import type { Discovery, NodeInfo } from './discovery.ts';
import { NodeList } from './node-list.ts';
import { NodeProbe, type NodeHealth, type ProbeOptions } from './node-probe.ts';

export interface HealthCheckOptions extends ProbeOptions {
  readonly host: Pick<Host, 'timers' | 'random'>;
  /** Nodes that are not probed always count as well; by default all are. */
  readonly shouldProbe?: (node: NodeInfo) => boolean;
}

/**
 * Leaves out nodes that are announced but do not answer: one that failed several probes in a row is hidden from `nodes()`,
 * is probed on, and comes back after its first success. A node that is new, restarted or moved counts as well at first.
 */
export class HealthCheckingDiscovery implements Discovery {
  readonly driver: string;
  readonly #inner: Discovery;
  readonly #options: HealthCheckOptions;
  readonly #probes = new Map<string, NodeProbe>();
  readonly #list = new NodeList();
  readonly #subscription: Disposable;

  /** Owns `inner` and disposes it. */
  constructor(inner: Discovery, options: HealthCheckOptions) {
    this.driver = inner.driver;
    this.#inner = inner;
    this.#options = options;
    this.#subscription = inner.subscribe(() => this.#update());
    this.#update();
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

  /** Every probed node, the hidden ones too. */
  health(): ReadonlyMap<NodeId, NodeHealth> {
    return new Map([...this.#probes.values()].map((probe) => [probe.node.id, probe.health]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#subscription[Symbol.dispose]();
    await Promise.all([...this.#probes.values()].map((probe) => probe[Symbol.asyncDispose]()));
    this.#probes.clear();
    await this.#inner[Symbol.asyncDispose]();
  }

  #update(): void {
    const wanted = new Map(this.#probed().map((node) => [incarnation(node), node]));
    for (const [key, probe] of this.#probes) {
      if (wanted.has(key)) continue;
      void probe[Symbol.asyncDispose]();
      this.#probes.delete(key);
    }
    for (const [key, node] of wanted) {
      if (this.#probes.has(key)) continue;
      this.#probes.set(key, new NodeProbe(node, this.#options.host, this.#options, () => this.#publish()));
    }
    this.#publish();
  }

  #probed(): readonly NodeInfo[] {
    const { shouldProbe } = this.#options;
    return shouldProbe === undefined ? this.#inner.nodes() : this.#inner.nodes().filter(shouldProbe);
  }

  #publish(): void {
    const isWell = (node: NodeInfo): boolean => this.#probes.get(incarnation(node))?.health.isHealthy ?? true;
    this.#list.replace(this.#inner.nodes().filter(isWell));
  }
}

/** What makes it another process, whose health says nothing about the one before. */
function incarnation(node: NodeInfo): string {
  return JSON.stringify([node.id, node.address, node.startedMs]);
}
