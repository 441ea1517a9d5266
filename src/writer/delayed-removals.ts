import type { Clock } from '../host/index.ts';
import type { Logger } from '../telemetry/logger.ts';

export interface DelayedRemovalsOptions {
  readonly clock: Clock;
  readonly logger: Logger;
}

interface Leaving {
  readonly dueMs: number;
  readonly graceMs: number;
  readonly what: string;
  readonly remove: () => Promise<void>;
}

/** Removes log entries and objects that nobody needs once a grace is over. Kept in memory: what is lost here, garbage collection finds. */
export class DelayedRemovals {
  readonly #options: DelayedRemovalsOptions;
  #leaving: Leaving[] = [];
  #running: Promise<void> | null = null;

  constructor(options: DelayedRemovalsOptions) {
    this.#options = options;
  }

  /** `what` is for the log of a failure, after which it is tried again a grace later. */
  add(what: string, graceMs: number, remove: () => Promise<void>): void {
    this.#leaving.push({ dueMs: this.#options.clock.monotonicMs() + graceMs, graceMs, what, remove });
  }

  /** Starts to remove what is due unless that is under way. */
  look(): void {
    const nowMs = this.#options.clock.monotonicMs();
    if (this.#running !== null || !this.#leaving.some(({ dueMs }) => dueMs <= nowMs)) return;
    const due = this.#leaving.filter(({ dueMs }) => dueMs <= nowMs);
    this.#leaving = this.#leaving.filter(({ dueMs }) => dueMs > nowMs);
    this.#running = this.#remove(due).finally(() => (this.#running = null));
  }

  async idle(): Promise<void> {
    await this.#running;
  }

  async #remove(due: readonly Leaving[]): Promise<void> {
    for (const { what, graceMs, remove } of due) {
      try {
        await remove();
      } catch (error) {
        this.#options.logger.warn({ what, error }, 'what is superseded cannot be removed yet');
        this.add(what, graceMs, remove);
      }
    }
  }
}
