import { hostname } from 'node:os';
import { pathOf } from './drivers.ts';
import type { NodeServices } from './node-services.ts';
import type { CatalogSnapshot } from '../catalog/catalog.ts';
import { AbandonedCaches, type OwnProcess } from '../segment/abandoned-caches.ts';
import { createSegmentCache, type SegmentCache } from '../segment/segment-cache.ts';
import { objectKeysOf } from '../segment/segment-keys.ts';

/** Signs of life in the time after which a directory without any is removed. */
const BEATS = 10;

/**
 * The local disk cache of one role; each has a directory of its own. Files of segments that are gone go too, and so do the
 * directories of nodes that have not come back.
 */
export async function openCache(
  services: NodeServices,
  nodeId: string,
  stack: AsyncDisposableStack,
): Promise<SegmentCache> {
  const { config, host, catalog, logger } = services;
  const caches = new AbandonedCaches({
    ...services,
    root: pathOf(config, 'cache.path', 'cache'),
    nodeId,
    process: OWN_PROCESS,
    isKnown: (id) => services.discovery.nodes().some((node) => node.id === id),
    abandonedAfterMs: config['cache.abandoned_after'],
  });
  const cache = stack.use(await openOwn(services, caches));
  let revision = -1;
  const sweep = async (): Promise<void> => {
    const snapshot = catalog.snapshot();
    if (snapshot.revision === revision) return;
    revision = snapshot.revision;
    await cache.retain(namedObjects(snapshot));
  };
  const every = (intervalMs: number, what: () => Promise<unknown>, problem: string): (() => void) => {
    const run = (): void => void what().catch((error: unknown) => logger.warn({ error }, problem));
    stack.use(host.timers.every(intervalMs, run));
    return run;
  };
  // At once too: the catalog may have gone on since this node stopped, and a node that restarts often has no later time.
  every(config['cache.sweep_interval'], sweep, 'the segment cache cannot be swept')();
  const beatMs = Math.min(config['cache.sweep_interval'], config['cache.abandoned_after'] / BEATS);
  const beat = async (): Promise<void> => {
    if (await caches.beat()) return;
    const { directory } = caches;
    logger.error(
      { directory },
      'the segment cache was removed as abandoned while this node slept; start the node anew',
    );
  };
  every(beatMs, beat, 'the segment cache cannot be marked as in use');
  every(config['cache.sweep_interval'], () => caches.look(), 'abandoned segment caches cannot be looked for');
  return cache;
}

const OWN_PROCESS: OwnProcess = {
  machine: hostname(),
  pid: process.pid,
  isAlive(pid) {
    try {
      return process.kill(pid, 0);
    } catch (error) {
      // It may be another user's.
      return (error as NodeJS.ErrnoException).code !== 'ESRCH';
    }
  },
};

/** A node that comes back in the moment when its directory is being removed begins anew. */
async function openOwn(
  { config, host, objectStore, logger }: NodeServices,
  caches: AbandonedCaches,
): Promise<SegmentCache> {
  for (;;) {
    // On a full disk a node can start with what it has: without a mark its directory is not removed either.
    const isClaimed = await caches.claim().then(
      () => true,
      (error: unknown) => {
        logger.warn({ error }, 'the segment cache cannot be marked as in use');
        return false;
      },
    );
    const { directory } = caches;
    const bytesMax = config['cache.bytes_max'];
    const cache = await createSegmentCache({ host, objectStore, directory, bytesMax });
    if (!isClaimed || (await caches.beat())) return cache;
    await cache[Symbol.asyncDispose]();
  }
}

function namedObjects(snapshot: CatalogSnapshot): ReadonlySet<string> {
  const segments = snapshot.collections
    .keys()
    .flatMap((id) => [...snapshot.segmentsOf(id), ...snapshot.incomingOf(id)]);
  return new Set(segments.flatMap(objectKeysOf));
}
