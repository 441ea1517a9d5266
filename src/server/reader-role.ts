import { pathOf } from './drivers.ts';
import { listenWire, nodeInfo, type RoleOptions, type RunningRole } from './role.ts';
import type { NodeServices } from './node-services.ts';
import { serveReader } from '../protocol/reader-server.ts';
import { WriterClient } from '../protocol/writer-client.ts';
import { createReader, DEFAULT_READER_OPTIONS } from '../reader/index.ts';
import { openSegmentCache } from '../segment/index.ts';

export async function startReaderRole(services: NodeServices, options: RoleOptions): Promise<RunningRole> {
  const { config, host, catalog, discovery, wire, metrics } = services;
  await using stack = new AsyncDisposableStack();
  const cache = stack.use(
    await openSegmentCache({
      host,
      objectStore: services.objectStore,
      directory: pathOf(config, 'reader.cache_path', `cache/${options.id}`),
      bytesMax: config['reader.cache_bytes_max'],
    }),
  );
  const reader = stack.use(
    await createReader({
      ...services,
      kernel: services.kernel(),
      cache,
      node: options.id,
      writerFor: (leader) => new WriterClient(wire.connect(leader.address)),
      options: {
        ...DEFAULT_READER_OPTIONS,
        searchesMax: config['reader.requests_max'],
        memoryBytesMax: config['reader.memory_bytes_max'],
        loadConcurrency: config['reader.loads_max'],
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
