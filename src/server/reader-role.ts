import { openCache } from './open-cache.ts';
import { listenWire, nodeInfo, type RoleOptions, type RunningRole } from './role.ts';
import type { NodeServices } from './node-services.ts';
import { WriterConnection } from './writer-connection.ts';
import { serveReader } from '../protocol/reader-server.ts';
import { createReader } from '../reader/create-reader.ts';

export async function startReaderRole(services: NodeServices, options: RoleOptions): Promise<RunningRole> {
  const { config, catalog, discovery, wire, metrics } = services;
  await using stack = new AsyncDisposableStack();
  const writer = stack.use(new WriterConnection(wire));
  const reader = stack.use(
    createReader({
      ...services,
      kernel: services.kernel(),
      cache: stack.use(await openCache(services, options.id)),
      node: options,
      writerFor: (leader) => writer.to(leader),
      options: {
        requestsMax: config['reader.requests_max'],
        memoryBytesMax: config['reader.memory_bytes_max'],
        loadsMax: config['reader.loads_max'],
        freshGraceMs: config['reader.fresh_grace'],
      },
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
