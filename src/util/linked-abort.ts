/**
 * A signal that aborts with an outer one, or when it is told to. Disposing unlinks it. `AbortSignal.any` does the same with weak
 * references, which outlive young garbage collections: too dear for what every request needs.
 */
export class LinkedAbort implements Disposable {
  readonly #outer: AbortSignal;
  readonly #controller = new AbortController();
  readonly #follow = (): void => this.abort(this.#outer.reason);

  constructor(outer: AbortSignal) {
    this.#outer = outer;
    if (outer.aborted) this.#follow();
    else outer.addEventListener('abort', this.#follow, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  abort(reason?: unknown): void {
    this.#controller.abort(reason);
  }

  [Symbol.dispose](): void {
    this.#outer.removeEventListener('abort', this.#follow);
  }
}
