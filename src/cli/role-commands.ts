import { once } from 'node:events';
import type { Command } from 'commander';
import { configOf } from './cli-config.ts';
import { ROLES, type Role } from '../discovery/discovery.ts';
import { startNode, type RunningNode } from '../server/start-node.ts';

const DESCRIPTIONS: Readonly<Record<Role, string>> = {
  proxy: 'answer Milvus clients: split, route, merge; stateless, run any number',
  reader: 'search segments; add more for more data or more throughput',
  writer: 'take the writes; run a second one as a standby',
};

/** `mishards standalone`, `proxy`, `reader`, `writer`: one process until SIGINT or SIGTERM. */
export function addRoleCommands(program: Command): void {
  program
    .command('standalone')
    .description('everything in one process, with embedded defaults')
    .action(async (_options: unknown, command: Command) => await serve(command, ROLES));
  for (const role of ROLES) {
    program
      .command(role)
      .description(DESCRIPTIONS[role])
      .action(async (_options: unknown, command: Command) => await serve(command, [role]));
  }
}

/** Sent to a supervising parent once the process can serve. */
export interface ReadyMessage {
  readonly ready: RunningNode['addresses'];
}

async function serve(command: Command, roles: readonly Role[]): Promise<void> {
  const { config } = configOf(command);
  const stop = stopSignal();
  // The channel to the supervisor would keep this process alive.
  await using stack = new AsyncDisposableStack();
  stack.defer(() => (process.connected ? process.disconnect() : undefined));
  const node = stack.use(await startNode({ config, roles }));
  process.send?.({ ready: node.addresses } satisfies ReadyMessage);
  if (process.send === undefined) process.stdout.write(`${JSON.stringify(node.addresses)}\n`);
  if (!stop.aborted) await once(stop, 'abort');
}

/** Aborts on SIGINT, SIGTERM, or when a supervising parent goes away. */
function stopSignal(): AbortSignal {
  const controller = new AbortController();
  const stop = (): void => controller.abort();
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  process.once('disconnect', stop);
  return controller.signal;
}
