import type {
  ChannelId,
  CollectionId,
  CollectionSchema,
  IndexId,
  LogSequence,
  Metric,
  PartitionId,
  SegmentId,
} from '../schema/index.ts';

/**
 * The domain model as it is kept in the metastore: one JSON document a key. 64-bit numbers are decimal strings.
 * Documents are replaced whole, never changed in place.
 */
export interface DatabaseMeta {
  readonly id: string;
  readonly name: string;
  readonly properties: Readonly<Record<string, string>>;
  readonly createdTimestamp: string;
}

export interface CollectionMeta {
  readonly id: CollectionId;
  readonly databaseName: string;
  readonly name: string;
  readonly aliases: readonly string[];
  readonly schema: CollectionSchema;
  /** Grows with every change of the schema. */
  readonly schemaVersion: number;
  /** shards_num of them; a row's channel is a hash of its primary key. */
  readonly channels: readonly ChannelId[];
  readonly consistencyLevel: ConsistencyLevel;
  readonly properties: Readonly<Record<string, string>>;
  readonly createdTimestamp: string;
  readonly partitions: readonly PartitionMeta[];
  /** The highest id a partition of it ever had: what is below and not there was dropped. */
  readonly newestPartitionId: PartitionId;
  readonly indexes: readonly IndexMeta[];
  /** null = released. */
  readonly load: LoadSpec | null;
}

export interface PartitionMeta {
  readonly id: PartitionId;
  readonly name: string;
  readonly createdTimestamp: string;
}

export const DEFAULT_PARTITION_NAME = '_default';
export const DEFAULT_DATABASE_NAME = 'default';

/** What the client asked for; `type` FLAT needs no file, AUTOINDEX is resolved when it is created (`type` is what is built). */
export interface IndexMeta {
  readonly id: IndexId;
  readonly name: string;
  readonly fieldId: number;
  /** As the client wrote it, e.g. 'AUTOINDEX'. */
  readonly requestedType: string;
  readonly type: string;
  /** null for indexes on scalars. */
  readonly metric: Metric | null;
  /** The client's parameters as strings, without index_type and metric_type. */
  readonly params: Readonly<Record<string, string>>;
  readonly createdTimestamp: string;
}

export interface LoadSpec {
  readonly replicas: number;
  /** null = all partitions, also future ones. */
  readonly partitionIds: readonly PartitionId[] | null;
  /** null = all fields. */
  readonly fieldIds: readonly number[] | null;
  /** Segments with lower ids tell how far loading is: they were there when it was asked for, later ones do not make it begin anew. null = all tell. */
  readonly before: SegmentId | null;
}

export const CONSISTENCY_LEVELS = ['Strong', 'Session', 'Bounded', 'Eventually'] as const;
export type ConsistencyLevel = (typeof CONSISTENCY_LEVELS)[number];

export interface ChannelMeta {
  readonly id: ChannelId;
  readonly collectionId: CollectionId;
  /** Every insert up to this sequence is in segments, every delete up to it in `deltas` or already applied there. */
  readonly checkpoint: LogSequence;
  readonly deltas: readonly DeltaMeta[];
  /** No entry up to the checkpoint is younger: the next writer's clock starts above it, whatever rows and deltas are left. */
  readonly newestTimestamp: string;
}

/** An object with deletes: (key, timestamp, partition) each. Applies to all older rows of the channel. */
export interface DeltaMeta {
  readonly objectKey: string;
  readonly rowCount: number;
  readonly sizeBytes: number;
  readonly minTimestamp: string;
  readonly maxTimestamp: string;
}

export interface SegmentMeta {
  readonly id: SegmentId;
  readonly collectionId: CollectionId;
  readonly partitionId: PartitionId;
  readonly channelId: ChannelId;
  readonly formatVersion: number;
  readonly schemaVersion: number;
  readonly rowCount: number;
  readonly sizeBytes: number;
  readonly minTimestamp: string;
  readonly maxTimestamp: string;
  /** Deletes of the channel at or before this timestamp are applied in its rows or meet none of them. */
  readonly deletesThrough: string;
  /** Not empty = incoming: readers load it, reads do not see it until it has taken the place of these. */
  readonly replaces: readonly SegmentId[];
  /** Scalars, keys and timestamps. */
  readonly rows: SegmentFile;
  readonly vectors: readonly FieldFile[];
  readonly indexes: readonly IndexFile[];
  readonly stats: readonly FieldStats[];
}

export interface SegmentFile {
  readonly objectKey: string;
  readonly sizeBytes: number;
}

export interface FieldFile extends SegmentFile {
  readonly fieldId: number;
}

export interface IndexFile extends FieldFile {
  readonly indexId: IndexId;
  readonly type: string;
}

/** For pruning. Numbers and 64-bit integers as decimal strings, VarChar as text, of geometries two corners; absent fields have no statistics. */
export interface FieldStats {
  readonly fieldId: number;
  readonly min: string;
  readonly max: string;
  readonly nullCount: number;
}

/** The process that holds the writer's lease. */
export interface WriterLeader {
  readonly nodeId: string;
  readonly address: string;
  readonly epoch: number;
}
