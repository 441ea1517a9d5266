import { MishardsError } from '../errors/index.ts';
import type { LogSequence } from '../schema/index.ts';
import type { FreshRows } from '../segment/segment.ts';

interface CheckpointMove {
  readonly checkpoint: LogSequence;
  readonly seenAtMs: number;
}

export interface FreshKeeping {
  readonly graceMs: number;
  /** Above it rows that are in segments go before their grace ends. */
  readonly bytesMax: number;
}

/**
 * The fresh rows of a channel and how long they stay. Rows that a checkpoint put into segments are kept for a grace, and as
 * long as a running search that was planned before that checkpoint needs them. Never drops above a checkpoint that the
 * catalog has shown.
 */
export class FreshWindow {
  readonly rows: FreshRows;
  /** The `after` of each running search. */
  readonly #pins = new Set<{ readonly after: LogSequence }>();
  #moves: CheckpointMove[] = [];
  #target: LogSequence;
  #retired = false;

  constructor(rows: FreshRows) {
    this.rows = rows;
    this.#target = rows.droppedThrough;
  }

  /** Keeps the rows of entries after `after` until disposed. `STALE_PLAN` when some of them are gone. */
  pin(after: LogSequence): Disposable {
    if (this.#retired || after < this.#target) {
      throw new MishardsError(
        'STALE_PLAN',
        `channel ${this.rows.channel} keeps fresh rows after ${this.#target}, the plan asks from ${after}; plan again`,
      );
    }
    const pin = { after };
    this.#pins.add(pin);
    return {
      [Symbol.dispose]: () => {
        if (this.#pins.delete(pin)) this.#settle();
      },
    };
  }

  /** The catalog shows that all rows up to `checkpoint` are in segments. */
  checkpointMoved(checkpoint: LogSequence, seenAtMs: number): void {
    const newest = this.#moves.at(-1)?.checkpoint ?? this.#target;
    if (checkpoint > newest) this.#moves.push({ checkpoint, seenAtMs });
  }

  /** Drops what has had its grace, or more when there are too many bytes. */
  sweep(nowMs: number, keeping: FreshKeeping): void {
    const isCrowded = this.rows.memoryBytes > keeping.bytesMax;
    while (this.#moves.length > 0) {
      const move = this.#moves[0]!;
      if (!isCrowded && nowMs - move.seenAtMs < keeping.graceMs) break;
      this.#target = move.checkpoint;
      this.#moves.shift();
    }
    this.#settle();
  }

  /** Lets the rows go when the last running search has ended; no more searches are taken. */
  retire(): void {
    if (this.#retired) return;
    this.#retired = true;
    this.#settle();
  }

  /** Does what the pins allow. */
  #settle(): void {
    if (this.#retired) {
      if (this.#pins.size === 0) this.rows[Symbol.dispose]();
      return;
    }
    // A channel that lags behind the catalog must still see the deletes of what it has not applied.
    let through = Math.min(this.#target, this.rows.sequence);
    for (const pin of this.#pins) through = Math.min(through, pin.after);
    if (through > this.rows.droppedThrough) this.rows.dropThrough(through);
  }
}
