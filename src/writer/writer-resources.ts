import type { IdAllocator } from '../catalog/id-allocator.ts';
import type { MetastoreCatalog } from '../catalog/metastore-catalog.ts';
import type { TimestampOracle } from '../catalog/timestamp-oracle.ts';
import type { Host } from '../host/index.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { Log } from '../log/log.ts';
import type { Metastore } from '../metastore/metastore.ts';
import type { ObjectStore } from '../object-store/object-store.ts';
import type { SegmentCache } from '../segment/segment-cache.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { WriterNode } from './writer-lease.ts';
import type { WriterOptions } from './writer-options.ts';

export interface CreateWriterOptions {
  readonly host: Host;
  readonly metastore: Metastore;
  readonly log: Log;
  readonly objectStore: ObjectStore;
  readonly kernel: Kernel;
  readonly catalog: MetastoreCatalog;
  /** Vectors that indexes are built over. */
  readonly cache: SegmentCache;
  /** Where files of segments and indexes are made before they are stored; of this process alone. */
  readonly temporaryDirectory: string;
  readonly node: WriterNode;
  /** Bytes free where the log is; absent = without end. */
  readonly freeDiskBytes?: () => Promise<number>;
  readonly options?: Partial<WriterOptions>;
  readonly logger?: Logger;
}

/** What all terms of a writer share. */
export interface WriterResources extends Required<CreateWriterOptions> {
  readonly options: WriterOptions;
  readonly ids: IdAllocator;
  readonly oracle: TimestampOracle;
}
