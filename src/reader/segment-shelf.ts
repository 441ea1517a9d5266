import type { LoadGate, LoadTicket, LoadUrgency } from './load-gate.ts';
import type { MemoryBudget, MemoryUser } from './memory-budget.ts';
import type { ReaderOptions } from './reader-options.ts';
import type { SegmentLoader } from './segment-loader.ts';
import { SegmentSlot } from './segment-slot.ts';
import type { CatalogSnapshot } from '../catalog/catalog.ts';
import type { IndexFile, SegmentMeta } from '../catalog/model.ts';
import { MishardsError } from '../errors/index.ts';
import type { Clock } from '../host/index.ts';
import type { ChannelId, CollectionId, SegmentId } from '../schema/index.ts';
import type { DeleteBatch } from '../segment/segment.ts';
import { abortable } from '../util/abortable.ts';

export interface SegmentShelfOptions {
  readonly collectionId: CollectionId;
  readonly loader: SegmentLoader;
  readonly gate: LoadGate;
  readonly budget: MemoryBudget;
  readonly clock: Clock;
  readonly limits: Pick<ReaderOptions, 'loadRetryMs' | 'supersededGraceMs' | 'unloadGraceMs'>;
  /** Told of the first failure of each segment in the background. */
  readonly onFailure: (id: SegmentId, error: unknown) => void;
}

/** A segment that stays open until the slot's pin is disposed. */
export interface PinnedSegment extends Disposable {
  readonly slot: SegmentSlot;
}

interface Load {
  readonly done: Promise<void>;
  readonly ticket: LoadTicket;
}

/** A load may lose its segment to a release or an eviction right after it ended; a request tries again this often. */
const ATTEMPTS_MAX = 3;

/** The open segments of one collection: those placed here, those requests asked for, and superseded ones for their grace. */
export class SegmentShelf implements MemoryUser {
  readonly #options: SegmentShelfOptions;
  readonly #slots = new Map<SegmentId, SegmentSlot>();
  readonly #loads = new Map<SegmentId, Load>();
  readonly #refreshing = new Set<SegmentId>();
  /** Loads in the background that failed, with the time. */
  readonly #failed = new Map<SegmentId, number>();
  /** Closed as soon as the requests that use them end; until then they need every delete. */
  readonly #leaving = new Map<SegmentSlot, Promise<void>>();
  readonly #stop = new AbortController();
  #wanted: ReadonlyMap<SegmentId, SegmentMeta> = new Map();

  constructor(options: SegmentShelfOptions) {
    this.#options = options;
  }

