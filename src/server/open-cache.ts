import { pathOf } from './drivers.ts';
import type { NodeServices } from './node-services.ts';
import { createSegmentCache, type SegmentCache } from '../segment/segment-cache.ts';

/** The local disk cache of one role; each has a directory of its own. */
export async function openCache(
  { config, host, objectStore }: NodeServices,
  nodeId: string,
): Promise<SegmentCache> {
  return await createSegmentCache({
    host,
    objectStore,
    directory: pathOf(config, 'cache.path', 'cache', nodeId),
    bytesMax: config['cache.bytes_max'],
  });
}
