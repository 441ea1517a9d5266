import { ChannelProgress } from './channel-progress.ts';
import { FreshWindow, type FreshKeeping } from './fresh-window.ts';
import { MishardsError } from '../errors/index.ts';
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
  readonly #progress: ChannelProgress;

  constructor(options: ServedChannelOptions) {
    this.id = options.id;
    this.#options = options;
    this.#window = new FreshWindow(options.createFreshRows(options.checkpoint));
    this.#progress = new ChannelProgress(options.checkpoint);
  }

  get fresh(): FreshRows {
    return this.#window.rows;
  }

  get progress(): ChannelProgress {
    return this.#progress;
  }

  /** Keeps the rows of entries after `after` until disposed. `STALE_PLAN` when some are gone. */
  pin(after: LogSequence): Disposable {
    return this.#window.pin(after);
  }

  /**
   * Applies entries that follow what has been applied; those that have been are skipped, so two sources may overlap.
   * `LOG_TRUNCATED` when entries between are missing.
   */
  apply(entries: readonly LogEntry[]): void {
    const { rows } = this.#window;
    const before = rows.sequence;
    try {
      for (const entry of entries) {
        if (entry.sequence <= rows.sequence) continue;
        if (entry.sequence !== rows.sequence + 1) throw missing(this.id, rows.sequence, entry.sequence);
        rows.apply(this.#options.decode(entry), entry.sequence, entry.timestamp);
      }
    } finally {
      this.#publish(before);
    }
  }

  /** The catalog shows this checkpoint. */
  checkpointMoved(checkpoint: LogSequence, nowMs: number): void {
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
    this.#progress.advance(checkpoint);
  }

  /** Lets the rows go when the last search has ended; those who wait for more get `reason`. */
  close(reason: MishardsError): void {
    this.#window.retire();
    this.#progress.fail(reason);
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
