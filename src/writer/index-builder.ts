import { Backoff } from './backoff.ts';
import type { FencedCatalog } from './fenced-catalog.ts';
import { IndexWorkFinder, type IndexJob, type StaleFile } from './index-work.ts';
import type { ObjectsInMaking } from './objects-in-making.ts';
import type { WriterOptions } from './writer-options.ts';
import type { CatalogSnapshot } from '../catalog/catalog.ts';
import { encodeDocument } from '../catalog/document.ts';
import type { IdAllocator } from '../catalog/id-allocator.ts';
import { segmentDocumentKey } from '../catalog/keys.ts';
import type { IndexFile, IndexMeta, SegmentMeta } from '../catalog/model.ts';
import { isScalarIndexType } from '../catalog/scalar-index.ts';
import { MishardsError } from '../errors/index.ts';
import type { Host } from '../host/index.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { Write } from '../metastore/metastore.ts';
import type { ObjectStore } from '../object-store/object-store.ts';
import { indexKey } from '../segment/segment-keys.ts';
import { writeIndex } from '../segment/index-writer.ts';
import { writeScalarIndex } from '../segment/scalar-index-writer.ts';
import type { SegmentCache } from '../segment/segment-cache.ts';
import type { Logger } from '../telemetry/logger.ts';

export interface IndexBuilderOptions {
  readonly host: Pick<Host, 'clock' | 'files' | 'timers'>;
  readonly snapshot: () => CatalogSnapshot;
  readonly catalog: FencedCatalog;
  readonly objectStore: ObjectStore;
  readonly ids: IdAllocator;
  readonly making: ObjectsInMaking;
  readonly kernel: Kernel;
  readonly cache: SegmentCache;
  readonly temporaryDirectory: string;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  /** Told of each build that failed; it is tried again. */
  readonly onBuildFailed: (segment: SegmentMeta, indexId: string, error: unknown) => void;
  readonly limits: Pick<
    WriterOptions,
    'indexRowsMin' | 'indexThreads' | 'indexConcurrency' | 'orphanGraceMs' | 'retryMs' | 'retryMaxMs'
  >;
}

/**
 * Builds the index files that segments lack and removes those of dropped indexes. The catalog alone says what is to do, so
 * nothing is remembered over a restart, and progress is what the catalog shows.
 */
export class IndexBuilder {
  readonly #options: IndexBuilderOptions;
  readonly #finder: IndexWorkFinder;
  readonly #backoff: Backoff<string>;
  /** By segment and index. */
  readonly #running = new Map<string, Promise<void>>();
  /** When each stale file was first seen. */
  readonly #staleSince = new Map<string, number>();
  #pendingCount = 0;
  /** The snapshot that asked for nothing. */
  #idleAt: CatalogSnapshot | null = null;

  constructor(options: IndexBuilderOptions) {
    this.#options = options;
    this.#finder = new IndexWorkFinder(options.limits.indexRowsMin);
    this.#backoff = new Backoff(options.host.clock, options.limits);
  }

  get runningCount(): number {
    return this.#running.size;
  }

  /** Files that are to be built, running builds included. */
  get pendingCount(): number {
    return this.#pendingCount;
  }

