import type { Clock } from '../host/index.ts';

/** Says when each thing that failed may be tried again. The rest doubles with each failure in a row. */
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

  isResting(key: Key): boolean {
    return (this.#failures.get(key)?.untilMs ?? 0) > this.#clock.monotonicMs();
  }

  failed(key: Key): void {
    const before = this.#failures.get(key);
    const delayMs = before === undefined ? this.#firstMs : Math.min(before.delayMs * 2, this.#maxMs);
    this.#failures.set(key, { delayMs, untilMs: this.#clock.monotonicMs() + delayMs });
  }

  succeeded(key: Key): void {
    this.#failures.delete(key);
  }
}
