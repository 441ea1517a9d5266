import type { ChannelMeta, DeltaMeta, FieldStats, SegmentFile, SegmentMeta } from './model.ts';
import type { JsonFields } from '../util/json-fields.ts';
import type { ChannelId, CollectionId, IndexId, PartitionId, SegmentId } from '../schema/index.ts';

export function readChannel(fields: JsonFields): ChannelMeta {
  return {
    id: fields.text<ChannelId>('id'),
    collectionId: fields.decimal<CollectionId>('collectionId'),
    checkpoint: fields.count('checkpoint'),
    deltas: fields.objects('deltas', readDelta),
    newestTimestamp: fields.has('newestTimestamp') ? fields.decimal('newestTimestamp') : '0',
  };
}

export function readSegment(fields: JsonFields): SegmentMeta {
  return {
    id: fields.decimal<SegmentId>('id'),
    collectionId: fields.decimal<CollectionId>('collectionId'),
    partitionId: fields.decimal<PartitionId>('partitionId'),
    channelId: fields.text<ChannelId>('channelId'),
    formatVersion: fields.count('formatVersion'),
    schemaVersion: fields.count('schemaVersion'),
    rowCount: fields.count('rowCount'),
    sizeBytes: fields.count('sizeBytes'),
    minTimestamp: fields.decimal('minTimestamp'),
    maxTimestamp: fields.decimal('maxTimestamp'),
    // Documents written before there was compaction have neither.
    deletesThrough: fields.has('deletesThrough') ? fields.decimal('deletesThrough') : '0',
    replaces: fields.has('replaces') ? fields.texts('replaces') : [],
    rows: fields.object('rows', readFile),
    vectors: fields.objects('vectors', (file) => ({ ...readFile(file), fieldId: file.count('fieldId') })),
    indexes: fields.objects('indexes', (file) => ({
      ...readFile(file),
      fieldId: file.count('fieldId'),
      indexId: file.decimal<IndexId>('indexId'),
      type: file.text('type'),
    })),
    stats: fields.objects('stats', readStats),
  };
}

function readDelta(fields: JsonFields): DeltaMeta {
  return {
    objectKey: fields.text('objectKey'),
    rowCount: fields.count('rowCount'),
    sizeBytes: fields.count('sizeBytes'),
    minTimestamp: fields.decimal('minTimestamp'),
    maxTimestamp: fields.decimal('maxTimestamp'),
  };
}

function readFile(fields: JsonFields): SegmentFile {
  return { objectKey: fields.text('objectKey'), sizeBytes: fields.count('sizeBytes') };
}

function readStats(fields: JsonFields): FieldStats {
  return {
    fieldId: fields.count('fieldId'),
    min: fields.text('min'),
    max: fields.text('max'),
    nullCount: fields.count('nullCount'),
  };
}
