declare const brand: unique symbol;
type Branded<Base, Name extends string> = Base & { readonly [brand]: Name };

/** Decimal strings of unsigned 63-bit integers, unique in the cluster and increasing: Milvus shows them as int64. */
export type CollectionId = Branded<string, 'CollectionId'>;
export type PartitionId = Branded<string, 'PartitionId'>;
export type SegmentId = Branded<string, 'SegmentId'>;
export type IndexId = Branded<string, 'IndexId'>;
/** `<collectionId>-<n>`: the n-th channel of a collection. */
export type ChannelId = Branded<string, 'ChannelId'>;
/** Stable name of a process, e.g. `reader-1`. */
export type NodeId = Branded<string, 'NodeId'>;

/** A hybrid timestamp: wall-clock milliseconds << 18 | counter, as Milvus's. */
export type Timestamp = Branded<bigint, 'Timestamp'>;
/** Position in the log of one channel: 1, 2, 3 …; 0 is before the first entry. */
export type LogSequence = number;
/** Grows by one with every change of writer. */
export type Epoch = number;
