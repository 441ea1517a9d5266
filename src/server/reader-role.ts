import { openCache } from './open-cache.ts';
import { listenWire, nodeInfo, type RoleOptions, type RunningRole } from './role.ts';
import type { NodeServices } from './node-services.ts';
import { WriterConnection } from './writer-connection.ts';
import { serveReader } from '../protocol/reader-server.ts';
import type { Config } from '../config/index.ts';
import { createReader } from '../reader/create-reader.ts';
import type { ReaderOptions } from '../reader/reader-options.ts';

export async function startReaderRole(services: NodeServices, options: RoleOptions): Promise<RunningRole> {
  const { config, catalog, discovery, wire, metrics } = services;
  await using stack = new AsyncDisposableStack();
  const writer = stack.use(new WriterConnection(wire));
  const reader = stack.use(
    createReader({
      ...services,
      kernel: services.kernel(),
      cache: await openCache(services, options.id, stack),
      node: options,
      writerFor: (leader) => writer.to(leader),
      options: readerOptions(config),
    }),
  );
  const server = stack.use(
    await listenWire(services, 'reader', options.listenAddress, serveReader(reader.api)),
  );
  stack.use(await discovery.register(nodeInfo(services, 'reader', options, server.address)));
  metrics.gauge(
    'reader_catalog_revision',
    'Revision of the catalog this process sees',
    () => catalog.snapshot().revision,
  );
  const owned = stack.move();
  return {
    addresses: server.address.startsWith('memory:') ? {} : { wire: server.address },
    notReady: () => [],
    pages: new Map(),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

export function readerOptions(config: Config): ReaderOptions {
  return {
    requestsMax: config['reader.requests_max'],
    memoryBytesMax: config['reader.memory_bytes_max'],
    loadsMax: config['reader.loads_max'],
    loadRetryMs: config['reader.load_retry'],
    freshGraceMs: config['reader.fresh_grace'],
    freshBytesMax: config['reader.fresh_bytes_max'],
    supersededGraceMs: config['reader.superseded_grace'],
    unloadGraceMs: config['reader.unload_grace'],
    planLagMaxMs: config['reader.plan_lag_max'],
    followWaitMs: config['reader.follow_wait'],
    followAnswerMs: config['reader.follow_answer'],
    followBytesMax: config['reader.follow_bytes_max'],
    logPollMs: config['reader.log_poll'],
    writerRetryMs: config['reader.writer_retry'],
    applyRetryMs: config['reader.apply_retry'],
    applyRetryMaxMs: config['reader.apply_retry_max'],
    filtersMax: config['reader.filters_max'],
    filterBitmapBytesMax: config['reader.filter_bytes_max'],
    deltaCacheBytesMax: config['reader.delta_bytes_max'],
    sweepIntervalMs: config['reader.sweep_interval'],
  };
}
