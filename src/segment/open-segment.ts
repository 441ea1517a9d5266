import type { SegmentMeta } from '../catalog/model.ts';
import { isScalarIndexType } from '../catalog/scalar-index.ts';
import { asKeys } from '../columns/index.ts';
import { MishardsError } from '../errors/index.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { primaryKeyField, type CollectionSchema } from '../schema/index.ts';
import { decodeBitmap, decodeColumn, decodeTimestamps } from './arrow/arrow-column.ts';
import type { ArrowFileReader } from './arrow/arrow-file-reader.ts';
import { CachedSegment, type OpenVectors } from './cached-segment.ts';
import type { SegmentCache } from './segment-cache.ts';
import { SegmentFiles, type SegmentHost } from './segment-files.ts';
import { SEGMENT_FORMAT_VERSION, TIMESTAMP_FIELD } from './segment-format.ts';
import type { SealedSegment } from './segment.ts';

export interface OpenSegmentOptions {
  readonly meta: SegmentMeta;
  /** Says which field is the primary key. */
  readonly schema: CollectionSchema;
  readonly cache: SegmentCache;
  readonly kernel: Kernel;
  readonly host: SegmentHost;
  /** Vector fields to open, with their indexes; null or absent = all, and the indexes on scalar fields. */
  readonly vectorFieldIds?: readonly number[] | null;
  /** Default: scalar columns stay in memory once they were asked for. */
  readonly keepsColumns?: boolean;
  readonly signal?: AbortSignal;
}

/**
 * Downloads what is not in the cache, verifies it and opens it, with the indexes the description lists. Scalar columns
 * other than the primary key are read when they are asked for. Errors: `CORRUPT_DATA`, `NOT_SUPPORTED` for a newer
 * format, those of the cache.
 */
export async function openSegment(options: OpenSegmentOptions): Promise<SealedSegment> {
  const { meta, signal } = options;
  checkFormat(meta);
  const files = new SegmentFiles(meta, options.cache, options.kernel, options.host);
  await using resources = new AsyncDisposableStack();
  const reader = resources.use(await files.openRows(signal)).content;
  const keyField = reader.require('value', primaryKeyField(options.schema).id);
  const keys = asKeys(decodeColumn(keyField.shape, await reader.read(keyField)));
  const timestampField = reader.require('timestamp', TIMESTAMP_FIELD.fieldId);
  const timestamps = decodeTimestamps(await reader.read(timestampField));
  const vectors = await openVectors(options, files, reader, resources);
  const segment = new CachedSegment({
    meta,
    keyFieldId: keyField.fieldId,
    files,
    reader,
    keys,
    timestamps,
    vectors,
    keepsColumns: options.keepsColumns ?? true,
    resources: resources.move(),
  });
  try {
    for (const file of meta.indexes) {
      const isWanted = isScalarIndexType(file.type)
        ? (options.vectorFieldIds ?? null) === null
        : vectors.has(file.fieldId);
      if (isWanted) await segment.openIndex(file, signal);
    }
  } catch (error) {
    await segment[Symbol.asyncDispose]();
    throw error;
  }
  return segment;
}

async function openVectors(
  { meta, vectorFieldIds = null, signal }: OpenSegmentOptions,
  files: SegmentFiles,
  reader: ArrowFileReader,
  resources: AsyncDisposableStack,
): Promise<ReadonlyMap<number, OpenVectors>> {
  const vectors = new Map<number, OpenVectors>();
  for (const file of meta.vectors) {
    if (vectorFieldIds !== null && !vectorFieldIds.includes(file.fieldId)) continue;
    const opened = resources.use(await files.openVectors(file, signal));
    const validityField = reader.find('vector-validity', file.fieldId);
    const validity = validityField === undefined ? null : decodeBitmap(await reader.read(validityField));
    vectors.set(file.fieldId, { file: opened.content, validity });
  }
  return vectors;
}

function checkFormat({ id, formatVersion }: SegmentMeta): void {
  if (formatVersion <= SEGMENT_FORMAT_VERSION) return;
  throw new MishardsError(
    'NOT_SUPPORTED',
    `segment ${id} has format ${formatVersion}, this version reads up to ${SEGMENT_FORMAT_VERSION}; upgrade this node`,
  );
}
