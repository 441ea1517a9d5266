import type { LogSequence } from '../../schema/index.ts';

/** Where an entry begins in its file. */
export interface EntryPosition {
  readonly sequence: LogSequence;
  readonly offset: number;
}

const SPACING_BYTES = 64 * 1024;
const CURSORS_MAX = 32;

/**
 * Remembers where entries of one file begin: one every 64 KiB, and where recent reads ended, so that a reader that follows
 * the log reads only what is new.
 */
export class PartIndex {
  readonly #checkpoints: EntryPosition[];
  readonly #cursors = new Map<LogSequence, number>();

  constructor(start: EntryPosition) {
    this.#checkpoints = [start];
  }

  /** The nearest known position at or before `sequence`. */
  before(sequence: LogSequence): EntryPosition {
    const offset = this.#cursors.get(sequence);
    if (offset !== undefined) return { sequence, offset };
    let [low, high] = [0, this.#checkpoints.length];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (this.#checkpoints[middle]!.sequence <= sequence) low = middle;
      else high = middle;
    }
    return this.#checkpoints[low]!;
  }

  /** Notes where a read went on or ended. */
  note(position: EntryPosition): void {
    const last = this.#checkpoints.at(-1)!;
    if (position.offset >= last.offset + SPACING_BYTES) this.#checkpoints.push(position);
    this.#cursors.delete(position.sequence);
    this.#cursors.set(position.sequence, position.offset);
    if (this.#cursors.size > CURSORS_MAX) this.#cursors.delete(this.#cursors.keys().next().value!);
  }
}
