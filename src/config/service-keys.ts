import { duration, fraction, integer, list, oneOf, size, text } from './config-key.ts';

const MINUTE = 60_000;
const KIB = 2 ** 10;
const MIB = 2 ** 20;
const GIB = 2 ** 30;
const TIB = 2 ** 40;

/** What every process has: its name, storage, metadata, discovery, wire, management. */
export const SERVICE_KEYS = {
  'node.id': text({
    default: '',
    doc: 'name of this process in the cluster, unique and stable over restarts; readers and writers need one, a proxy without gets one from its pid',
  }),
  'node.zone': text({ default: '', doc: 'failure zone; replicas prefer distinct zones' }),
  'node.weight': fraction({
    default: 1,
    min: 0.01,
    max: 100,
    doc: 'relative capacity of this reader for placement',
  }),
  'data.directory': text({
    default: 'mishards-data',
    doc: 'where everything local is kept, unless the drivers below say otherwise',
  }),
  'metastore.type': text({ default: 'sqlite', doc: 'metadata service: `sqlite`, `memory`' }),
  'metastore.path': text({
    default: '',
    doc: 'file of the sqlite metastore; empty = metadata.db in the data directory',
  }),
  'metastore.poll_interval': duration({
    default: 20,
    min: 1,
    max: MINUTE,
    doc: 'sqlite: how often the changes of other processes are looked for',
  }),
  'metastore.busy_timeout': duration({
    default: 5_000,
    min: 0,
    max: MINUTE,
    doc: 'sqlite: how long a call waits for the transactions of other processes',
  }),
  'object_store.type': text({
    default: 'local',
    doc: 'shared storage: `local` (a directory, also NFS), `memory`',
  }),
  'object_store.path': text({
    default: '',
    doc: 'directory of the local object store; empty = objects in the data directory',
  }),
  'object_store.prefix': text({
    default: '',
    doc: 'begins every key, e.g. `clusters/a/`, so that several clusters can share a store; empty or ends with a slash',
  }),
  'object_store.attempts_max': integer({
    default: 4,
    min: 1,
    max: 100,
    doc: 'tries of a call to shared storage that fails in passing; four bridge about a second',
  }),
  'log.type': text({ default: 'local', doc: 'write-ahead log: `local` (files on shared storage), `memory`' }),
  'log.path': text({ default: '', doc: 'directory of the local log; empty = log in the data directory' }),
  'log.file_bytes_max': size({
    default: 16 * MIB,
    min: 64 * KIB,
    max: 16 * GIB,
    doc: 'a log file is closed at this size; truncation removes whole files',
  }),
  'log.write_bytes_max': size({
    default: 8 * MIB,
    min: 64 * KIB,
    max: GIB,
    doc: 'bytes of one group commit',
  }),
  'log.waiting_bytes_max': size({
    default: 64 * MIB,
    min: MIB,
    max: 16 * GIB,
    doc: 'bytes of a channel waiting for a group commit; more are refused as overload',
  }),
  'discovery.type': text({
    default: 'metastore',
    doc: 'who is there: `metastore`, `static`, or a module (`npm:name` or a path)',
  }),
  'discovery.nodes': list({
    default: [],
    doc: 'for static discovery: `role@address`, e.g. reader@tcp://10.0.0.5:19540',
  }),
  'discovery.lease_ttl': duration({
    default: 3_000,
    min: 500,
    max: 5 * MINUTE,
    doc: 'a silent process disappears after this; shorter notices death sooner, longer survives longer pauses',
  }),
  'discovery.probe_interval': duration({
    default: 1_000,
    min: 50,
    max: MINUTE,
    doc: 'how often each reader is asked whether it is well',
  }),
  'discovery.probe_failures_max': integer({
    default: 3,
    min: 1,
    max: 100,
    doc: 'failed probes in a row until a reader counts as unhealthy',
  }),
  'routing.type': text({
    default: 'consistent-hash',
    doc: 'placement of segments: `consistent-hash`, `rendezvous`, `round-robin`, or a module (`npm:name` or a path)',
  }),
  'routing.load_bound': fraction({
    default: 1.25,
    min: 1.01,
    max: 100,
    doc: 'consistent-hash: no reader gets more than this many times its fair share, where whole segments allow it',
  }),
  'wire.address': text({
    default: 'tcp://127.0.0.1:0',
    doc: 'where this process listens for other nodes; port 0 = any',
  }),
  'wire.frame_bytes_max': size({
    default: 256 * MIB,
    min: MIB,
    max: 2 * GIB,
    doc: 'largest message between nodes: a client message of 64 MiB with its columns spread, four times over',
  }),
  'wire.calls_max': integer({
    default: 4_096,
    min: 1,
    max: 1_000_000,
    doc: 'calls under way on one connection; more are refused as overload',
  }),
  'wire.queued_bytes_max': size({
    default: 512 * MIB,
    min: MIB,
    max: 64 * GIB,
    doc: 'bytes waiting to be sent on one connection; above it a caller refuses calls and a server stops reading',
  }),
  'wire.served_bytes_max': size({
    default: 512 * MIB,
    min: MIB,
    max: 64 * GIB,
    doc: 'request bytes a server works on for one connection; above it it stops reading',
  }),
  'wire.connections_max': integer({
    default: 1_024,
    min: 1,
    max: 100_000,
    doc: 'connections a node accepts: one from every other node',
  }),
  'wire.heartbeat_interval': duration({
    default: 1_000,
    min: 50,
    max: MINUTE,
    doc: 'a connection silent for three of these is taken as lost',
  }),
  'wire.connect_timeout': duration({
    default: 2_000,
    min: 50,
    max: MINUTE,
    doc: 'time to connect and shake hands',
  }),
  'management.host': text({ default: '127.0.0.1', doc: 'where health and metrics are served' }),
  'management.port': integer({
    default: 9091,
    min: 0,
    max: 65_535,
    doc: 'port for /healthz, /livez, /readyz, /metrics; 0 = any',
  }),
  'cache.path': text({
    default: '',
    doc: 'local disk cache of segments, a folder for each node in it; empty = cache in the data directory',
  }),
  'cache.bytes_max': size({
    default: 64 * GIB,
    min: MIB,
    max: 64 * TIB,
    doc: 'bound of the disk cache of one node',
  }),
  'cache.sweep_interval': duration({
    default: MINUTE,
    min: 100,
    max: 24 * 60 * MINUTE,
    doc: 'how often files of segments that are gone are removed from the disk cache',
  }),
  'cache.abandoned_after': duration({
    default: 6 * 60 * MINUTE,
    min: 10 * MINUTE,
    max: 365 * 24 * 60 * MINUTE,
    doc: 'how long a node that finds the disk cache of another without a sign of life watches it before it removes it; longer than a machine is away for upkeep. The same on all nodes that share cache.path',
  }),
  'kernel.threads': integer({
    default: 0,
    min: 0,
    max: 1_024,
    doc: 'threads that search and build indexes; 0 = one for each processor',
  }),
  'kernel.queue_max': integer({
    default: 65_536,
    min: 1,
    max: 10_000_000,
    doc: 'searches that may wait for a thread',
  }),
  'telemetry.log_level': oneOf(['debug', 'info', 'warn', 'error', 'silent'], {
    default: 'info',
    doc: 'least severe log lines that are written',
  }),
} as const;
