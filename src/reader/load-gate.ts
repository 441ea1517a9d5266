/** `demand`: a request waits for it. `background`: placement wants it. */
export type LoadUrgency = 'demand' | 'background';

/** A place in the line. */
export interface LoadTicket {
  /** Resolves when it is this load's turn; dispose the pass when it has ended. Rejects with the signal's reason. */
  readonly pass: Promise<Disposable>;
  /** A request waits for it now. */
  promote(): void;
}

type Enter = () => void;

/** Lets a bounded number of loads through at a time; what a request waits for goes before what placement wants. */
export class LoadGate {
  readonly #max: number;
  readonly #demanded = new Set<Enter>();
  readonly #background = new Set<Enter>();
  #running = 0;

  constructor(max: number) {
    this.#max = max;
  }

  enter(urgency: LoadUrgency, signal: AbortSignal): LoadTicket {
    const { promise, resolve, reject } = Promise.withResolvers<Disposable>();
    const onAbort = (): void => {
      if (this.#demanded.delete(enter) || this.#background.delete(enter)) reject(signal.reason);
    };
    const enter: Enter = () => {
      signal.removeEventListener('abort', onAbort);
      resolve(this.#newPass());
    };
    if (signal.aborted) {
      reject(signal.reason);
    } else if (this.#running < this.#max) {
      this.#running++;
      enter();
    } else {
      (urgency === 'demand' ? this.#demanded : this.#background).add(enter);
      signal.addEventListener('abort', onAbort, { once: true });
    }
    const promote = (): void => {
      if (this.#background.delete(enter)) this.#demanded.add(enter);
    };
    return { pass: promise, promote };
  }

  #newPass(): Disposable {
    let left = false;
    return {
      [Symbol.dispose]: () => {
        if (!left) this.#leave();
        left = true;
      },
    };
  }

  /** Hands the place to the next in line, or frees it. */
  #leave(): void {
    for (const line of [this.#demanded, this.#background]) {
      for (const enter of line) {
        line.delete(enter);
        enter();
        return;
      }
    }
    this.#running--;
  }
}
