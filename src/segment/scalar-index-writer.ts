import type { IndexFile, IndexMeta, SegmentMeta } from '../catalog/model.ts';
import { jsonTargetOf } from '../catalog/scalar-index.ts';
import { defaultColumn, type Column } from '../columns/index.ts';
import {
  buildGeometryIndex,
  buildIndex,
  buildJsonIndex,
  isArrayCast,
  isOrderedType,
  jsonElementType,
} from '../filter/index.ts';
import { Turns } from '../host/index.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { ObjectStore } from '../object-store/object-store.ts';
import type { CollectionSchema, FieldSchema } from '../schema/index.ts';
import { assert } from '../util/assert.ts';
import { decodeColumn } from './arrow/arrow-column.ts';
import { encodeScalarIndex, type StoredIndex } from './scalar-index-file.ts';
import type { SegmentCache } from './segment-cache.ts';
import { SegmentFiles, type SegmentHost } from './segment-files.ts';
import { indexKey } from './segment-keys.ts';

/** How long building may keep the event loop at a time. */
const TURN_MS = 5;

export interface WriteScalarIndexOptions {
  readonly segment: SegmentMeta;
  readonly index: IndexMeta;
  readonly schema: CollectionSchema;
  readonly cache: SegmentCache;
  readonly kernel: Kernel;
  readonly host: SegmentHost;
  readonly objectStore: ObjectStore;
  /** Unique; part of the object's key. */
  readonly buildId: string;
  readonly signal?: AbortSignal;
}

/**
 * Builds an index over a scalar field of a segment and stores it. The same segment and index give the same file. Rows written
 * before the field was added have its default, as readers see them. Errors: `CANCELLED`, those of the cache and the object store.
 */
export async function writeScalarIndex(options: WriteScalarIndexOptions): Promise<IndexFile> {
  const { segment, index, host, objectStore, signal } = options;
  const field = options.schema.fields.find((candidate) => candidate.id === index.fieldId);
  assert(field !== undefined, `the collection has field ${index.fieldId}`);
  const turns = new Turns(host, TURN_MS);
  const column = await readField(options, field);
  signal?.throwIfAborted();
  const stored = await build(index, field, column, turns);
  signal?.throwIfAborted();
  const owner = { segmentId: segment.id, fieldId: field.id, rowCount: segment.rowCount };
  const bytes = await encodeScalarIndex(owner, stored, turns);
  const objectKey = indexKey(segment.collectionId, segment.id, index.id, options.buildId);
  const { sizeBytes } = await objectStore.put(objectKey, bytes);
  return { indexId: index.id, fieldId: field.id, type: index.type, objectKey, sizeBytes };
}

async function readField(options: WriteScalarIndexOptions, field: FieldSchema): Promise<Column> {
  const { segment, cache, kernel, host, signal } = options;
  const files = new SegmentFiles(segment, cache, kernel, host);
  await using rows = await files.openRows(signal);
  const stored = rows.content.find('value', field.id);
  if (stored === undefined) return defaultColumn(field, segment.rowCount);
  return decodeColumn(stored.shape, await rows.content.read(stored));
}

async function build(
  index: IndexMeta,
  field: FieldSchema,
  column: Column,
  turns: Turns,
): Promise<StoredIndex> {
  if (column.type === 'JSON') {
    const target = jsonTargetOf(index, field);
    const { values, isExact } = await buildJsonIndex(field.id, column, target, turns);
    const { cast } = target;
    return {
      type: jsonElementType(cast),
      isArray: isArrayCast(cast),
      json: { target, isExact },
      index: values,
    };
  }
  if (column.type === 'Geometry') {
    const boxes = await buildGeometryIndex(field.id, column, turns);
    return { type: column.type, isArray: false, json: null, index: boxes };
  }
  const built = await buildIndex(field.id, column, turns);
  const isArray = column.type === 'Array';
  const type = isArray ? column.elementType : column.type;
  assert(isOrderedType(type), `${type} has no order`);
  return { type, isArray, json: null, index: built };
}
