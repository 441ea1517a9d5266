import type { DeltaCache } from './delta-cache.ts';
import type { LoadGate } from './load-gate.ts';
import type { MemoryBudget } from './memory-budget.ts';
import type { ReaderOptions } from './reader-options.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { SegmentMeta, WriterLeader } from '../catalog/model.ts';
import type { Host } from '../host/index.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { Log } from '../log/log.ts';
import type { WriterApi } from '../protocol/writer-api.ts';
import type { Router } from '../routing/router.ts';
import type { CollectionSchema, NodeId } from '../schema/index.ts';
import type { SealedSegment } from '../segment/segment.ts';
import type { NodeInfo } from '../discovery/discovery.ts';
import type { Logger } from '../telemetry/logger.ts';

/** What all served collections of a reader share. */
export interface ReaderContext {
  readonly host: Host;
  readonly options: ReaderOptions;
  readonly catalog: Catalog;
  readonly log: Log;
  readonly kernel: Kernel;
  readonly router: Router;
  readonly nodeId: NodeId;
  /** The readers discovery knows; the same array until they change. */
  readonly readers: () => readonly NodeInfo[];
  readonly writerFor: (leader: WriterLeader) => WriterApi;
  readonly openSegment: (
    meta: SegmentMeta,
    schema: CollectionSchema,
    signal: AbortSignal,
  ) => Promise<SealedSegment>;
  readonly gate: LoadGate;
  readonly budget: MemoryBudget;
  readonly deltas: DeltaCache;
  readonly logger: Logger;
}
