import type { MishardsError } from '../errors/index.ts';
import type { LogSequence } from '../schema/index.ts';

interface Waiter {
  readonly sequence: LogSequence;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

/** How far a channel has been applied, how sure that is, and who waits for more. */
export class ChannelProgress {
  #applied: LogSequence;
  #completeAtMs = Number.NEGATIVE_INFINITY;
  #completeCount = 0;
  #failure: MishardsError | null = null;
  readonly #waiters = new Set<Waiter>();

  constructor(applied: LogSequence) {
    this.#applied = applied;
  }

  get applied(): LogSequence {
    return this.#applied;
  }

  /** The latest monotonic time whose every acknowledged entry is known to be applied. */
  get completeAtMs(): number {
    return this.#completeAtMs;
  }

  /** How often it was found to be complete. */
  get completeCount(): number {
    return this.#completeCount;
  }

  /** Why the channel cannot go on, until it does. */
  get failure(): MishardsError | null {
    return this.#failure;
  }

  advance(sequence: LogSequence): void {
    if (sequence <= this.#applied) return;
    this.#applied = sequence;
    this.#failure = null;
    for (const waiter of this.#waiters) {
      if (waiter.sequence <= sequence) waiter.resolve();
    }
  }

  markComplete(atMs: number): void {
    this.#completeAtMs = Math.max(this.#completeAtMs, atMs);
    this.#completeCount++;
    this.#failure = null;
  }

  /** Tells all who wait that it will not go on by itself. */
  fail(failure: MishardsError): void {
    this.#failure = failure;
    for (const waiter of this.#waiters) waiter.reject(failure);
  }

  /** Resolves when `sequence` has been applied; rejects with the channel's failure or the signal's reason. */
  async reach(sequence: LogSequence, signal: AbortSignal): Promise<void> {
    if (sequence <= this.#applied) return;
    signal.throwIfAborted();
    if (this.#failure !== null) throw this.#failure;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiter: Waiter = { sequence, resolve, reject };
    const onAbort = (): void => reject(signal.reason);
    this.#waiters.add(waiter);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      await promise;
    } finally {
      this.#waiters.delete(waiter);
      signal.removeEventListener('abort', onAbort);
    }
  }
}
