import type { Host } from './host.ts';

/**
 * Cuts long work into turns, so that the event loop gets to what waits in between. Ask `isOver` every few thousand steps, and
 * when it is, await `next`.
 */
export class Turns {
  readonly #host: Pick<Host, 'clock' | 'timers'>;
  readonly #turnMs: number;
  #endsMs: number;

  constructor(host: Pick<Host, 'clock' | 'timers'>, turnMs: number) {
    this.#host = host;
    this.#turnMs = turnMs;
    this.#endsMs = host.clock.monotonicMs() + turnMs;
  }

  get isOver(): boolean {
    return this.#host.clock.monotonicMs() >= this.#endsMs;
  }

  /** Resolves when all that waited has had its turn. */
  async next(): Promise<void> {
    await this.#host.timers.sleep(0);
    this.#endsMs = this.#host.clock.monotonicMs() + this.#turnMs;
  }
}
