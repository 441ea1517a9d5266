/**
 * Lets the event loop get to what else waits after so many results in one go. Results that come while others are handed on,
 * of searches those have begun, would otherwise be handed on in the same go, up to a thousand of them.
 */
export class LoopShare {
  readonly #max: number;
  #taken = 0;

  constructor(max: number) {
    this.#max = max;
  }

  /** Resolves at once, or when the event loop has come around. */
  async take(): Promise<void> {
    if (this.#taken === 0) setImmediate(() => (this.#taken = 0));
    if (++this.#taken > this.#max) await new Promise((resolve) => setImmediate(resolve));
  }
}
