import { newProgress, type RewriteProgress } from './compaction-wishes.ts';
import { hasFiles, lacksFile } from '../index-work.ts';
import type { CatalogSnapshot } from '../../catalog/catalog.ts';
import type { IndexMeta, SegmentMeta } from '../../catalog/model.ts';
import { isErrorWithCode, type ErrorCode } from '../../errors/index.ts';
import type { Clock } from '../../host/index.ts';
import type { CollectionId, SegmentId } from '../../schema/index.ts';

export interface IncomingLimits {
  readonly indexRowsMin: number;
  readonly compactionWarmUpMs: number;
  readonly compactionBuildFailuresMax: number;
}

/**
 * Failures of an index build that the next attempt cannot cure: what it reads is damaged or gone. A damaged copy is discarded and
 * downloaded anew, so once is not enough.
 */
const INCURABLE: readonly ErrorCode[] = ['CORRUPT_DATA', 'OBJECT_NOT_FOUND'];

interface Incoming {
  readonly collectionId: CollectionId;
  readonly progress: RewriteProgress;
  /** From this revision of the catalog on, one it does not show is gone. */
  readonly revision: number;
  /** When it was first seen complete. */
  completeSinceMs: number | null;
  /** By index; infinite when it can never be built. */
  readonly buildFailures: Map<string, number>;
}

/** Segments that are announced and have not yet taken the place of others. */
export class IncomingSegments {
  readonly #clock: Clock;
  readonly #limits: IncomingLimits;
  readonly #incoming = new Map<SegmentId, Incoming>();

  constructor(clock: Clock, limits: IncomingLimits) {
    this.#clock = clock;
    this.#limits = limits;
  }

  /** Announced by the change that made this revision. */
  add({ id, collectionId }: SegmentMeta, progress: RewriteProgress, revision: number): void {
    this.#incoming.set(id, {
      collectionId,
      progress,
      revision,
      completeSinceMs: null,
      buildFailures: new Map(),
    });
  }

  /** One of an earlier writer is known from when it is first asked for. */
  progressOf(target: SegmentMeta): RewriteProgress {
    return this.#of(target).progress;
  }

  /**
   * Complete: it lacks no index file that what it replaces has. Then readers of a loaded collection get time to open it before
   * it is read.
   */
  isReady(target: SegmentMeta, snapshot: CatalogSnapshot): boolean {
    const collection = snapshot.collections.get(target.collectionId);
    if (collection === undefined || this.#lacking(target, snapshot).length > 0) return false;
    const incoming = this.#of(target);
    const nowMs = this.#clock.monotonicMs();
    incoming.completeSinceMs ??= nowMs;
    return collection.load === null || nowMs - incoming.completeSinceMs >= this.#limits.compactionWarmUpMs;
  }

  /** Building this index for it failed. */
  buildFailed(target: SegmentMeta, indexId: string, error: unknown): void {
    const { buildFailures } = this.#of(target);
    const before = buildFailures.get(indexId) ?? 0;
    const isIncurable = before > 0 && isErrorWithCode(error, ...INCURABLE);
    buildFailures.set(indexId, isIncurable ? Number.POSITIVE_INFINITY : before + 1);
  }

  /** An index file it needs to take its place failed too often, or can never be built. */
  isHopeless(target: SegmentMeta, snapshot: CatalogSnapshot): boolean {
    const failures = this.#incoming.get(target.id)?.buildFailures;
    if (failures === undefined || failures.size === 0) return false;
    const { compactionBuildFailuresMax } = this.#limits;
    return this.#lacking(target, snapshot).some(
      ({ id }) => (failures.get(id) ?? 0) >= compactionBuildFailuresMax,
    );
  }

  /** It has taken its place, or never will. */
  end(id: SegmentId, state: RewriteProgress['state']): void {
    const incoming = this.#incoming.get(id);
    if (incoming !== undefined) incoming.progress.state = state;
    this.#incoming.delete(id);
  }

  /** Ends those that went with their collection or partition. */
  endLost(snapshot: CatalogSnapshot): void {
    for (const [id, { collectionId, revision }] of this.#incoming) {
      const present = snapshot.segment(collectionId, id);
      if (present === undefined && snapshot.revision >= revision) this.end(id, 'idle');
    }
  }

  #of(target: SegmentMeta): Incoming {
    let incoming = this.#incoming.get(target.id);
    if (incoming === undefined) {
      const progress: RewriteProgress = { ...newProgress(target.replaces), target: target.id };
      incoming = {
        collectionId: target.collectionId,
        progress,
        revision: 0,
        completeSinceMs: null,
        buildFailures: new Map(),
      };
      this.#incoming.set(target.id, incoming);
    }
    return incoming;
  }

  /** Indexes of which it has no file and what it replaces has. */
  #lacking(target: SegmentMeta, snapshot: CatalogSnapshot): readonly IndexMeta[] {
    if (target.rowCount < this.#limits.indexRowsMin) return [];
    const { indexes, schema } = snapshot.collections.get(target.collectionId)!;
    const replaced = target.replaces.map((id) => snapshot.segment(target.collectionId, id));
    const hadFile = (indexId: string): boolean =>
      replaced.some((segment) => segment?.indexes.some((file) => file.indexId === indexId) === true);
    return indexes.filter(
      (index) => hasFiles(index, schema) && hadFile(index.id) && lacksFile(target, index),
    );
  }
}
