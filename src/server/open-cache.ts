import { pathOf } from './drivers.ts';
import type { NodeServices } from './node-services.ts';
import type { CatalogSnapshot } from '../catalog/catalog.ts';
import { createSegmentCache, type SegmentCache } from '../segment/segment-cache.ts';
import { objectKeysOf } from '../segment/segment-keys.ts';

/** The local disk cache of one role; each has a directory of its own. Files of segments that are gone go too. */
export async function openCache(
  { config, host, objectStore, catalog, logger }: NodeServices,
  nodeId: string,
  stack: AsyncDisposableStack,
): Promise<SegmentCache> {
  const cache = stack.use(
    await createSegmentCache({
      host,
      objectStore,
      directory: pathOf(config, 'cache.path', 'cache', nodeId),
      bytesMax: config['cache.bytes_max'],
    }),
  );
  let revision = -1;
  const sweep = async (): Promise<void> => {
    const snapshot = catalog.snapshot();
    if (snapshot.revision === revision) return;
    revision = snapshot.revision;
    await cache.retain(namedObjects(snapshot));
  };
  const sweeping = host.timers.every(config['cache.sweep_interval'], () => {
    void sweep().catch((error: unknown) => logger.warn({ error }, 'the segment cache cannot be swept'));
  });
  stack.use(sweeping);
  return cache;
}

function namedObjects(snapshot: CatalogSnapshot): ReadonlySet<string> {
  const segments = snapshot.collections
    .keys()
    .flatMap((id) => [...snapshot.segmentsOf(id), ...snapshot.incomingOf(id)]);
  return new Set(segments.flatMap(objectKeysOf));
}
