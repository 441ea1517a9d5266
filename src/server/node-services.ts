import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { checkDataDirectory, identifyCluster } from './cluster-identity.ts';
import { openLog, openMetastore, openObjectStore } from './drivers.ts';
import { openDiscovery } from './open-discovery.ts';
import { openCatalog, type MetastoreCatalog } from '../catalog/metastore-catalog.ts';
import type { Config } from '../config/index.ts';
import type { Discovery, Role } from '../discovery/discovery.ts';
import type { Host } from '../host/index.ts';
import { createKernel } from '../kernel/index.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { Log } from '../log/log.ts';
import type { Metastore } from '../metastore/metastore.ts';
import type { ObjectStore } from '../object-store/object-store.ts';
import { loadRouter } from '../routing/load-router.ts';
import type { Router } from '../routing/router.ts';
import type { Logger } from '../telemetry/logger.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { createWire } from '../wire/create-wire.ts';
import type { Wire } from '../wire/wire.ts';

/** What every role of a process shares. */
export interface NodeServices {
  readonly host: Host;
  readonly config: Config;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly metastore: Metastore;
  readonly objectStore: ObjectStore;
  readonly log: Log;
  readonly catalog: MetastoreCatalog;
  readonly wire: Wire;
  readonly discovery: Discovery;
  readonly router: Router;
  /** Made when a role first needs it: proxies have none. */
  readonly kernel: () => Kernel;
}

export interface ServicesOptions {
  readonly host: Host;
  readonly config: Config;
  readonly logger: Logger;
  readonly nodeId: string;
  readonly roles: readonly Role[];
  /** Parts to use instead of the configured ones; they stay the caller's to close. */
  readonly overrides: ServiceOverrides;
}

export type ServiceOverrides = Partial<Pick<NodeServices, 'metastore' | 'objectStore' | 'log'>>;

/** Opens them in order; `stack` closes them in reverse. */
export async function openServices(
  options: ServicesOptions,
  stack: AsyncDisposableStack,
): Promise<NodeServices> {
  const { host, config, logger } = options;
  const metrics = new Metrics({ node: options.nodeId });
  const { overrides } = options;
  await checkDataDirectory(host.files, resolve(config['data.directory']));
  const metastore = overrides.metastore ?? stack.use(await openMetastore({ config, host }));
  const objectStore =
    overrides.objectStore ?? stack.use(await openObjectStore({ config, host }, metrics.objectStoreMeter));
  await identifyCluster({ metastore, objectStore, random: host.random });
  const log = overrides.log ?? stack.use(await openLog({ config, host }));
  const catalog = stack.use(
    await openCatalog({
      metastore,
      timers: host.timers,
      onProblem: (error) => logger.warn({ error }, 'the catalog cannot be brought up to date'),
    }),
  );
  const wire = createWire({
    host,
    limits: {
      frameBytesMax: config['wire.frame_bytes_max'],
      callsMax: config['wire.calls_max'],
      queuedBytesMax: config['wire.queued_bytes_max'],
      servedBytesMax: config['wire.served_bytes_max'],
      connectionsMax: config['wire.connections_max'],
      heartbeatMs: config['wire.heartbeat_interval'],
      connectTimeoutMs: config['wire.connect_timeout'],
    },
    onProtocolError: (event) =>
      logger.warn({ ...event }, 'a connection was closed for breaking the protocol'),
  });
  const router = await loadRouter(config['routing.type'], routerOptions(config), process.cwd());
  const discovery = stack.use(
    await openDiscovery({ config, host, metastore, wire, logger, roles: options.roles }),
  );
  let kernel: Kernel | null = null;
  const openKernel = (): Kernel => {
    if (kernel !== null) return kernel;
    kernel = stack.use(
      createKernel({
        threads: config['kernel.threads'] || availableParallelism(),
        queueMax: config['kernel.queue_max'],
      }),
    );
    return kernel;
  };
  return {
    host,
    config,
    logger,
    metrics,
    metastore,
    objectStore,
    log,
    catalog,
    wire,
    router,
    discovery,
    kernel: openKernel,
  };
}

function routerOptions(config: Config): Readonly<Record<string, unknown>> {
  return config['routing.type'] === 'consistent-hash' ? { load_bound: config['routing.load_bound'] } : {};
}
