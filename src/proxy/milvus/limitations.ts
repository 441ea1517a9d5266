import type { MethodName } from './handler.ts';

const DATABASE =
  'database.max.collections, database.replica.number, database.diskQuota.mb (flushed rows), database.force.deny.writing and .reading, timezone; no other quotas';

/** What calls that are answered leave out of Milvus's. Whatever a request asks for of it is refused, never passed over. */
export const LIMITATIONS: Partial<Readonly<Record<MethodName, string>>> = {
  CreateCollection:
    'all scalar types, JSON, Array, Timestamptz, Geometry (in the plane, without default) and all vector types, also null; a clustering key is kept and shown, rows are not sorted by it; no functions, struct arrays, external collections',
  AlterCollection:
    'no rate limits; rows that have outlived collection.ttl.seconds or the time in their ttl_field are no longer seen; compaction gives back their space',
  AlterCollectionField: 'max_length, max_capacity; mmap.enabled, kept without effect',
  AlterCollectionSchema: 'adds one nullable field; no functions, no dropping',
  AddCollectionField: 'nullable fields',
  GetMetrics: 'system_info: the nodes and who asks whom; figures are at the management addresses',
  AlterDatabase: DATABASE,
  CreateDatabase: DATABASE,
  LoadBalance: 'nothing can be moved: it succeeds when every segment is where it is wanted, see ADR 12',
  CreateIndex:
    'FLAT, HNSW, HNSW_SQ, HNSW_PQ, HNSW_PRQ, IVF_FLAT, IVF_SQ8, IVF_PQ (nbits up to 8), IVF_RABITQ, SCANN, DISKANN and AUTOINDEX on dense vectors, all with exact scores, BIN_FLAT and BIN_IVF_FLAT on BinaryVector; SPARSE_INVERTED_INDEX and SPARSE_WAND on SparseFloatVector, without BM25; INVERTED, STL_SORT, BITMAP, TRIE, HYBRID and AUTOINDEX on scalars, all kept in one form, and RTREE on geometries; no NGRAM, of JSON no json_cast_function and no cast to JSON',
  AlterIndex: 'storage hints such as mmap.enabled, kept without effect',
  LoadCollection: 'no resource groups',
  LoadPartitions: 'no resource groups',
  ManualCompaction:
    'whole collections; every kind of compaction is the same here; a target size is an upper bound beside writer.compaction_bytes_max',
  GetCompactionState: 'a compaction asked of a writer that is no longer active counts as completed',
  GetCompactionStateWithPlans: 'a compaction asked of a writer that is no longer active has no plans',
  HybridSearch:
    'RRF and weighted ranking, by rank_params or as a rerank function; no grouping, no model or decay rerankers, no function chains',
  Upsert: 'partial updates too; no operations on fields (field_ops)',
  Search:
    'one vector field; by vector or by primary key, with range search, filters, output fields, offset, iterators, grouping by one field (over the best 16 384 hits), ordering of the hits found; no aggregation, reranking, highlighting',
  Query: 'filters, output fields, offset and limit, ordering, count(*); no other aggregates, no grouping',
  GetReplicas: 'replicas are preferred copies of segments; nodes are shown by a hash of their name',
};
