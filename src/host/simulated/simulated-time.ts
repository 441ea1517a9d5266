import { setImmediate as macrotask } from 'node:timers/promises';
import type { Clock } from '../clock.ts';
import type { Timers } from '../timers.ts';

interface Scheduled {
  dueMs: number;
  readonly order: number;
  readonly intervalMs: number | undefined;
  readonly callback: () => void;
}

/** A clock that stands still until `SimulatedTimers.advance` moves it. Wall-clock and monotonic time move together. */
export class SimulatedClock implements Clock {
  readonly #startMs: number;
  #elapsedMs = 0;

  constructor(startMs = 1_700_000_000_000) {
    this.#startMs = startMs;
  }

  nowMs(): number {
    return Math.floor(this.#startMs + this.#elapsedMs);
  }

  monotonicMs(): number {
    return this.#elapsedMs;
  }

  /** Moves time without firing timers, as a process sees it that was paused. */
  skip(durationMs: number): void {
    this.#elapsedMs += durationMs;
  }
}

/**
 * Timers on a `SimulatedClock`. Callbacks run only inside `advance`, by due time, then in the order they were set; between
 * two of them all promises that can settle do so. Nothing depends on the machine's speed, so a run repeats exactly.
 */
export class SimulatedTimers implements Timers {
  readonly #clock: SimulatedClock;
  readonly #scheduled = new Set<Scheduled>();
  #order = 0;

  constructor(clock: SimulatedClock) {
    this.#clock = clock;
  }

  after(delayMs: number, callback: () => void): Disposable {
    return this.#schedule(delayMs, undefined, callback);
  }

  every(intervalMs: number, callback: () => void): Disposable {
    return this.#schedule(intervalMs, Math.max(intervalMs, 1), callback);
  }

  async sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    using _timer = this.after(delayMs, resolve);
    const onAbort = (): void => reject(signal?.reason);
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      await promise;
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }

  /** Timers that are set and have not fired. */
  get pendingCount(): number {
    return this.#scheduled.size;
  }

  /** Moves the clock on by `durationMs`, firing what falls due on the way, also what those callbacks set. */
  async advance(durationMs: number): Promise<void> {
    const endMs = this.#clock.monotonicMs() + durationMs;
    await macrotask();
    for (let next = this.#next(endMs); next !== undefined; next = this.#next(endMs)) {
      this.#clock.skip(Math.max(0, next.dueMs - this.#clock.monotonicMs()));
      if (next.intervalMs === undefined) this.#scheduled.delete(next);
      else next.dueMs += next.intervalMs;
      next.callback();
      await macrotask();
    }
    this.#clock.skip(Math.max(0, endMs - this.#clock.monotonicMs()));
  }

  /** Advances in steps until `promise` settles. Throws when it has not after `limitMs`. */
  async advanceUntil<T>(promise: Promise<T>, stepMs = 1, limitMs = 600_000): Promise<T> {
    let settled = false;
    const mark = (): void => void (settled = true);
    promise.then(mark, mark);
    await macrotask();
    for (let passedMs = 0; !settled; passedMs += stepMs) {
      if (passedMs > limitMs) throw new Error(`a promise did not settle within ${limitMs} simulated ms`);
      await this.advance(stepMs);
    }
    return await promise;
  }

  #schedule(delayMs: number, intervalMs: number | undefined, callback: () => void): Disposable {
    const dueMs = this.#clock.monotonicMs() + Math.max(0, delayMs);
    const scheduled: Scheduled = { dueMs, order: this.#order++, intervalMs, callback };
    this.#scheduled.add(scheduled);
    return { [Symbol.dispose]: () => void this.#scheduled.delete(scheduled) };
  }

  #next(endMs: number): Scheduled | undefined {
    let next: Scheduled | undefined;
    for (const candidate of this.#scheduled) {
      if (candidate.dueMs > endMs) continue;
      if (next === undefined || isEarlier(candidate, next)) next = candidate;
    }
    return next;
  }
}

function isEarlier(a: Scheduled, b: Scheduled): boolean {
  return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.order < b.order);
}
