import { rowsSince } from './rows-since.ts';
import type { SegmentMeta } from '../catalog/model.ts';
import type { LogSequence, SegmentId, Timestamp } from '../schema/index.ts';
import type { DeleteBatch, SealedSegment } from '../segment/segment.ts';

/** An open segment that answers. It closes when it is told to and nobody uses it any more. */
export class SegmentSlot {
  readonly segment: SealedSegment;
  /** It was opened with every delete up to this sequence, which a channel that lags may not have applied yet. */
  readonly deletedThrough: LogSequence;
  /** As the catalog last showed it: indexes come and go while the segment is open. */
  meta: SegmentMeta;
  lastUsedMs: number;
  /** When the catalog stopped showing it; null = it shows it. */
  goneSinceMs: number | null = null;
  /** Placement keeps it here. */
  isWanted = false;
  /** It can miss deletes; whoever uses it must plan again. */
  isStale = false;
  /** Grows when rows are deleted. */
  #version = 0;
  #frozen: { readonly version: number; readonly alive: Uint8Array | null } | null = null;
  #living: { readonly since: Timestamp; readonly rows: Uint8Array | null } | null = null;
  #pinCount = 0;
  #closing: PromiseWithResolvers<void> | null = null;

  constructor(segment: SealedSegment, deletedThrough: LogSequence, nowMs: number) {
    this.segment = segment;
    this.deletedThrough = deletedThrough;
    this.meta = segment.meta;
    this.lastUsedMs = nowMs;
  }

  get id(): SegmentId {
    return this.segment.meta.id;
  }

  get isPinned(): boolean {
    return this.#pinCount > 0;
  }

  get isClosing(): boolean {
    return this.#closing !== null;
  }

  applyDeletes(deletes: DeleteBatch): void {
    if (this.segment.applyDeletes(deletes) > 0) this.#version++;
  }

  /** The rows that are not deleted now, as they will stay whatever arrives; null = all. Shared: do not write to it. */
  frozenAlive(): Uint8Array | null {
    if (this.#frozen?.version !== this.#version) {
      this.#frozen = { version: this.#version, alive: this.segment.alive()?.slice() ?? null };
    }
    return this.#frozen.alive;
  }

  /** The rows that are not older than `since`; null = all. Asking again for the same costs nothing. */
  livingSince(since: Timestamp): Uint8Array | null {
    if (since <= BigInt(this.meta.minTimestamp)) return null;
    if (this.#living?.since !== since) {
      this.#living = { since, rows: rowsSince(this.segment.timestamps, since) };
    }
    return this.#living.rows;
  }

  /** Keeps it open until disposed. Only before `close`. */
  pin(nowMs: number): Disposable {
    this.lastUsedMs = nowMs;
    this.#pinCount++;
    let released = false;
    return {
      [Symbol.dispose]: () => {
        if (released) return;
        released = true;
        this.#pinCount--;
        if (this.#pinCount === 0 && this.#closing !== null) this.#closing.resolve();
      },
    };
  }

  /** Resolves when nobody uses it and its files are closed. */
  async close(): Promise<void> {
    if (this.#closing !== null) return await this.#closing.promise;
    this.#closing = Promise.withResolvers();
    if (this.#pinCount === 0) this.#closing.resolve();
    await this.#closing.promise;
    await this.segment[Symbol.asyncDispose]();
  }
}
