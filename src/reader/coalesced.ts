/**
 * Runs `work` so that every request is served by a run that began after it. One run is under way at most and one waits, no
 * matter how many ask.
 */
export class Coalesced {
  readonly #work: () => Promise<void>;
  #running: Promise<void> | null = null;
  #next: Promise<void> | null = null;

  constructor(work: () => Promise<void>) {
    this.#work = work;
  }

  async request(): Promise<void> {
    if (this.#running === null && this.#next === null) return await this.#start();
    this.#next ??= this.#startAfter(this.#running!);
    await this.#next;
  }

  async #startAfter(running: Promise<void>): Promise<void> {
    await running.catch(() => undefined);
    this.#next = null;
    await this.#start();
  }

  #start(): Promise<void> {
    const run = this.#work().finally(() => {
      if (this.#running === run) this.#running = null;
    });
    this.#running = run;
    return run;
  }
}
