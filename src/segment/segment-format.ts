import type { StoredField } from './arrow/arrow-schema.ts';

/** Grows when a file written by this version could be misread by an older one. */
export const SEGMENT_FORMAT_VERSION = 1;

/**
 * System fields, numbered as in Milvus: 0 is the row id, which is a row's position in the segment and is not stored, 1 is
 * the timestamp of the row's entry in the log.
 */
export const TIMESTAMP_FIELD: StoredField = {
  role: 'timestamp',
  fieldId: 1,
  name: '$timestamp',
  nullable: false,
  shape: { type: 'Int64', elementType: null, dim: null },
};

/** Keys of the Arrow schema's metadata. */
export const METADATA_KEYS = {
  formatVersion: 'mishards.format_version',
  collectionId: 'mishards.collection_id',
  partitionId: 'mishards.partition_id',
  segmentId: 'mishards.segment_id',
  schemaVersion: 'mishards.schema_version',
} as const;
