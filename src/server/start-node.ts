import { listenManagement } from './management.ts';
import { openServices, type ServiceOverrides } from './node-services.ts';
import { startProxyRole } from './proxy-role.ts';
import { startReaderRole } from './reader-role.ts';
import type { NodeAddresses, RoleOptions, RunningRole } from './role.ts';
import { startWriterRole } from './writer-role.ts';
import type { Config } from '../config/index.ts';
import type { Role } from '../discovery/discovery.ts';
import { MishardsError } from '../errors/index.ts';
import type { Host } from '../host/index.ts';
import { createNodeHost } from '../host/node/index.ts';
import type { NodeId } from '../schema/index.ts';
import { createLogger, type Logger } from '../telemetry/logger.ts';

export interface StartOptions {
  readonly config: Config;
  readonly roles: readonly Role[];
  /** Default: the real machine. */
  readonly host?: Host;
  /** Default: JSON lines on standard error. */
  readonly logger?: Logger;
  /** For tests: parts to use instead of the configured ones. */
  readonly overrides?: ServiceOverrides;
}

/** A process at work. Disposing it drains: it leaves discovery, ends what is under way, and closes. */
export interface RunningNode extends AsyncDisposable {
  readonly addresses: NodeAddresses;
}

const ROLE_STARTERS = { writer: startWriterRole, reader: startReaderRole, proxy: startProxyRole } as const;
/** Who is asked starts before who asks. */
const START_ORDER: readonly Role[] = ['writer', 'reader', 'proxy'];

/** Opens what the roles need, starts them, and resolves when the process can serve. */
export async function startNode(options: StartOptions): Promise<RunningNode> {
  const { config, roles } = options;
  const host = options.host ?? createNodeHost();
  const base = nodeName(config, roles);
  const logger =
    options.logger ?? createLogger({ level: config['telemetry.log_level'], fields: { node: base } });
  await using stack = new AsyncDisposableStack();
  const services = await openServices(
    { host, config, logger, roles, nodeId: base, overrides: options.overrides ?? {} },
    stack,
  );
  const running: RunningRole[] = [];
  const management = stack.use(
    await listenManagement({
      host: config['management.host'],
      port: config['management.port'],
      metrics: services.metrics,
      notReady: () => running.flatMap((role) => role.notReady()),
      pages: () => new Map(running.flatMap((role) => [...role.pages])),
    }),
  );
  const managementUrl = `http://${config['management.host']}:${management.port}`;
  let addresses: NodeAddresses = { management: managementUrl };
  for (const role of START_ORDER.filter((candidate) => roles.includes(candidate))) {
    const started = stack.use(
      await ROLE_STARTERS[role](services, roleOptions(options, base, role, managementUrl)),
    );
    running.push(started);
    addresses = { ...addresses, ...started.addresses };
  }
  logger.info({ roles, addresses }, 'ready');
  const owned = stack.move();
  return { addresses, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** Several roles in one process speak through memory, a role of its own through the configured wire. */
function roleOptions(
  { config, roles }: StartOptions,
  base: string,
  role: Role,
  management: string,
): RoleOptions {
  const alone = roles.length === 1;
  return {
    id: (alone ? base : `${base}-${role}`) as NodeId,
    listenAddress: alone ? config['wire.address'] : `memory://${base}-${role}`,
    labels: { management, pid: String(process.pid) },
  };
}

/** Readers and writers keep files under their name and find them again by it; proxies keep nothing. */
function nodeName(config: Config, roles: readonly Role[]): string {
  if (config['node.id'] !== '') return config['node.id'];
  if (roles.length > 1) return 'standalone';
  if (roles[0] === 'proxy') return `proxy-${process.pid}`;
  throw new MishardsError(
    'CONFIG_INVALID',
    `node.id is empty; give this ${roles[0]} a name that is unique in the cluster and stays, e.g. --set node.id=${roles[0]}-1`,
  );
}
