import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MilvusClient } from '@zilliz/milvus2-sdk-node';
import { ClusterMember } from '../../src/cli/cluster/cluster-member.ts';
import { planCluster, type PlannedMember } from '../../src/cli/cluster/cluster-plan.ts';
import { nodeTimers } from '../../src/host/node/index.ts';

const STOP_GRACE_MS = 10_000;
const SETTINGS = ['--set', 'telemetry.log_level=error', '--set', 'kernel.threads=1'];

/** Processes of their own, stopped and their data removed when disposed. */
export interface BenchCluster extends AsyncDisposable {
  /** Where the first proxy answers Milvus clients. */
  readonly address: string;
  readonly client: MilvusClient;
  pidOf(id: string): number;
}

/** One writer, one reader and one proxy, each in a process of its own. */
export function startApart(): Promise<BenchCluster> {
  return start((dataDirectory) =>
    planCluster({
      writers: 1,
      readers: 1,
      proxies: 1,
      dataDirectory,
      port: 0,
      managementPort: 0,
      arguments: SETTINGS,
    }),
  );
}

/** All roles in one process. */
export function startTogether(): Promise<BenchCluster> {
  return start((dataDirectory) => {
    const own = { 'data.directory': dataDirectory, 'proxy.port': 0, 'management.port': 0 };
    const settings = Object.entries(own).flatMap(([key, value]) => ['--set', `${key}=${value}`]);
    return [{ id: 'standalone', role: 'proxy', arguments: ['standalone', ...settings, ...SETTINGS] }];
  });
}

export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

async function start(plan: (dataDirectory: string) => readonly PlannedMember[]): Promise<BenchCluster> {
  await using stack = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'mishards-bench-'));
  stack.defer(() => rm(directory, { recursive: true, force: true }));
  await mkdir(join(directory, 'run'));
  const options = {
    timers: nodeTimers,
    onLine: (_id: string, line: string) => say(line),
    onExit: (id: string, reason: string) => say(`${id} ended: ${reason}`),
  };
  const members = plan(directory).map((planned) => new ClusterMember(planned, options));
  stack.defer(() => Promise.all(members.map((member) => member.stop(STOP_GRACE_MS))).then(() => {}));
  await Promise.all(members.map((member) => member.start()));
  const address = members.flatMap(({ addresses }) => addresses?.milvus ?? [])[0]!;
  const client = new MilvusClient({ address, logLevel: 'error' });
  stack.defer(() => client.closeConnection().then(() => {}));
  await client.connectPromise;
  const owned = stack.move();
  return {
    address,
    client,
    pidOf: (id) => members.find((member) => member.planned.id === id)!.pid!,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
