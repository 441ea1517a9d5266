import { buildParams } from '../catalog/index-hints.ts';
import type { IndexFile, IndexMeta, SegmentMeta } from '../catalog/model.ts';
import { MishardsError, isErrorWithCode } from '../errors/index.ts';
import type { Host } from '../host/index.ts';
import { INDEX_TYPES } from '../kernel/index-types.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { ObjectStore } from '../object-store/object-store.ts';
import { assert } from '../util/assert.ts';
import { crc32c } from '../util/crc32c.ts';
import type { SegmentCache } from './segment-cache.ts';
import { indexKey } from './segment-keys.ts';
import { temporaryFile } from './temporary-file.ts';

export interface WriteIndexOptions {
  readonly segment: SegmentMeta;
  readonly index: IndexMeta;
  readonly kernel: Kernel;
  readonly cache: SegmentCache;
  readonly host: Pick<Host, 'files'>;
  readonly objectStore: ObjectStore;
  readonly temporaryDirectory: string;
  /** Unique; part of the object's key. */
  readonly buildId: string;
  /** Threads of this build. */
  readonly threads: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (fraction: number) => void;
}

/**
 * Builds an index over a segment's vectors and stores it under a key of its own. With one thread the same segment and index give
 * the same file. Null vectors are built in as zeros; searches leave their rows out.
 * Errors: `INDEX_INVALID`, `CANCELLED`, those of the object store.
 */
export async function writeIndex(options: WriteIndexOptions): Promise<IndexFile> {
  const { segment, index, kernel, cache, host, objectStore, temporaryDirectory } = options;
  const type = INDEX_TYPES.find((candidate) => candidate === index.type);
  if (type === undefined || index.metric === null)
    throw new MishardsError(
      'INDEX_INVALID',
      `indexes of type ${index.type} have no files; use ${INDEX_TYPES.join(', ')}`,
    );
  const vectorsFile = segment.vectors.find((file) => file.fieldId === index.fieldId);
  assert(vectorsFile !== undefined, `segment ${segment.id} has vectors of field ${index.fieldId}`);
  await using cached = await cache.open(vectorsFile, options.signal);
  using vectors = await kernel.openVectors(cached.path).catch(async (error: unknown) => {
    if (isErrorWithCode(error, 'CORRUPT_DATA')) await cached.discard();
    throw error;
  });
  await using file = await temporaryFile(host.files, temporaryDirectory, `${segment.id}-index-${index.id}`);
  await kernel.buildIndex({
    type,
    metric: index.metric,
    vectors,
    path: file.path,
    params: buildParams(index),
    seed: crc32c(new TextEncoder().encode(`${segment.id}/${index.id}`)),
    threads: options.threads,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    ...(options.onProgress === undefined ? {} : { onProgress: options.onProgress }),
  });
  const objectKey = indexKey(segment.collectionId, segment.id, index.id, options.buildId);
  const { sizeBytes } = await objectStore.putFile(objectKey, file.path);
  return { indexId: index.id, fieldId: index.fieldId, type: index.type, objectKey, sizeBytes };
}
