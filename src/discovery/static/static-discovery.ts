import { MishardsError } from '../../errors/index.ts';
import type { Discovery, NodeInfo } from '../discovery.ts';
import { NodeList } from '../node-list.ts';

/**
 * A list that never changes: all its nodes are there, whether they answer or not. Names in addresses are resolved when a
 * connection is made, not here. Put `HealthCheckingDiscovery` around it to leave out those that do not answer.
 */
export class StaticDiscovery implements Discovery {
  readonly driver = 'static';
  readonly #list: NodeList;

  constructor(nodes: readonly NodeInfo[]) {
    this.#list = new NodeList(nodes);
  }

  async register(node: NodeInfo): Promise<AsyncDisposable> {
    const listed = this.nodes().find((other) => other.id === node.id);
    if (listed?.role !== node.role || listed.address !== node.address) {
      throw new MishardsError('CONFIG_INVALID', notListed(node, this.nodes()));
    }
    return { [Symbol.asyncDispose]: async () => {} };
  }

  nodes(): readonly NodeInfo[] {
    return this.#list.nodes;
  }

  subscribe(listener: (nodes: readonly NodeInfo[]) => void): Disposable {
    return this.#list.subscribe(listener);
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

function notListed(node: NodeInfo, listed: readonly NodeInfo[]): string {
  const names = listed.map(({ id, role, address }) => `${id}=${role}@${address}`);
  return (
    `this process, ${node.id}=${node.role}@${node.address}, is not among the nodes of static discovery ` +
    `(${names.join(', ')}); add it, or give the process the id and address of its entry`
  );
}