  /** Starts what the catalog now asks for, within the bounds. */
  look(): void {
    const { limits, signal, snapshot, onBuildFailed } = this.#options;
    if (signal.aborted) return;
    const present = snapshot();
    if (present === this.#idleAt) return;
    const { missing, stale } = this.#finder.find(present);
    this.#idleAt = missing.length + stale.length === 0 ? present : null;
    this.#pendingCount = missing.length;
    for (const job of missing) {
      if (this.#running.size >= limits.indexConcurrency) break;
      const key = keyOf(job.segment, job.index.id);
      if (this.#backoff.isResting(key)) continue;
      const onFailed = (error: unknown): void => onBuildFailed(job.segment, job.index.id, error);
      this.#start(key, () => this.#build(job), onFailed);
    }
    this.#lookAtStale(stale);
  }

  /** Resolves when nothing runs; builds end early by the signal. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running.values());
  }

  #start(key: string, task: () => Promise<void>, onFailed?: (error: unknown) => void): void {
    if (this.#running.has(key)) return;
    const { logger, signal } = this.#options;
    const run = async (): Promise<void> => {
      try {
        await task();
        this.#backoff.succeeded(key);
      } catch (error) {
        if (signal.aborted) return;
        this.#backoff.failed(key);
        onFailed?.(error);
        logger.error({ job: key, error }, 'an index job failed');
      } finally {
        this.#running.delete(key);
      }
      this.look();
    };
    this.#running.set(key, run());
  }

  async #build({ segment, index }: IndexJob): Promise<void> {
    const { logger, host, signal, ids } = this.#options;
    using making = this.#options.making.begin();
    const startMs = host.clock.monotonicMs();
    const buildId = await ids.takeOne();
    making.add(indexKey(segment.collectionId, segment.id, index.id, buildId));
    const file = await this.#write(segment, index, buildId);
    signal.throwIfAborted();
    await this.#commitFile(segment, file);
    const elapsedMs = host.clock.monotonicMs() - startMs;
    logger.info({ segment: segment.id, index: index.id, rows: segment.rowCount, elapsedMs }, 'index built');
  }

  async #write(segment: SegmentMeta, index: IndexMeta, buildId: string): Promise<IndexFile> {
    const { kernel, limits, snapshot } = this.#options;
    if (isScalarIndexType(index.type)) {
      const collection = snapshot().collections.get(segment.collectionId);
      if (collection === undefined) {
        const problem = `collection not found[collection=${segment.collectionId}]`;
        throw new MishardsError('COLLECTION_NOT_FOUND', problem);
      }
      return await writeScalarIndex({ ...this.#options, segment, index, buildId, schema: collection.schema });
    }
    const threads =
      limits.indexThreads === 0 ? kernel.info.threads : Math.min(limits.indexThreads, kernel.info.threads);
    return await writeIndex({ ...this.#options, segment, index, buildId, threads });
  }

  /** When the segment or the index was dropped meanwhile, the file is an object nobody names; it is removed. */
  async #commitFile(segment: SegmentMeta, file: IndexFile): Promise<void> {
    let isWanted = false;
    await this.#options.catalog.change((snapshot) => {
      const present = snapshot.segment(segment.collectionId, segment.id);
      const { indexes } = snapshot.collections.get(segment.collectionId) ?? { indexes: [] };
      const isOfThis = ({ indexId }: IndexFile): boolean => indexId === file.indexId;
      isWanted =
        present !== undefined &&
        !present.indexes.some(isOfThis) &&
        indexes.some((index) => index.id === file.indexId);
      return isWanted ? [putSegment({ ...present!, indexes: [...present!.indexes, file] })] : [];
    });
    if (!isWanted) await this.#options.objectStore.delete(file.objectKey);
  }

  #lookAtStale(stale: readonly StaleFile[]): void {
    const { host, limits } = this.#options;
    const nowMs = host.clock.monotonicMs();
    const keys = new Set(stale.map(({ segment, file }) => keyOf(segment, file.indexId)));
    for (const key of this.#staleSince.keys()) if (!keys.has(key)) this.#staleSince.delete(key);
    for (const { segment, file } of stale) {
      const key = keyOf(segment, file.indexId);
      const sinceMs = this.#staleSince.get(key) ?? nowMs;
      this.#staleSince.set(key, sinceMs);
      if (nowMs - sinceMs < limits.orphanGraceMs || this.#backoff.isResting(key)) continue;
      if (this.#running.size >= limits.indexConcurrency) return;
      this.#start(key, () => this.#removeFile(segment, file));
    }
  }

  /** The object first: should the process end in between, the catalog still says what is left to do. */
  async #removeFile(segment: SegmentMeta, file: IndexFile): Promise<void> {
    await this.#options.objectStore.delete(file.objectKey);
    await this.#options.catalog.change((snapshot) => {
      const present = snapshot.segment(segment.collectionId, segment.id);
      if (present === undefined) return [];
      const indexes = present.indexes.filter((candidate) => candidate.indexId !== file.indexId);
      return [putSegment({ ...present, indexes })];
    });
  }
}

function putSegment(segment: SegmentMeta): Write {
  const key = segmentDocumentKey(segment.collectionId, segment.id);
  return { kind: 'put', key, value: encodeDocument(segment) };
}

function keyOf(segment: SegmentMeta, indexId: string): string {
  return `${segment.id}/${indexId}`;
}
