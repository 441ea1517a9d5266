import { once } from 'node:events';
import { Option, type Command } from 'commander';
import { globalArguments } from './cli-config.ts';
import { Cluster } from './cluster/cluster.ts';
import { nodeTimers } from '../host/node/index.ts';

interface ClusterFlags {
  readonly proxies: number;
  readonly readers: number;
  readonly writers: number;
  readonly data: string;
  readonly port: number;
  readonly managementPort: number;
  readonly json?: true;
  readonly quiet?: true;
}

const count = (value: string): number => Number.parseInt(value, 10);

/** `mishards cluster`: N processes of each role on this host, until SIGINT or SIGTERM. */
export function addClusterCommand(program: Command): void {
  program
    .command('cluster')
    .description('start and supervise a whole cluster of processes on this host')
    .addOption(new Option('--proxies <n>', 'proxy processes').default(2).argParser(count))
    .addOption(new Option('--readers <n>', 'reader processes').default(3).argParser(count))
    .addOption(
      new Option('--writers <n>', 'writer processes: one active, the others standby')
        .default(2)
        .argParser(count),
    )
    .addOption(new Option('--data <directory>', 'shared data directory').default('mishards-data'))
    .addOption(
      new Option('--port <port>', 'port of the first proxy, the next ones follow')
        .default(19530)
        .argParser(count),
    )
    .addOption(
      new Option('--management-port <port>', 'management port of the first proxy, the next ones follow')
        .default(9091)
        .argParser(count),
    )
    .addOption(new Option('--json', 'print pids and addresses as one JSON line once all are ready'))
    .addOption(new Option('--quiet', 'do not show what the processes log'))
    .action(async (flags: ClusterFlags, command: Command) => {
      await using cluster = await Cluster.start(
        { ...flags, dataDirectory: flags.data, arguments: globalArguments(command) },
        {
          timers: nodeTimers,
          onLine: (id, line) => flags.quiet === true || process.stderr.write(`${id.padEnd(9)} | ${line}\n`),
          onExit: (id, reason) =>
            process.stderr.write(`${id.padEnd(9)} | ended with ${reason}; starting it anew\n`),
        },
      );
      print(cluster, flags.json === true);
      const stop = new AbortController();
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
      await once(stop.signal, 'abort');
    });
}

function print(cluster: Cluster, json: boolean): void {
  const members = cluster.report();
  if (json) {
    process.stdout.write(`${JSON.stringify({ members })}\n`);
    return;
  }
  for (const { id, pid, addresses } of members) {
    const shown = Object.entries(addresses ?? {}).map(([name, address]) => `${name} ${address}`);
    process.stdout.write(`${id.padEnd(9)} pid ${pid}  ${shown.join('  ')}\n`);
  }
}
