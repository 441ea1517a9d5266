import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { MilvusClient } from '@zilliz/milvus2-sdk-node';
import { askManagement } from '../../src/cli/management-client.ts';
import { Cluster, type MemberReport } from '../../src/cli/cluster/cluster.ts';
import { nodeTimers } from '../../src/host/node/index.ts';
import type { ClusterStatus } from '../../src/server/status-pages.ts';

const POLL_MS = 10;
/** Longer than anything here may take. */
const PATIENCE_MS = 60_000;

export interface SceneOptions {
  readonly writers: number;
  readonly readers: number;
  readonly proxies: number;
  /** Its data lies in a new directory in here, removed at the end; absent = the system's place for temporary files. */
  readonly parentDirectory?: string;
  /** `key=value` for every process; all else has its default. */
  readonly settings?: readonly string[];
  /** Receives what the processes say. */
  readonly say: (line: string) => void;
}

/** A cluster of real processes, supervised, and a client for each proxy. */
export class Scene implements AsyncDisposable {
  readonly clients: readonly MilvusClient[];
  readonly directory: string;
  readonly #cluster: Cluster;
  readonly #stack: AsyncDisposableStack;

  private constructor(
    directory: string,
    cluster: Cluster,
    clients: readonly MilvusClient[],
    stack: AsyncDisposableStack,
  ) {
    this.directory = directory;
    this.#cluster = cluster;
    this.clients = clients;
    this.#stack = stack;
  }

  static async open(options: SceneOptions): Promise<Scene> {
    const { writers, readers, proxies, say } = options;
    await using stack = new AsyncDisposableStack();
    const dataDirectory = await mkdtemp(join(options.parentDirectory ?? tmpdir(), 'mishards-scene-'));
    stack.defer(() => rm(dataDirectory, { recursive: true, force: true }));
    const cluster = stack.use(
      await Cluster.start(
        {
          writers,
          readers,
          proxies,
          dataDirectory,
          // A proxy that is started anew must come back where its clients look for it.
          port: await freePorts(proxies),
          managementPort: 0,
          arguments: ['telemetry.log_level=warn', ...(options.settings ?? [])].flatMap((each) => [
            '--set',
            each,
          ]),
        },
        {
          timers: nodeTimers,
          onLine: (id, line) => say(`  ${id} | ${line}`),
          onExit: (id, reason) => say(`  ${id} ended with ${reason}`),
        },
      ),
    );
    const clients = cluster
      .report()
      .filter(({ role }) => role === 'proxy')
      // The client's own retries would hide what a fault costs and repeat inserts.
      .map(
        ({ addresses }) => new MilvusClient({ address: addresses!.milvus!, maxRetries: 0, logLevel: 'none' }),
      );
    stack.defer(async () => void (await Promise.all(clients.map((client) => client.closeConnection()))));
    await Promise.all(clients.map((client) => client.connectPromise));
    return new Scene(dataDirectory, cluster, clients, stack.move());
  }

  members(): readonly MemberReport[] {
    return this.#cluster.report();
  }

  member(id: string): MemberReport {
    return this.members().find((member) => member.id === id)!;
  }

  signal(id: string, name: NodeJS.Signals): void {
    this.#cluster.signal(id, name);
  }

  /** Cluster as the first proxy sees it. */
  async status(): Promise<ClusterStatus> {
    return (await askManagement(this.member('proxy-1').addresses!.management!, '/status')) as ClusterStatus;
  }

  /** kill -9. */
  kill(id: string): void {
    this.signal(id, 'SIGKILL');
  }

  /** Waits until the supervisor has started the process anew after `killedPid`. */
  async restarted(id: string, killedPid: number | null): Promise<void> {
    await until(`${id} serves again`, () => {
      const { pid, addresses } = this.member(id);
      return pid !== killedPid && addresses !== null;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack[Symbol.asyncDispose]();
  }
}

/** Polls; throws when it takes too long, for then something hangs. */
export async function until(what: string, isTrue: () => boolean | Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + PATIENCE_MS;
  while (!(await isTrue())) {
    if (performance.now() > deadlineMs) throw new Error(`not within ${PATIENCE_MS} ms: ${what}`);
    await sleep(POLL_MS);
  }
}

/** First of `count` successive ports that nobody listens on. */
async function freePorts(count: number): Promise<number> {
  for (;;) {
    const first = await listenOnce(0);
    try {
      for (let port = first!; port < first! + count; port++) await listenOnce(port);
      return first;
    } catch {
      // Somebody has one of them: the system gives another first one.
    }
  }
}

async function listenOnce(port: number): Promise<number> {
  const server = createServer().listen(port, '127.0.0.1');
  await once(server, 'listening');
  const { port: given } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return given;
}
