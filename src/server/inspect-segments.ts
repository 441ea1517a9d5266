import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openMetastore, openObjectStore } from './drivers.ts';
import { openCatalog } from '../catalog/metastore-catalog.ts';
import type { CollectionMeta, SegmentMeta } from '../catalog/model.ts';
import type { Config } from '../config/index.ts';
import { MishardsError, asMishardsError } from '../errors/index.ts';
import { createNodeHost } from '../host/node/index.ts';
import { createKernel } from '../kernel/index.ts';
import { openSegment, type OpenSegmentOptions } from '../segment/open-segment.ts';
import { createSegmentCache } from '../segment/segment-cache.ts';

export interface SegmentInspection {
  readonly collection: string;
  readonly partition: string;
  readonly meta: SegmentMeta;
  /** What is wrong with its files; null = nothing. */
  readonly damage: string | null;
}

/** Opens segments from shared storage, all or the one of this id, in a cache of their own, and reads every column. */
export async function inspectSegments(
  config: Config,
  id: string | null,
): Promise<readonly SegmentInspection[]> {
  const host = createNodeHost();
  await using stack = new AsyncDisposableStack();
  const metastore = stack.use(await openMetastore({ config, host }));
  const objectStore = stack.use(await openObjectStore({ config, host }, () => {}));
  const catalog = stack.use(await openCatalog({ metastore, timers: host.timers }));
  const kernel = stack.use(createKernel({ threads: 1, queueMax: 16 }));
  const directory = join(tmpdir(), `mishards-inspect-${process.pid}`);
  stack.defer(() => host.files.removeTree(directory));
  const cache = stack.use(
    await createSegmentCache({ host, objectStore, directory, bytesMax: config['cache.bytes_max'] }),
  );
  const snapshot = catalog.snapshot();
  const found = [...snapshot.collections.values()].flatMap((collection) =>
    snapshot
      .segmentsOf(collection.id)
      .filter((meta) => id === null || meta.id === id)
      .map((meta) => ({ collection, meta })),
  );
  if (id !== null && found.length === 0)
    throw new MishardsError('SEGMENT_NOT_FOUND', `the catalog has no segment ${id}`);
  const inspections: SegmentInspection[] = [];
  for (const { collection, meta } of found) {
    const damage = await damageOf({ meta, schema: collection.schema, cache, kernel, host });
    inspections.push({
      collection: `${collection.databaseName}/${collection.name}`,
      partition: partitionName(collection, meta),
      meta,
      damage,
    });
  }
  return inspections;
}

async function damageOf(options: OpenSegmentOptions): Promise<string | null> {
  try {
    await using segment = await openSegment(options);
    for (const field of options.schema.fields) await segment.column(field.id);
    return null;
  } catch (error) {
    return asMishardsError(error).message;
  }
}

function partitionName(collection: CollectionMeta, meta: SegmentMeta): string {
  return (
    collection.partitions.find((partition) => partition.id === meta.partitionId)?.name ?? meta.partitionId
  );
}
