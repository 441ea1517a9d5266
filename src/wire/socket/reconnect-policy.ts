import type { Host } from '../../host/index.ts';
import type { WireLimits } from '../wire-limits.ts';

/**
 * When to try again: at once after a lost connection, later after each failed attempt. Between attempts calls fail fast, so
 * that their callers can go to another node. The jitter, half of the wait, keeps many callers from coming back together.
 */
export class ReconnectPolicy {
  readonly #host: Pick<Host, 'clock' | 'random'>;
  readonly #limits: WireLimits;
  #failures = 0;
  #notBeforeMs = 0;

  constructor(host: Pick<Host, 'clock' | 'random'>, limits: WireLimits) {
    this.#host = host;
    this.#limits = limits;
  }

  succeeded(): void {
    this.#failures = 0;
    this.#notBeforeMs = 0;
  }

  failed(): void {
    const { reconnectMinMs, reconnectMaxMs } = this.#limits;
    const waitMs = Math.min(reconnectMaxMs, reconnectMinMs * 2 ** this.#failures);
    this.#failures = Math.min(this.#failures + 1, 32);
    this.#notBeforeMs = this.#host.clock.monotonicMs() + waitMs * (0.5 + this.#host.random.next() / 2);
  }

  /** Milliseconds until the next attempt is allowed; 0 or less when it is now. */
  waitMs(): number {
    return this.#failures === 0 ? 0 : this.#notBeforeMs - this.#host.clock.monotonicMs();
  }
}
