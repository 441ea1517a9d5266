import {
  announce,
  removeDead,
  settle,
  takePlace,
  NOTHING,
  trimDeltas,
  withdraw,
  type CompactionCommit,
} from './compaction-commits.ts';
import {
  compactionWork,
  whatIsSeen,
  type CompactionInputs,
  type CompactionPolicy,
  type CompactionWork,
  type Examined,
  type Rewrite,
} from './compaction-plan.ts';
import { CompactionWishes, newProgress, type RewriteProgress } from './compaction-wishes.ts';
import { IncomingSegments } from './incoming-segments.ts';
import { RestingSegments } from './resting-segments.ts';
import { rewriteSegments, type RewriteResult, type RewriteTools } from './rewrite-segments.ts';
import { Backoff } from '../backoff.ts';
import type { DelayedRemovals } from '../delayed-removals.ts';
import type { ObjectsInMaking } from '../objects-in-making.ts';
import type { WriterOptions } from '../writer-options.ts';
import type { CatalogSnapshot } from '../../catalog/catalog.ts';
import type { ChannelMeta, CollectionMeta, SegmentMeta } from '../../catalog/model.ts';
import { hasTimeToLive } from '../../catalog/time-to-live.ts';
import { MishardsError } from '../../errors/index.ts';
import type { CompactionRequested, CompactionState } from '../../protocol/writer-api.ts';
import type { CollectionId, SegmentId } from '../../schema/index.ts';
import { objectKeysOf } from '../../segment/segment-keys.ts';
import type { Logger } from '../../telemetry/logger.ts';

export interface CompactorOptions extends Omit<RewriteTools, 'graceMs'> {
  readonly snapshot: () => CatalogSnapshot;
  readonly making: ObjectsInMaking;
  readonly removals: DelayedRemovals;
  readonly logger: Logger;
  readonly limits: Pick<
    WriterOptions,
    | 'compactionBytesMax'
    | 'compactionSegmentsMin'
    | 'compactionDeadRatio'
    | 'compactionConcurrency'
    | 'compactionWarmUpMs'
    | 'compactionBuildFailuresMax'
    | 'compactionRestMs'
    | 'segmentRowsMax'
    | 'indexRowsMin'
    | 'orphanGraceMs'
    | 'retryMs'
    | 'retryMaxMs'
  >;
}

/** Of one collection. */
interface Tending {
  /** Segments that may take the place of others. */
  readonly ready: readonly SegmentMeta[];
  /** Segments that never will. */
  readonly hopeless: readonly SegmentMeta[];
  readonly expired: readonly SegmentMeta[];
  readonly trims: readonly ChannelMeta[];
}

interface Running {
  readonly rewrite: Rewrite;
  readonly progress: RewriteProgress;
  readonly done: Promise<void>;
}

/**
 * Merges small segments, rewrites those with many dead rows, and drops deltas that have done their work. The catalog says what
 * is to do; see ADR 10 for how the new takes the place of the old.
 */
export class Compactor {
  readonly #options: CompactorOptions;
  readonly #policy: CompactionPolicy;
  readonly #tools: RewriteTools;
  readonly #backoff: Backoff<string>;
  readonly #wishes = new CompactionWishes();
  readonly #running = new Set<Running>();
  readonly #examined = new Map<SegmentId, Examined & { readonly collectionId: CollectionId }>();
  readonly #incoming: IncomingSegments;
  readonly #resting: RestingSegments;
  #withdrawnCount = 0;
  /** Collections that had nothing to do, by their segments, with the rest of what that was derived from. */
  readonly #idleWith = new WeakMap<readonly SegmentMeta[], readonly unknown[]>();
  #tending: Promise<void> | null = null;
  /** Revision of the catalog that shows all it has done. */
  #changedAt = 0;

