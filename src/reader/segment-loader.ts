import type { DeltaCache } from './delta-cache.ts';
import type { MemoryBudget } from './memory-budget.ts';
import type { ServedChannel } from './served-channel.ts';
import type { CatalogSnapshot } from '../catalog/catalog.ts';
import type { DeltaMeta, SegmentMeta } from '../catalog/model.ts';
import { needsDelta } from '../catalog/pending-deletes.ts';
import { MishardsError } from '../errors/index.ts';
import type { ChannelId, CollectionId, LogSequence, SegmentId } from '../schema/index.ts';
import type { SealedSegment } from '../segment/segment.ts';

export interface SegmentLoaderOptions {
  readonly collectionId: CollectionId;
  readonly snapshot: () => CatalogSnapshot;
  readonly channel: (id: ChannelId) => ServedChannel | undefined;
  /** Fetches and opens the segment with its indexes. */
  readonly open: (meta: SegmentMeta, signal: AbortSignal) => Promise<SealedSegment>;
  readonly deltas: DeltaCache;
  readonly budget: MemoryBudget;
}

/** Opens segments so that they know every delete before they answer: R3 of `docs/internals/read-path.md`. */
export class SegmentLoader {
  readonly #options: SegmentLoaderOptions;

  constructor(options: SegmentLoaderOptions) {
    this.#options = options;
  }

  /**
   * Opens the segment and gives it to `publish` in the same step in which it knows all deletes the channel has applied, and
   * those up to `checkpoint`, which may be more. From that step on the owner passes it every further delete. `STALE_PLAN`
   * when the catalog no longer has it.
   */
  async load(
    id: SegmentId,
    publish: (segment: SealedSegment, checkpoint: LogSequence) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const meta = this.#metaOf(id);
    using _reservation = this.#options.budget.reserve(bytesOf(meta), `segment ${id}`);
    const segment = await this.#options.open(meta, signal);
    try {
      const applied = new Set<string>();
      for (;;) {
        signal.throwIfAborted();
        const missing = this.#missingDeltas(id, applied);
        if (missing.length === 0) break;
        for (const delta of missing) {
          segment.applyDeletes(await this.#options.deltas.get(delta));
          applied.add(delta.objectKey);
        }
      }
      // No wait from the last look at the deltas to here: what is not in them is among the remembered fresh deletes.
      const { fresh } = this.#channelOf(meta);
      segment.applyDeletes(fresh.deletesAfter(fresh.droppedThrough));
      publish(segment, this.#options.snapshot().channel(meta.channelId)?.checkpoint ?? 0);
    } catch (error) {
      await segment[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The deltas of the newest snapshot that the segment needs and has not had. */
  #missingDeltas(id: SegmentId, applied: ReadonlySet<string>): readonly DeltaMeta[] {
    const meta = this.#metaOf(id);
    const deltas = this.#options.snapshot().channel(meta.channelId)?.deltas ?? [];
    return deltas.filter((delta) => !applied.has(delta.objectKey) && needsDelta(meta, delta));
  }

  #metaOf(id: SegmentId): SegmentMeta {
    const meta = this.#options.snapshot().segment(this.#options.collectionId, id);
    if (meta === undefined) {
      throw new MishardsError('STALE_PLAN', `segment ${id} is no longer in the catalog; plan again`);
    }
    return meta;
  }

  #channelOf(meta: SegmentMeta): ServedChannel {
    const channel = this.#options.channel(meta.channelId);
    if (channel === undefined) {
      throw new MishardsError('STALE_PLAN', `channel ${meta.channelId} is not served here; plan again`);
    }
    return channel;
  }
}

function bytesOf(meta: SegmentMeta): number {
  return meta.indexes.reduce((bytes, file) => bytes + file.sizeBytes, meta.sizeBytes);
}
