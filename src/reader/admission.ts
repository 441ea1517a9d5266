import { MishardsError } from '../errors/index.ts';

/** Bounds what runs at the same time. It never queues: what does not fit is refused, so that the caller can go elsewhere. */
export class Admission {
  readonly #max: number;
  #running = 0;
  #closed = false;

  constructor(max: number) {
    this.#max = max;
  }

  get running(): number {
    return this.#running;
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  /** Takes a place until the result is disposed. `OVERLOADED` when there is none, `SERVICE_NOT_READY` after `close`. */
  enter(): Disposable {
    if (this.#closed)
      throw new MishardsError('SERVICE_NOT_READY', 'this reader is stopping; ask another one');
    if (this.#running >= this.#max) {
      throw new MishardsError(
        'OVERLOADED',
        `${this.#running} sub-requests run on this reader, the limit is ${this.#max}; ask another one or retry with backoff`,
      );
    }
    this.#running++;
    let left = false;
    return {
      [Symbol.dispose]: () => {
        if (!left) this.#running--;
        left = true;
      },
    };
  }

  close(): void {
    this.#closed = true;
  }
}
