import type { Clock } from '../host/index.ts';

/** Of the longest rests: whatever can be tried is tried in that time. */
const FORGOTTEN_AFTER = 100;

/**
 * Says when each thing that failed may be tried again. The rest doubles with each failure in a row. What was not tried again for
 * long after its rest, because it is gone, is forgotten.
 */
export class Backoff<Key> {
  readonly #clock: Clock;
  readonly #firstMs: number;
  readonly #maxMs: number;
  readonly #failures = new Map<Key, { readonly delayMs: number; readonly untilMs: number }>();

  constructor(clock: Clock, limits: { readonly retryMs: number; readonly retryMaxMs: number }) {
    this.#clock = clock;
    this.#firstMs = limits.retryMs;
    this.#maxMs = limits.retryMaxMs;
  }

  /** Things that failed and are not forgotten. */
  get size(): number {
    return this.#failures.size;
  }

  isResting(key: Key): boolean {
    return (this.#failures.get(key)?.untilMs ?? 0) > this.#clock.monotonicMs();
  }

  failed(key: Key): void {
    this.#forget();
    const before = this.#failures.get(key);
    const delayMs = before === undefined ? this.#firstMs : Math.min(before.delayMs * 2, this.#maxMs);
    this.#failures.set(key, { delayMs, untilMs: this.#clock.monotonicMs() + delayMs });
  }

  succeeded(key: Key): void {
    this.#failures.delete(key);
  }

  #forget(): void {
    const longAgoMs = this.#clock.monotonicMs() - FORGOTTEN_AFTER * this.#maxMs;
    for (const [key, { untilMs }] of this.#failures) if (untilMs < longAgoMs) this.#failures.delete(key);
  }
}
