import { MishardsError } from '../errors/index.ts';

/** Something whose bytes count. */
export interface MemoryUser {
  readonly memoryBytes: number;
  /** Lets go of the least useful thing nobody needs now. False when there is none. */
  evict(): boolean;
}

/** The bound of what a reader holds: the bytes of its users and of what is about to be opened. */
export class MemoryBudget {
  readonly #bytesMax: number;
  readonly #users: () => Iterable<MemoryUser>;
  #reservedBytes = 0;

  constructor(bytesMax: number, users: () => Iterable<MemoryUser>) {
    this.#bytesMax = bytesMax;
    this.#users = users;
  }

  get usedBytes(): number {
    let bytes = this.#reservedBytes;
    for (const user of this.#users()) bytes += user.memoryBytes;
    return bytes;
  }

  /** Makes room for `bytes`, evicting what nobody needs; `what` names it in the error. `MEMORY_LIMIT` when it does not fit. */
  reserve(bytes: number, what: string): Disposable {
    while (this.usedBytes + bytes > this.#bytesMax) {
      if (this.#evictOne()) continue;
      throw new MishardsError(
        'MEMORY_LIMIT',
        `${what} needs ${bytes} bytes, ${this.usedBytes} of the limit of ${this.#bytesMax} are in use; ` +
          'add a reader, give this one more memory or release a collection',
      );
    }
    this.#reservedBytes += bytes;
    let released = false;
    return {
      [Symbol.dispose]: () => {
        if (!released) this.#reservedBytes -= bytes;
        released = true;
      },
    };
  }

  #evictOne(): boolean {
    for (const user of this.#users()) if (user.evict()) return true;
    return false;
  }
}
