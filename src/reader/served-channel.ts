import { ChannelProgress } from './channel-progress.ts';
import { FreshWindow, type FreshKeeping } from './fresh-window.ts';
import { MishardsError, asMishardsError } from '../errors/index.ts';
import type { LogEntry } from '../log/log.ts';
import type { ChannelId, LogSequence } from '../schema/index.ts';
import type { DeleteBatch, FreshRows } from '../segment/segment.ts';
import type { Mutation } from '../segment/mutation.ts';

export interface ServedChannelOptions {
  readonly id: ChannelId;
  /** The catalog's when the channel is first seen: everything up to it is in segments. */
  readonly checkpoint: LogSequence;
  /** Fresh rows whose first entry will be the one after `after`. */
  readonly createFreshRows: (after: LogSequence) => FreshRows;
  readonly decode: (entry: LogEntry) => Mutation;
  /** Marks deletes in all open segments of the channel. Must not wait and must not fail. */
  readonly deleteSealed: (deletes: DeleteBatch) => void;
}

/**
 * One channel of a served collection: its fresh rows and how far its log has been applied. Entries are applied without
 * waiting, to the fresh rows and the open segments in one step, so that whoever looks between two steps sees a whole entry.
 */
export class ServedChannel {
  readonly id: ChannelId;
  readonly #options: ServedChannelOptions;
  #window: FreshWindow;
  /** An entry was applied in part: the rows are not to be read, and must be made anew before the channel goes on. */
  #broken: MishardsError | null = null;
  readonly #progress: ChannelProgress;
  /** The last that the catalog has shown. */
  #checkpoint: { readonly sequence: LogSequence; readonly seenAtMs: number } | null = null;

  constructor(options: ServedChannelOptions) {
    this.id = options.id;
    this.#options = options;
    this.#window = new FreshWindow(options.createFreshRows(options.checkpoint));
    this.#progress = new ChannelProgress(options.checkpoint);
  }

  /** For what is remembered of deletes, and for figures. */
  get fresh(): FreshRows {
    return this.#window.rows;
  }

  /** For searches. Throws what broke them. */
  get readable(): FreshRows {
    if (this.#broken !== null) throw this.#broken;
    return this.#window.rows;
  }

  get isBroken(): boolean {
    return this.#broken !== null;
  }

  get progress(): ChannelProgress {
    return this.#progress;
  }

  /** Keeps the rows of entries after `after` until disposed. `STALE_PLAN` when some are gone; or what broke them. */
  pin(after: LogSequence): Disposable {
    if (this.#broken !== null) throw this.#broken;
    return this.#window.pin(after);
  }

  /**
   * Applies entries that follow what has been applied; those that have been are skipped, so two sources may overlap.
   * `LOG_TRUNCATED` when entries between are missing. An entry that fails is never passed over; what it left of itself
   * breaks the rows.
   */
  apply(entries: readonly LogEntry[]): void {
    if (this.#broken !== null) throw this.#broken;
    const { rows } = this.#window;
    const before = rows.sequence;
    try {
      this.applyTo(rows, entries, Number.POSITIVE_INFINITY);
    } catch (error) {
      if (rows.isBroken) this.#break(rows.sequence + 1, error);
      throw this.#broken ?? error;
    } finally {
      this.#publish(before);
    }
  }

  /** Rows that the channel does not have yet, after a checkpoint. */
  newRows(after: LogSequence): FreshRows {
    return this.#options.createFreshRows(after);
  }

  /** Applies those of the entries that follow what is in the rows, up to `through`. */
  applyTo(rows: FreshRows, entries: readonly LogEntry[], through: LogSequence): void {
    for (const entry of entries) {
      if (entry.sequence <= rows.sequence) continue;
      if (entry.sequence > through) return;
      if (entry.sequence !== rows.sequence + 1) throw missing(this.id, rows.sequence, entry.sequence);
      rows.apply(this.#options.decode(entry), entry.sequence, entry.timestamp);
    }
  }

  /** Takes rows of the same entries in place of broken ones; false, and nothing is taken, when the channel has gone on by itself. */
  replaceRows(rows: FreshRows): boolean {
    if (this.#broken === null || rows.sequence !== this.#progress.applied) return false;
    this.#window = new FreshWindow(rows);
    // It may have moved since the rows were begun.
    if (this.#checkpoint !== null) {
      this.#window.checkpointMoved(this.#checkpoint.sequence, this.#checkpoint.seenAtMs);
    }
    this.#broken = null;
    return true;
  }

  /** The catalog shows this checkpoint. */
  checkpointMoved(checkpoint: LogSequence, nowMs: number): void {
    this.#checkpoint = { sequence: checkpoint, seenAtMs: nowMs };
    this.#window.checkpointMoved(checkpoint, nowMs);
  }

  sweep(nowMs: number, keeping: FreshKeeping): void {
    this.#window.sweep(nowMs, keeping);
  }

  /**
   * Goes on from `checkpoint`, because the log no longer has what lies between. The caller has made the open segments
   * know all deletes up to it.
   */
  restart(checkpoint: LogSequence): void {
    this.#window.retire();
    this.#window = new FreshWindow(this.#options.createFreshRows(checkpoint));
    this.#broken = null;
    this.#progress.advance(checkpoint);
  }

  /** Lets the rows go when the last search has ended; those who wait for more get `reason`. */
  close(reason: MishardsError): void {
    this.#window.retire();
    this.#progress.fail(reason);
  }

  /** Lets the memory go as soon as no search needs it: there may have been too little of it. */
  #break(sequence: LogSequence, error: unknown): void {
    const cause = asMishardsError(error);
    const code = cause.code === 'CORRUPT_DATA' || cause.code === 'MEMORY_LIMIT' ? cause.code : 'INTERNAL';
    const message = `entry ${sequence} of channel ${this.id} cannot be applied here and is tried again: ${cause.message}`;
    this.#broken = new MishardsError(code, message, { cause: error });
    this.#window.retire();
  }

  #publish(before: LogSequence): void {
    const { rows } = this.#window;
    if (rows.sequence === before) return;
    const deletes = rows.deletesAfter(before);
    if (deletes.keys.length > 0) this.#options.deleteSealed(deletes);
    this.#progress.advance(rows.sequence);
  }
}

function missing(id: ChannelId, applied: LogSequence, next: LogSequence): MishardsError {
  return new MishardsError(
    'LOG_TRUNCATED',
    `channel ${id} was applied up to ${applied}, the next entry at hand is ${next}`,
  );
}
