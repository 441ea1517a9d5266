import { Admission } from './admission.ts';
import { DeltaCache } from './delta-cache.ts';
import { LoadGate } from './load-gate.ts';
import { MemoryBudget } from './memory-budget.ts';
import type { ReaderContext } from './reader-context.ts';
import { DEFAULT_READER_OPTIONS, type ReaderOptions } from './reader-options.ts';
import { ReaderService } from './reader-service.ts';
import type { ServedCollection } from './served-collection.ts';
import { ServedCollections } from './served-collections.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { WriterLeader } from '../catalog/model.ts';
import type { Discovery, NodeInfo } from '../discovery/discovery.ts';
import { MishardsError } from '../errors/index.ts';
import type { Host } from '../host/index.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { Log } from '../log/log.ts';
import type { ObjectStore } from '../object-store/object-store.ts';
import type { ReaderApi } from '../protocol/reader-api.ts';
import type { WriterApi } from '../protocol/writer-api.ts';
import type { Router } from '../routing/router.ts';
import type { NodeId } from '../schema/index.ts';
import { readDelta } from '../segment/delta.ts';
import { openSegment } from '../segment/open-segment.ts';
import type { SegmentCache } from '../segment/segment-cache.ts';
import { silentLogger, type Logger } from '../telemetry/logger.ts';

/** Where a reader's figures go; `Metrics` of the telemetry is one. */
export interface ReaderMeter {
  /** A value read when the metrics are. */
  gauge(name: string, help: string, read: () => number): void;
}

export interface CreateReaderOptions {
  readonly host: Host;
  readonly catalog: Catalog;
  readonly log: Log;
  readonly objectStore: ObjectStore;
  /** Local copies of segment files. */
  readonly cache: SegmentCache;
  readonly kernel: Kernel;
  readonly router: Router;
  readonly discovery: Discovery;
  /** This reader, by the id it has in discovery. */
  readonly node: { readonly id: NodeId };
  /** The way to the active writer. Called again when the catalog names another. */
  readonly writerFor: (leader: WriterLeader) => WriterApi;
  /** Default of each: `DEFAULT_READER_OPTIONS`. */
  readonly options?: Partial<ReaderOptions>;
  readonly logger?: Logger;
  readonly metrics?: ReaderMeter;
}

/** A reader at work. Disposing it ends what waits, lets what reads come to its end, and closes all segments. */
export interface Reader extends AsyncDisposable {
  readonly api: ReaderApi;
}

/** Serves every collection the catalog shows loaded, from now on. */
export function createReader(options: CreateReaderOptions): Reader {
  const limits: ReaderOptions = { ...DEFAULT_READER_OPTIONS, ...options.options };
  const { cache, catalog, discovery, host, kernel, objectStore } = options;
  const readers = new KnownReaders(discovery.nodes());
  const budget = new MemoryBudget(limits.memoryBytesMax, () => collections.values());
  const context: ReaderContext = {
    ...options,
    options: limits,
    nodeId: options.node.id,
    readers: () => readers.list,
    openSegment: (meta, schema, signal) => openSegment({ meta, schema, cache, kernel, host, signal }),
    gate: new LoadGate(limits.loadsMax),
    budget,
    deltas: new DeltaCache((delta) => readDelta(objectStore, delta), limits.deltaCacheBytesMax),
    logger: options.logger ?? silentLogger,
  };
  const collections = new ServedCollections(context);
  const admission = new Admission(limits.requestsMax);
  const stack = new DisposableStack();
  stack.use(catalog.subscribe((snapshot) => collections.update(snapshot)));
  stack.use(
    discovery.subscribe((nodes) => {
      if (readers.update(nodes)) collections.update(catalog.snapshot());
    }),
  );
  stack.use(host.timers.every(limits.sweepIntervalMs, () => collections.sweep()));
  collections.update(catalog.snapshot());
  registerGauges(options.metrics, collections, admission, budget);
  return {
    api: new ReaderService(context, collections, admission),
    async [Symbol.asyncDispose]() {
      stack.dispose();
      admission.close();
      await collections.close(
        new MishardsError('SERVICE_NOT_READY', 'this reader is stopping; ask another one'),
      );
    },
  };
}

/** The readers of discovery's list: the same array until one of them changes. */
class KnownReaders {
  list: readonly NodeInfo[];

  constructor(nodes: readonly NodeInfo[]) {
    this.list = nodes.filter((node) => node.role === 'reader');
  }

  /** Whether anything changed. */
  update(nodes: readonly NodeInfo[]): boolean {
    const readers = nodes.filter((node) => node.role === 'reader');
    if (readers.length === this.list.length && readers.every((node, index) => node === this.list[index]))
      return false;
    this.list = readers;
    return true;
  }
}

function registerGauges(
  meter: ReaderMeter | undefined,
  collections: ServedCollections,
  admission: Admission,
  budget: MemoryBudget,
): void {
  if (meter === undefined) return;
  const all = (): ServedCollection[] => [...collections.values()];
  const sum = (valueOf: (collection: ServedCollection) => number): number =>
    all().reduce((total, collection) => total + valueOf(collection), 0);
  meter.gauge('reader_requests_running', 'Sub-requests under way', () => admission.running);
  meter.gauge('reader_memory_bytes', 'Bytes of opened segments and fresh rows', () => budget.usedBytes);
  meter.gauge('reader_collections', 'Collections served', () => all().length);
  meter.gauge('reader_segments_open', 'Segments that are open', () =>
    sum(({ shelf }) => [...shelf.slots()].length),
  );
  meter.gauge('reader_channels_failed', 'Channels whose next log entry cannot be applied now', () =>
    sum(({ channels }) => [...channels.values()].filter(({ progress }) => progress.failure !== null).length),
  );
  meter.gauge(
    'reader_fresh_rows',
    'Rows of the logs kept in memory, those already in segments included',
    () => sum(({ channels }) => [...channels.values()].reduce((rows, { fresh }) => rows + fresh.rowCount, 0)),
  );
}