  get memoryBytes(): number {
    let bytes = 0;
    for (const slot of this.#slots.values()) bytes += slot.segment.memoryBytes;
    return bytes;
  }

  slots(): Iterable<SegmentSlot> {
    return this.#slots.values();
  }

  /** Opens it if it is not open. `STALE_PLAN` when the catalog no longer has it, `MEMORY_LIMIT`, storage errors. */
  async acquire(id: SegmentId, signal: AbortSignal): Promise<PinnedSegment> {
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      const slot = this.#slots.get(id);
      if (slot !== undefined) {
        const pin = slot.pin(this.#options.clock.monotonicMs());
        return { slot, [Symbol.dispose]: () => pin[Symbol.dispose]() };
      }
      await abortable(this.#load(id, 'demand').done, signal);
    }
    throw new MishardsError('STALE_PLAN', `segment ${id} was closed as often as it was opened; plan again`);
  }

  has(id: SegmentId): boolean {
    return this.#slots.has(id);
  }

  /** Marks deletes in all open segments of the channel. */
  applyDeletes(channel: ChannelId, deletes: DeleteBatch): void {
    for (const slot of this.#openOf(channel)) slot.applyDeletes(deletes);
  }

  /**
   * The channel goes on behind what its log has lost; `deletes` are all deltas of the snapshot. Segments the catalog no longer
   * has can miss deletes from now on, so they are closed whatever their grace.
   */
  restart(channel: ChannelId, snapshot: CatalogSnapshot, deletes: readonly DeleteBatch[]): void {
    for (const slot of this.#openOf(channel)) {
      if (snapshot.segment(this.#options.collectionId, slot.id) === undefined) {
        slot.isStale = true;
        this.#drop(slot);
      } else {
        for (const batch of deletes) slot.applyDeletes(batch);
      }
    }
  }

  /** Takes over what the catalog shows now and starts loading the segments placed here. */
  update(snapshot: CatalogSnapshot, wanted: ReadonlyMap<SegmentId, SegmentMeta>): void {
    const nowMs = this.#options.clock.monotonicMs();
    this.#wanted = wanted;
    for (const slot of this.#slots.values()) {
      const meta = snapshot.segment(this.#options.collectionId, slot.id);
      if (meta === undefined) slot.goneSinceMs ??= nowMs;
      else slot.meta = meta;
      // The grace of a segment that belongs elsewhere begins when it does.
      if (slot.isWanted && !wanted.has(slot.id)) slot.lastUsedMs = nowMs;
      slot.isWanted = wanted.has(slot.id);
    }
    for (const id of this.#failed.keys()) if (!wanted.has(id)) this.#failed.delete(id);
    this.#work();
  }

  /** Closes what has had its grace and tries again what failed. */
  sweep(): void {
    const { clock, limits } = this.#options;
    const nowMs = clock.monotonicMs();
    for (const [id, failedMs] of this.#failed) {
      if (failedMs !== RETRYING && nowMs - failedMs >= limits.loadRetryMs) this.#failed.set(id, RETRYING);
    }
    for (const slot of this.#slots.values()) {
      const isSuperseded = slot.goneSinceMs !== null && nowMs - slot.goneSinceMs >= limits.supersededGraceMs;
      const isElsewhere = slot.goneSinceMs === null && !slot.isWanted && !slot.isPinned;
      if (isSuperseded || (isElsewhere && nowMs - slot.lastUsedMs >= limits.unloadGraceMs)) this.#drop(slot);
    }
    this.#work();
  }

  evict(): boolean {
    let victim: SegmentSlot | null = null;
    for (const slot of this.#slots.values()) {
      if (slot.isPinned || slot.isWanted) continue;
      if (victim === null || slot.lastUsedMs < victim.lastUsedMs) victim = slot;
    }
    if (victim === null) return false;
    this.#drop(victim);
    return true;
  }

  /** Closes everything: loads that run end with `reason`, requests that use segments are waited for. */
  async close(reason: MishardsError): Promise<void> {
    this.#stop.abort(reason);
    for (const slot of this.#slots.values()) this.#drop(slot);
    await Promise.allSettled([...this.#loads.values()].map((load) => load.done));
    await Promise.all(this.#leaving.values());
  }

  /** Starts whatever is to be done in the background. */
  #work(): void {
    if (this.#stop.signal.aborted) return;
    for (const id of this.#wanted.keys()) {
      if (!this.#slots.has(id) && this.#mayTry(id))
        void this.#load(id, 'background').done.catch(() => undefined);
    }
    for (const slot of this.#slots.values()) {
      if (slot.goneSinceMs === null && this.#mayTry(slot.id)) void this.#refreshIndexes(slot);
    }
  }

  #mayTry(id: SegmentId): boolean {
    const failedMs = this.#failed.get(id);
    return failedMs === undefined || failedMs === RETRYING;
  }

  #load(id: SegmentId, urgency: LoadUrgency): Load {
    const running = this.#loads.get(id);
    if (running !== undefined) {
      if (urgency === 'demand') running.ticket.promote();
      return running;
    }
    const ticket = this.#options.gate.enter(urgency, this.#stop.signal);
    const done = this.#runLoad(id, ticket).finally(() => this.#loads.delete(id));
    // Requests that wait get the failure; when none waits it must not be unhandled.
    done.catch((error: unknown) => this.#noteFailure(id, error));
    const load = { done, ticket };
    this.#loads.set(id, load);
    return load;
  }

  async #runLoad(id: SegmentId, ticket: LoadTicket): Promise<void> {
    using _pass = await ticket.pass;
    const { loader, clock } = this.#options;
    await loader.load(
      id,
      (segment, checkpoint) => {
        this.#stop.signal.throwIfAborted();
        const slot = new SegmentSlot(segment, checkpoint, clock.monotonicMs());
        slot.isWanted = this.#wanted.has(id);
        this.#slots.set(id, slot);
      },
      this.#stop.signal,
    );
    this.#failed.delete(id);
  }

  /** Opens indexes that were built since the segment was opened, and closes those that were dropped. */
  async #refreshIndexes(slot: SegmentSlot): Promise<void> {
    const { segment } = slot;
    const listed = new Set(slot.meta.indexes.map((file) => file.indexId));
    const dropped = [...segment.openIndexes].filter((id) => !listed.has(id));
    const absent = slot.meta.indexes.filter((file) => !segment.openIndexes.has(file.indexId));
    if ((dropped.length === 0 && absent.length === 0) || this.#refreshing.has(slot.id)) return;
    this.#refreshing.add(slot.id);
    try {
      using _pin = slot.pin(slot.lastUsedMs);
      for (const id of dropped) await segment.closeIndex(id);
      for (const file of absent) await this.#openIndex(slot, file);
      this.#failed.delete(slot.id);
    } catch (error) {
      this.#noteFailure(slot.id, error);
    } finally {
      this.#refreshing.delete(slot.id);
    }
  }

  async #openIndex(slot: SegmentSlot, file: IndexFile): Promise<void> {
    using _pass = await this.#options.gate.enter('background', this.#stop.signal).pass;
    const what = `index ${file.indexId} of segment ${slot.id}`;
    using _reservation = this.#options.budget.reserve(file.sizeBytes, what);
    await slot.segment.openIndex(file);
  }

  #noteFailure(id: SegmentId, error: unknown): void {
    if (this.#stop.signal.aborted) return;
    if (!this.#failed.has(id)) this.#options.onFailure(id, error);
    this.#failed.set(id, this.#options.clock.monotonicMs());
  }

  #openOf(channel: ChannelId): readonly SegmentSlot[] {
    return [...this.#slots.values(), ...this.#leaving.keys()].filter(
      (slot) => slot.meta.channelId === channel,
    );
  }

  #drop(slot: SegmentSlot): void {
    if (this.#slots.get(slot.id) === slot) this.#slots.delete(slot.id);
    this.#close(slot);
  }

  #close(slot: SegmentSlot): void {
    if (this.#leaving.has(slot)) return;
    const closed = slot
      .close()
      .catch((error: unknown) => this.#options.onFailure(slot.id, error))
      .finally(() => this.#leaving.delete(slot));
    this.#leaving.set(slot, closed);
  }
}

/** The time in `#failed` of a load that may be tried again; the entry stays so that its failure is told once. */
const RETRYING = Number.NEGATIVE_INFINITY;
