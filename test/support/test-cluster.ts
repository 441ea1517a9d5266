import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MilvusClient } from '@zilliz/milvus2-sdk-node';
import { resolveConfig } from '../../src/config/index.ts';
import type { Role } from '../../src/discovery/discovery.ts';
import type { ServiceOverrides } from '../../src/server/node-services.ts';
import { startNode, type RunningNode } from '../../src/server/start-node.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';

export interface TestClusterOptions {
  readonly proxies?: number;
  readonly readers?: number;
  readonly writers?: number;
  /** `key=value` for every node. */
  readonly settings?: readonly string[];
  readonly overrides?: ServiceOverrides;
}

/** A whole cluster in this process: real drivers in a temporary directory, sockets between the nodes, ports of the system's choice. */
export class TestCluster implements AsyncDisposable {
  readonly #directory: string;
  readonly #options: TestClusterOptions;
  readonly #nodes = new Map<string, RunningNode>();
  readonly #clients: MilvusClient[] = [];

  private constructor(directory: string, options: TestClusterOptions) {
    this.#directory = directory;
    this.#options = options;
  }

  static async start(options: TestClusterOptions = {}): Promise<TestCluster> {
    const directory = await mkdtemp(join(tmpdir(), 'mishards-test-'));
    const cluster = new TestCluster(directory, options);
    const { writers = 1, readers = 2, proxies = 1 } = options;
    try {
      for (let index = 1; index <= writers; index++) await cluster.startNode('writer', index);
      for (let index = 1; index <= readers; index++) await cluster.startNode('reader', index);
      for (let index = 1; index <= proxies; index++) await cluster.startNode('proxy', index);
      return cluster;
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
  }

  get directory(): string {
    return this.#directory;
  }

  async startNode(role: Role, index: number): Promise<RunningNode> {
    const id = `${role}-${index}`;
    const settings = [
      `node.id=${id}`,
      `data.directory=${this.#directory}`,
      'proxy.port=0',
      'management.port=0',
      'kernel.threads=1',
      ...(this.#options.settings ?? []),
    ];
    const { config } = resolveConfig({ file: null, environment: {}, flags: settings });
    const { overrides } = this.#options;
    const node = await startNode({
      config,
      roles: [role],
      logger: silentLogger,
      ...(overrides && { overrides }),
    });
    this.#nodes.set(id, node);
    return node;
  }

  node(id: string): RunningNode {
    return this.#nodes.get(id)!;
  }

  /** Stops a node the clean way. */
  async stopNode(id: string): Promise<void> {
    const node = this.#nodes.get(id)!;
    this.#nodes.delete(id);
    await node[Symbol.asyncDispose]();
  }

  /** The official client, connected to a proxy. */
  async client(proxy = 'proxy-1'): Promise<MilvusClient> {
    const client = new MilvusClient({ address: this.node(proxy).addresses.milvus!, logLevel: 'error' });
    await client.connectPromise;
    this.#clients.push(client);
    return client;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.closeConnection()));
    for (const role of ['proxy', 'reader', 'writer']) {
      const nodes = [...this.#nodes].filter(([id]) => id.startsWith(role));
      await Promise.all(nodes.map(([, node]) => node[Symbol.asyncDispose]()));
    }
    await rm(this.#directory, { recursive: true, force: true });
  }
}
