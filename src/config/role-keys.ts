import { duration, integer, size, text } from './config-key.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const KIB = 2 ** 10;
const MIB = 2 ** 20;
const GIB = 2 ** 30;
const TIB = 2 ** 40;

/** What the roles have: ports, bounds, times. */
export const ROLE_KEYS = {
  'proxy.host': text({
    default: '127.0.0.1',
    doc: 'where Milvus clients connect; loopback by default, so that nothing is exposed unasked',
  }),
  'proxy.port': integer({ default: 19530, min: 0, max: 65_535, doc: 'port for Milvus clients; 0 = any' }),
  'proxy.message_bytes_max': size({
    default: 64 * MIB,
    min: MIB,
    max: 2 * GIB,
    doc: 'largest gRPC message, as in Milvus',
  }),
  'proxy.requests_max': integer({
    default: 4_096,
    min: 1,
    max: 1_000_000,
    doc: 'client requests under way; more are refused as overload',
  }),
  'proxy.request_timeout': duration({
    default: MINUTE,
    min: 1,
    max: HOUR,
    doc: 'time for a request whose client gives none',
  }),
  'proxy.read_retries_max': integer({
    default: 3,
    min: 0,
    max: 64,
    doc: 'further readers a part of a search is sent to after the first failed',
  }),
  'proxy.replans_max': integer({
    default: 3,
    min: 0,
    max: 64,
    doc: 'times a search is planned anew when a reader has moved past its plan',
  }),
  'proxy.replan_wait': duration({
    default: 3_000,
    min: 1,
    max: HOUR,
    doc: 'how long a search waits for the catalog to show what a reader has seen already',
  }),
  'proxy.bounded_staleness': duration({
    default: 5_000,
    min: 0,
    max: HOUR,
    doc: 'how far behind consistency level Bounded may be',
  }),
  'proxy.writer_wait': duration({
    default: 10_000,
    min: 0,
    max: HOUR,
    doc: 'how long a write or a change of schema waits for a writer to take the lease; longer than a takeover, shorter than clients wait',
  }),
  'proxy.query_rows_max': integer({
    default: 1_000_000,
    min: 1,
    max: 100_000_000,
    doc: 'rows a query may return',
  }),
  'proxy.shutdown_grace': duration({
    default: 10_000,
    min: 0,
    max: HOUR,
    doc: 'time requests under way have to end when a process stops',
  }),
  'reader.memory_bytes_max': size({
    default: 16 * GIB,
    min: 16 * MIB,
    max: 64 * TIB,
    doc: 'mapped and heap bytes of loaded segments; loading more is refused',
  }),
  'reader.requests_max': integer({
    default: 1_024,
    min: 1,
    max: 100_000,
    doc: 'sub-requests under way; more are refused as overload',
  }),
  'reader.loads_max': integer({ default: 4, min: 1, max: 64, doc: 'segments loaded at the same time' }),
  'reader.fresh_grace': duration({
    default: MINUTE,
    min: 1_000,
    max: HOUR,
    doc: 'how long rows stay after their flush, for searches planned before it',
  }),
  'reader.load_retry': duration({
    default: 2_000,
    min: 10,
    max: HOUR,
    doc: 'how long a failed background load rests before it is tried again',
  }),
  'reader.fresh_bytes_max': size({
    default: 512 * MIB,
    min: MIB,
    max: 64 * TIB,
    doc: 'above this in one channel, rows that are in segments are dropped before their grace ends',
  }),
  'reader.superseded_grace': duration({
    default: MINUTE,
    min: 1_000,
    max: HOUR,
    doc: 'how long a segment the catalog no longer has is kept for searches planned before',
  }),
  'reader.unload_grace': duration({
    default: MINUTE,
    min: 1_000,
    max: HOUR,
    doc: 'how long a segment whose place is elsewhere stays open after its last use',
  }),
  'reader.plan_lag_max': duration({
    default: 3_000,
    min: 10,
    max: HOUR,
    doc: 'how long a sub-request waits for the catalog to show what its plan names',
  }),
  'reader.follow_wait': duration({
    default: 2_000,
    min: 10,
    max: HOUR,
    doc: 'how long the writer may hold an empty answer; below proxy.bounded_staleness, so that idle channels count as up to date',
  }),
  'reader.follow_answer': duration({
    default: 3_000,
    min: 10,
    max: HOUR,
    doc: 'how much longer an answer may take before the writer counts as away and the log is read instead',
  }),
  'reader.follow_bytes_max': size({
    default: MIB,
    min: KIB,
    max: GIB,
    doc: 'log entries asked for at once; they are applied in one go, so this bounds a pause',
  }),
  'reader.log_poll': duration({
    default: 200,
    min: 10,
    max: HOUR,
    doc: 'how often the log is read while the writer is away',
  }),
  'reader.writer_retry': duration({
    default: 1_000,
    min: 10,
    max: HOUR,
    doc: 'how long a writer that failed is left alone, unless the catalog names another',
  }),
  'reader.filters_max': integer({ default: 1_024, min: 1, max: 1_000_000, doc: 'compiled filters kept' }),
  'reader.filter_bytes_max': size({
    default: 64 * MIB,
    min: MIB,
    max: TIB,
    doc: 'results of filters on segments kept',
  }),
  'reader.delta_bytes_max': size({
    default: 64 * MIB,
    min: MIB,
    max: TIB,
    doc: 'delete objects kept, because every segment of a channel needs them when it opens',
  }),
  'reader.sweep_interval': duration({
    default: 1_000,
    min: 10,
    max: HOUR,
    doc: 'how often graces are looked at',
  }),
  'writer.lease_ttl': duration({
    default: 3_000,
    min: 500,
    max: 5 * MINUTE,
    doc: 'a standby writer takes over after this when the active one falls silent',
  }),
  'writer.command_wait': duration({
    default: 5_000,
    min: 100,
    max: HOUR,
    doc: 'how long a change of schema may wait for the metadata service before its client is told that it is away',
  }),
  'writer.flush_bytes': size({
    default: 256 * MIB,
    min: 64 * KIB,
    max: 16 * GIB,
    doc: 'fresh bytes of a channel that start a flush',
  }),
  'writer.flush_rows': integer({
    default: 500_000,
    min: 1_000,
    max: 100_000_000,
    doc: 'fresh rows of a channel that start a flush',
  }),
  'writer.flush_age': duration({
    default: 10 * MINUTE,
    min: 1_000,
    max: 24 * HOUR,
    doc: 'oldest fresh row that starts a flush',
  }),
  'writer.segment_rows_max': integer({
    default: 1_000_000,
    min: 1_000,
    max: 100_000_000,
    doc: 'a flush is cut into segments of at most this many rows',
  }),
  'writer.index_rows_min': integer({
    default: 1_024,
    min: 0,
    max: 1_000_000,
    doc: 'smaller segments are searched exactly and need no index',
  }),
  'writer.index_threads': integer({
    default: 0,
    min: 0,
    max: 1_024,
    doc: 'threads of one index build; 0 = those of the kernel',
  }),
  'writer.fresh_bytes_max': size({
    default: 2 * GIB,
    min: MIB,
    max: 64 * TIB,
    doc: 'unflushed bytes of all channels; more writes are refused as overload until a flush has made room',
  }),
  'writer.log_grace': duration({
    default: 2 * MINUTE,
    min: 1_000,
    max: 24 * HOUR,
    doc: 'how long flushed log entries stay for readers that lag',
  }),
  'writer.flush_concurrency': integer({
    default: 2,
    min: 1,
    max: 64,
    doc: 'channels flushed at the same time; each holds a copy of its fresh rows meanwhile',
  }),
  'writer.index_concurrency': integer({ default: 1, min: 1, max: 64, doc: 'index builds at the same time' }),
  'writer.deltas_max': integer({
    default: 16,
    min: 1,
    max: 10_000,
    doc: 'delete objects of a channel; one more merges them, because readers read all of them to open a segment',
  }),
  'writer.in_flight_bytes_max': size({
    default: 256 * MIB,
    min: MIB,
    max: 64 * GIB,
    doc: 'writes that are not yet durable; more are refused as overload',
  }),
  'writer.tail_bytes_max': size({
    default: 256 * MIB,
    min: MIB,
    max: 64 * GIB,
    doc: 'newest log entries kept at hand for the readers that follow',
  }),
  'writer.orphan_grace': duration({
    default: 2 * MINUTE,
    min: 1_000,
    max: 24 * HOUR,
    doc: 'how long objects and logs stay after what named them was dropped, for searches planned before',
  }),
  'writer.recovery_concurrency': integer({
    default: 16,
    min: 1,
    max: 1_024,
    doc: 'channels recovered at the same time after a takeover',
  }),
  'writer.maintenance_interval': duration({
    default: 500,
    min: 10,
    max: HOUR,
    doc: 'how often flushing, truncation and removal are looked at',
  }),
  'writer.retry': duration({
    default: 100,
    min: 1,
    max: HOUR,
    doc: 'first rest before something that failed is tried again; doubles up to writer.retry_max',
  }),
  'writer.retry_max': duration({
    default: 30_000,
    min: 1,
    max: HOUR,
    doc: 'longest rest before something that failed is tried again',
  }),
  'limits.databases_max': integer({ default: 64, min: 1, max: 1_000_000, doc: 'databases, as in Milvus' }),
  'limits.collections_max': integer({
    default: 65_536,
    min: 1,
    max: 10_000_000,
    doc: 'collections of all databases, as in Milvus',
  }),
  'limits.partitions_max': integer({
    default: 1_024,
    min: 1,
    max: 1_000_000,
    doc: 'partitions of a collection, as in Milvus',
  }),
} as const;
