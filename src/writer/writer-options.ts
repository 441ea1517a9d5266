import { DEFAULT_CATALOG_LIMITS, type CatalogLimits } from './commands/command-context.ts';

/** Limits and times of a writer. Every bound that is reached shows itself as the error named here. */
export interface WriterOptions {
  /** A standby takes over after this when the active writer falls silent. */
  readonly leaseTtlMs: number;
  /** Fresh bytes of a channel that start a flush. */
  readonly flushBytes: number;
  /** Fresh rows of a channel that start a flush. */
  readonly flushRows: number;
  /** Age of the oldest fresh row of a channel that starts a flush. */
  readonly flushAgeMs: number;
  /** Channels flushed at the same time. Each holds a copy of its fresh rows while it is written. */
  readonly flushConcurrency: number;
  /** Rows of a segment; a flush is cut into segments of at most so many. */
  readonly segmentRowsMax: number;
  /** Delete objects of a channel; one more merges them into one. Every reader reads all of them when it opens a segment. */
  readonly deltasMax: number;
  /** Of a compacted segment; it bounds the memory of the compaction, too. */
  readonly compactionBytesMax: number;
  /** So many segments of about one size are merged. */
  readonly compactionSegmentsMin: number;
  /** Part of a segment's rows that must be deleted or expired for it to be rewritten. */
  readonly compactionDeadRatio: number;
  /** Compactions at the same time. */
  readonly compactionConcurrency: number;
  /** How long readers may open a compacted segment before it is read. */
  readonly compactionWarmUpMs: number;
  /** Failures of an index build after which a compacted segment that waits for it is given up. */
  readonly compactionBuildFailuresMax: number;
  /** How long segments whose compaction was given up are left alone. */
  readonly compactionRestMs: number;
  /** Smaller segments are searched exactly and get no index file. */
  readonly indexRowsMin: number;
  /** Threads of one index build; 0 = those of the kernel. */
  readonly indexThreads: number;
  /** Index builds at the same time. */
  readonly indexConcurrency: number;
  /** Unflushed bytes of all channels; above it writes are refused with `OVERLOADED` until a flush has made room. */
  readonly freshBytesMax: number;
  /** Free bytes where the log is; below it writes are refused with `DISK_LIMIT`, so that what is left serves leases, flushes and the catalog. */
  readonly diskFreeBytesMin: number;
  /** Bytes of writes that are not yet durable; above it writes are refused with `OVERLOADED`. */
  readonly inFlightBytesMax: number;
  /** Bytes of the newest log entries kept at hand for the readers that follow, over all channels. */
  readonly tailBytesMax: number;
  /** How long flushed log entries stay for readers that lag. */
  readonly logGraceMs: number;
  /** How long objects and logs stay after what named them was dropped, for searches planned before. */
  readonly orphanGraceMs: number;
  /** How often the object store is listed for objects nobody names. */
  readonly garbageIntervalMs: number;
  /** Channels recovered at the same time after a takeover. */
  readonly recoveryConcurrency: number;
  /** How long a change of the catalog may wait for the metadata service before its caller is told. */
  readonly commandWaitMs: number;
  /** How often flushing, truncation and removal are looked at. */
  readonly maintenanceIntervalMs: number;
  /** First and longest rest before something that failed is tried again; it doubles in between. */
  readonly retryMs: number;
  readonly retryMaxMs: number;
  readonly limits: CatalogLimits;
}

const MIB = 2 ** 20;

export const DEFAULT_WRITER_OPTIONS: WriterOptions = Object.freeze({
  leaseTtlMs: 3_000,
  flushBytes: 256 * MIB,
  flushRows: 500_000,
  flushAgeMs: 600_000,
  flushConcurrency: 2,
  segmentRowsMax: 1_000_000,
  deltasMax: 16,
  compactionBytesMax: 512 * MIB,
  compactionSegmentsMin: 4,
  compactionDeadRatio: 0.2,
  compactionConcurrency: 1,
  compactionWarmUpMs: 10_000,
  compactionBuildFailuresMax: 30,
  compactionRestMs: 3_600_000,
  indexRowsMin: 1_024,
  indexThreads: 0,
  indexConcurrency: 1,
  freshBytesMax: 2_048 * MIB,
  diskFreeBytesMin: 64 * MIB,
  inFlightBytesMax: 256 * MIB,
  tailBytesMax: 256 * MIB,
  commandWaitMs: 5_000,
  logGraceMs: 120_000,
  orphanGraceMs: 120_000,
  garbageIntervalMs: 3_600_000,
  recoveryConcurrency: 16,
  maintenanceIntervalMs: 500,
  retryMs: 100,
  retryMaxMs: 30_000,
  limits: DEFAULT_CATALOG_LIMITS,
});
