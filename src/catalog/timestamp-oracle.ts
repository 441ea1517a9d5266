import type { Clock } from '../host/index.ts';
import type { Timestamp } from '../schema/index.ts';

const COUNTER_BITS = 18n;

/**
 * A hybrid logical clock: wall-clock milliseconds << 18 | counter. What it gives increases strictly, whatever the wall clock
 * does, and lies above everything it has observed. One writer gives the timestamps of the cluster; on taking over it
 * observes those of the log and of the catalog before it gives the first.
 */
export class TimestampOracle {
  readonly #clock: Clock;
  #last = 0n;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The highest given or observed. */
  get last(): Timestamp {
    return this.#last as Timestamp;
  }

  next(): Timestamp {
    return this.take(1);
  }

  /** The first of `count` consecutive ones. A counter that runs over goes on in the next millisecond. */
  take(count: number): Timestamp {
    const now = BigInt(this.#clock.nowMs()) << COUNTER_BITS;
    const first = now > this.#last ? now : this.#last + 1n;
    this.#last = first + BigInt(count) - 1n;
    return first as Timestamp;
  }

  observe(timestamp: bigint): void {
    if (timestamp > this.#last) this.#last = timestamp;
  }
}

/** Wall-clock milliseconds of a timestamp. */
export function millisecondsOf(timestamp: Timestamp): number {
  return Number(timestamp >> COUNTER_BITS);
}