  constructor(options: CompactorOptions) {
    const { limits } = options;
    this.#options = options;
    this.#policy = {
      segmentsMin: limits.compactionSegmentsMin,
      bytesMax: limits.compactionBytesMax,
      rowsMax: limits.segmentRowsMax,
      smallRows: limits.indexRowsMin,
      deadRatio: limits.compactionDeadRatio,
      graceMs: limits.orphanGraceMs,
    };
    this.#incoming = new IncomingSegments(options.host.clock, limits);
    this.#resting = new RestingSegments(options.host.clock, limits.compactionRestMs);
    this.#tools = { ...options, graceMs: limits.orphanGraceMs };
    this.#backoff = new Backoff(options.host.clock, limits);
  }

  get runningCount(): number {
    return this.#running.size;
  }

  /** Merged segments that were given up because they could not be indexed. */
  get withdrawnCount(): number {
    return this.#withdrawnCount;
  }

  /** Building an index of a segment failed. It matters of one that is to take the place of others. */
  buildFailed(segment: SegmentMeta, indexId: string, error: unknown): void {
    if (segment.replaces.length > 0) this.#incoming.buildFailed(segment, indexId, error);
  }

  /** Starts what the catalog and clients ask for, within the bounds. */
  look(): void {
    if (this.#options.signal.aborted) return;
    const snapshot = this.#options.snapshot();
    this.#forget(snapshot);
    if (snapshot.revision >= this.#changedAt) {
      this.#wishes.lookAgain((id) => this.#wished(snapshot.collections.get(id), snapshot, this.#resting.ids));
    }
    for (const queued of this.#wishes.queue) {
      if (this.#start(queued.rewrite, queued.progress)) this.#wishes.dequeue(queued);
    }
    const due: Tending[] = [];
    for (const collection of snapshot.collections.values()) {
      const work = this.#workOf(collection, snapshot);
      if (work === null) continue;
      for (const rewrite of work.rewrites) {
        if (!this.#backoff.isResting(keyOf(rewrite))) this.#start(rewrite, newProgress(idsOf(rewrite)));
      }
      due.push(this.#tendingOf(work, snapshot));
    }
    this.#tend(due.filter(hasAny));
  }

  /** Compacts what can be compacted in a collection, now. `COLLECTION_NOT_FOUND`. */
  async compact(id: CollectionId): Promise<CompactionRequested> {
    const { catalog, ids } = this.#options;
    const compactionId = await ids.takeOne();
    const snapshot = await catalog.current();
    const collection = snapshot.collections.get(id);
    if (collection === undefined) {
      throw new MishardsError('COLLECTION_NOT_FOUND', `collection not found[collection=${id}]`);
    }
    const begun = [...this.#running, ...this.#wishes.queue];
    const underWay = [
      ...begun.filter(({ rewrite }) => rewrite.collectionId === id).map(({ progress }) => progress),
      ...snapshot.incomingOf(id).map((target) => this.#incoming.progressOf(target)),
    ];
    const rewrites = this.#wished(collection, snapshot, new Set());
    const planCount = this.#wishes.add(compactionId, id, rewrites, [...new Set(underWay)]);
    this.look();
    return { compactionId, planCount };
  }

  async state(compactionId: string): Promise<CompactionState> {
    const { revision } = await this.#options.catalog.current();
    return { revision, ...this.#wishes.state(compactionId) };
  }

  /** Resolves when nothing runs; rewrites end early by the signal. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all([...this.#running].map(({ done }) => done));
    await this.#tending;
  }

  /** Whatever can be compacted and is neither being compacted nor waiting for it. */
  #wished(
    collection: CollectionMeta | undefined,
    snapshot: CatalogSnapshot,
    resting: ReadonlySet<SegmentId>,
  ): readonly Rewrite[] {
    if (collection === undefined) return [];
    const { rewrites } = this.#derive({ collection, snapshot, resting, isForced: true });
    const begun = [...this.#running, ...this.#wishes.queue];
    return rewrites.filter((rewrite) => !begun.some((other) => overlap(other.rewrite, rewrite)));
  }

  /** null = nothing. */
  #workOf(collection: CollectionMeta, snapshot: CatalogSnapshot): CompactionWork | null {
    const segments = snapshot.segmentsOf(collection.id);
    const inputs = [
      collection.properties,
      snapshot.incomingOf(collection.id),
      snapshot.channelsOf(collection.id),
    ];
    const before = this.#idleWith.get(segments);
    if (before !== undefined && inputs.every((input, index) => input === before[index])) return null;
    const work = this.#derive({ collection, snapshot, resting: this.#resting.ids });
    const isIdle =
      work.rewrites.length + work.expired.length + work.incoming.length + work.trims.length === 0;
    // Rows go on expiring, and rests end, without any change of the catalog.
    const isForGood = !hasTimeToLive(collection) && !this.#resting.has(collection.id);
    if (isIdle && isForGood) this.#idleWith.set(segments, inputs);
    return work;
  }

  #derive(what: Omit<CompactionInputs, 'policy' | 'nowMs' | 'examined'>): CompactionWork {
    const nowMs = this.#options.host.clock.nowMs();
    return compactionWork({ ...what, policy: this.#policy, nowMs, examined: this.#examined });
  }

  /** false = not now: too much is running, or some of it is. */
  #start(rewrite: Rewrite, progress: RewriteProgress): boolean {
    if (this.#running.size >= this.#options.limits.compactionConcurrency) return false;
    for (const running of this.#running) if (overlap(running.rewrite, rewrite)) return false;
    const { logger, signal } = this.#options;
    const run = async (): Promise<void> => {
      try {
        await this.#rewrite(rewrite, progress);
        this.#backoff.succeeded(keyOf(rewrite));
      } catch (error) {
        progress.state = 'failed';
        if (signal.aborted) return;
        this.#backoff.failed(keyOf(rewrite));
        logger.error(
          { collection: rewrite.collectionId, segments: idsOf(rewrite), error },
          'a compaction failed',
        );
      } finally {
        this.#running.delete(running);
      }
      this.look();
    };
    // In a turn of its own, so that it is among those running when it ends.
    const running: Running = { rewrite, progress, done: Promise.resolve().then(run) };
    this.#running.add(running);
    return true;
  }

  async #rewrite(rewrite: Rewrite, progress: RewriteProgress): Promise<void> {
    const { host, logger } = this.#options;
    const startMs = host.clock.monotonicMs();
    using making = this.#options.making.begin();
    const result = await rewriteSegments(rewrite, making, this.#tools);
    await this.#conclude(rewrite, result, progress);
    const fields = { collection: rewrite.collectionId, sources: progress.sources, target: progress.target };
    const elapsedMs = host.clock.monotonicMs() - startMs;
    if (result.kind === 'written') logger.info({ ...fields, elapsedMs }, 'segments rewritten');
  }

  async #conclude(rewrite: Rewrite, result: RewriteResult, progress: RewriteProgress): Promise<void> {
    const { catalog, signal } = this.#options;
    signal.throwIfAborted();
    if (result.kind === 'gone') progress.state = 'idle';
    else if (result.kind === 'not-worth-it') {
      await this.#leave(rewrite, result);
      progress.state = 'idle';
    } else if (result.target === null) {
      await this.#commit((present) => removeDead(present, rewrite.sources));
      progress.state = 'completed';
    } else {
      const { target } = result;
      let isAnnounced = false;
      const revision = await catalog.change((present) => {
        const writes = announce(present, target);
        isAnnounced = writes.length > 0;
        return writes;
      });
      if (!isAnnounced) {
        progress.state = 'idle';
        return;
      }
      progress.target = target.id;
      this.#incoming.add(target, progress, revision);
      this.#changedAt = revision;
    }
  }

  /** Remembers what was seen, so that it is not looked at again before there is more. */
  async #leave(rewrite: Rewrite, seen: RewriteResult & { readonly kind: 'not-worth-it' }): Promise<void> {
    const { catalog, snapshot } = this.#options;
    const [segment] = rewrite.sources;
    if (seen.deadRowCount === 0) {
      await catalog.change((present) => settle(present, segment!, seen.deletesThrough));
    }
    const channel = snapshot().channel(rewrite.channelId);
    const present = snapshot().segment(rewrite.collectionId, segment!.id);
    if (present === undefined) return;
    const examined = whatIsSeen(present, channel, seen.life.since);
    const { collectionId } = rewrite;
    this.#examined.set(present.id, { ...examined, ending: seen.ending, collectionId });
  }

  #tendingOf({ incoming, expired, trims }: CompactionWork, snapshot: CatalogSnapshot): Tending {
    return {
      ready: incoming.filter((target) => this.#incoming.isReady(target, snapshot)),
      hopeless: incoming.filter((target) => this.#incoming.isHopeless(target, snapshot)),
      expired: expired.filter((segment) => !this.#isRunning(segment)),
      trims,
    };
  }

  /** What only the catalog is needed for, one after the other. */
  #tend(due: readonly Tending[]): void {
    if (due.length === 0 || this.#tending !== null) return;
    const tend = async (): Promise<void> => {
      for (const one of due) await this.#tendTo(one);
    };
    this.#tending = tend()
      .catch((error: unknown) => {
        if (this.#options.signal.aborted) return;
        this.#options.logger.error({ error }, 'a compaction could not be committed');
      })
      .finally(() => (this.#tending = null));
  }

  async #tendTo({ ready, hopeless, expired, trims }: Tending): Promise<void> {
    for (const target of ready) {
      await this.#commit((present) => takePlace(present, target));
      this.#incoming.end(target.id, 'completed');
    }
    for (const target of hopeless) await this.#withdraw(target);
    const free = expired.filter((segment) => !this.#isRunning(segment));
    if (free.length > 0) await this.#commit((present) => removeDead(present, free));
    for (const channel of trims) await this.#commit((present) => trimDeltas(present, channel));
  }

  /** What the segment was to replace rests first, so that no look in between begins the same again. */
  async #withdraw(target: SegmentMeta): Promise<void> {
    const { limits, logger } = this.#options;
    const { id, collectionId, replaces } = target;
    this.#resting.add(collectionId, replaces);
    const { removed } = await this.#commit((present) =>
      this.#incoming.isHopeless(target, present) ? withdraw(present, target) : NOTHING,
    );
    if (removed.length === 0) return;
    this.#incoming.end(id, 'failed');
    this.#withdrawnCount++;
    logger.error(
      { collection: collectionId, segment: id, sources: replaces, restMs: limits.compactionRestMs },
      'a merged segment was given up because it cannot be indexed; what it was to replace stays and rests',
    );
  }

  /** Objects go after a grace: plans made before may still need them. */
  async #commit(plan: (present: CatalogSnapshot) => CompactionCommit): Promise<CompactionCommit> {
    const { catalog, objectStore, removals, limits } = this.#options;
    let commit: CompactionCommit | null = null;
    this.#changedAt = await catalog.change((present) => {
      commit = plan(present);
      return commit.writes;
    });
    const done = commit! as CompactionCommit;
    const keys = [
      ...done.removed.flatMap(objectKeysOf),
      ...done.superseded.map(({ objectKey }) => objectKey),
    ];
    for (const key of keys) removals.add(key, limits.orphanGraceMs, () => objectStore.delete(key));
    return done;
  }

  #isRunning(segment: SegmentMeta): boolean {
    for (const { rewrite } of this.#running) {
      if (rewrite.sources.some(({ id }) => id === segment.id)) return true;
    }
    return false;
  }

  /** What was remembered of segments that are gone. */
  #forget(snapshot: CatalogSnapshot): void {
    this.#incoming.endLost(snapshot);
    this.#resting.forget(snapshot);
    for (const [id, { collectionId }] of this.#examined) {
      if (snapshot.segment(collectionId, id) === undefined) this.#examined.delete(id);
    }
  }
}

const hasAny = ({ ready, hopeless, expired, trims }: Tending): boolean =>
  ready.length + hopeless.length + expired.length + trims.length > 0;
const idsOf = ({ sources }: Rewrite): readonly SegmentId[] => sources.map(({ id }) => id);
const keyOf = (rewrite: Rewrite): string => idsOf(rewrite).join();

function overlap(one: Rewrite, other: Rewrite): boolean {
  return one.sources.some(({ id }) => other.sources.some((source) => source.id === id));
}
