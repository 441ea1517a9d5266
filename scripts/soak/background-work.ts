import { setTimeout as sleep } from 'node:timers/promises';

/** Does something over and over, with rests, until disposed; errors stay for `failures`. */
export class BackgroundWork implements AsyncDisposable {
  readonly failures: string[] = [];
  readonly #over = new AbortController();
  readonly #done: Promise<void>;
  #count = 0;

  constructor(restMs: number, work: () => Promise<unknown>) {
    this.#done = this.#run(restMs, work);
  }

  /** Times it was done without an error. */
  get count(): number {
    return this.#count;
  }

  async #run(restMs: number, work: () => Promise<unknown>): Promise<void> {
    while (!this.#over.signal.aborted) {
      try {
        await work();
        this.#count++;
      } catch (error) {
        this.failures.push(error instanceof Error ? error.message : JSON.stringify(error));
      }
      await sleep(restMs, undefined, { signal: this.#over.signal }).catch(() => undefined);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.abort();
    await this.#done;
  }
}
