import { once } from 'node:events';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { configOf, globalArguments } from './cli-config.ts';
import { Cluster } from './cluster/cluster.ts';
import { nodeTimers } from '../host/node/index.ts';

interface ClusterFlags {
  readonly proxies: number;
  readonly readers: number;
  readonly writers: number;
  readonly data?: string;
  readonly port?: number;
  readonly managementPort?: number;
  readonly json?: true;
  readonly quiet?: true;
}

/** A whole number within bounds, from the command line. */
const between =
  (min: number, max: number) =>
  (value: string): number => {
    const number = Number(value);
    if (Number.isInteger(number) && number >= min && number <= max) return number;
    throw new InvalidArgumentError(`it must be a whole number from ${min} to ${max}`);
  };
const processes = between(1, 1_000);
const port = between(0, 65_535);

/** `mishards cluster`: N processes of each role on this host, until SIGINT or SIGTERM. */
export function addClusterCommand(program: Command): void {
  program
    .command('cluster')
    .description('start and supervise a whole cluster of processes on this host')
    .addOption(new Option('--proxies <n>', 'proxy processes').default(2).argParser(processes))
    .addOption(new Option('--readers <n>', 'reader processes').default(3).argParser(processes))
    .addOption(
      new Option('--writers <n>', 'writer processes: one active, the others standby')
        .default(2)
        .argParser(processes),
    )
    .addOption(new Option('--data <directory>', 'shared data directory; default: data.directory'))
    .addOption(
      new Option(
        '--port <port>',
        'port of the first proxy, the next ones follow; default: proxy.port',
      ).argParser(port),
    )
    .addOption(
      new Option(
        '--management-port <port>',
        'management port of the first proxy, the next ones follow; default: management.port',
      ).argParser(port),
    )
    .addOption(new Option('--json', 'print pids and addresses as one JSON line once all are ready'))
    .addOption(new Option('--quiet', 'do not show what the processes log'))
    .action(async (flags: ClusterFlags, command: Command) => {
      const { config } = configOf(command);
      await using cluster = await Cluster.start(
        {
          ...flags,
          dataDirectory: flags.data ?? config['data.directory'],
          port: flags.port ?? config['proxy.port'],
          managementPort: flags.managementPort ?? config['management.port'],
          arguments: globalArguments(command),
        },
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
