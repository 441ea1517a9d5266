import type { RowBatch } from '../../src/columns/index.ts';
import type { SegmentMeta } from '../../src/catalog/model.ts';
import type { Host } from '../../src/host/index.ts';
import { createSimulatedHost } from '../../src/host/simulated/index.ts';
import type { Kernel } from '../../src/kernel/kernel.ts';
import { MemoryKernel } from '../../src/kernel/memory/memory-kernel.ts';
import { createMemoryObjectStore } from '../../src/object-store/memory/memory-object-store.ts';
import type { ObjectStore } from '../../src/object-store/object-store.ts';
import type {
  ChannelId,
  CollectionId,
  CollectionSchema,
  PartitionId,
  SegmentId,
} from '../../src/schema/index.ts';
import { createSegmentCache, type SegmentCache } from '../../src/segment/segment-cache.ts';
import { writeSegment } from '../../src/segment/segment-writer.ts';

export const COLLECTION = '1' as CollectionId;
export const PARTITION = '10' as PartitionId;

/** What segments are made with and opened from. */
export interface SegmentWorkshop extends AsyncDisposable {
  readonly host: Host;
  readonly kernel: Kernel;
  readonly objectStore: ObjectStore;
  readonly cache: SegmentCache;
  readonly temporaryDirectory: string;
  write(schema: CollectionSchema, rows: RowBatch, timestamps: BigUint64Array): Promise<SegmentMeta>;
}

/** By default all in memory; with a real host in a directory of its own. The native kernel needs a real host. */
export async function segmentWorkshop(
  host: Host = createSimulatedHost(),
  directory = '/workshop',
  createKernel: () => Kernel = () => new MemoryKernel({ files: host.files }),
): Promise<SegmentWorkshop> {
  await using stack = new AsyncDisposableStack();
  const kernel = stack.use(createKernel());
  const objectStore = stack.use(createMemoryObjectStore({ host }));
  const cacheOptions = { host, objectStore, directory: `${directory}/cache`, bytesMax: 2 ** 30 };
  const cache = stack.use(await createSegmentCache(cacheOptions));
  const owned = stack.move();
  const tools = { host, kernel, objectStore, temporaryDirectory: `${directory}/temporary` };
  let segmentCount = 0;
  return {
    ...tools,
    cache,
    write: (schema, rows, timestamps) =>
      writeSegment({
        ...tools,
        collectionId: COLLECTION,
        segmentId: String(100 + segmentCount++) as SegmentId,
        partitionId: PARTITION,
        channelId: '1-0' as ChannelId,
        schema,
        schemaVersion: 3,
        rows,
        timestamps,
        deletesThrough: 0n,
      }),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
