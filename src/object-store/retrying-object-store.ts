import { MishardsError, isErrorWithCode } from '../errors/index.ts';
import type { Host } from '../host/index.ts';
import type { ListedObject, ObjectStat, ObjectStore, PutCondition } from './object-store.ts';

export interface RetryPolicy {
  /** Calls in all, the first one included. Default 4: with the default waits a fault of about a second is bridged. */
  readonly attemptsMax?: number;
  /** The longest wait before the second attempt; it doubles with each further one. Default 100. */
  readonly waitMs?: number;
  /** Default 2 000. */
  readonly waitMaxMs?: number;
}

/**
 * Repeats what failed with `STORAGE_UNAVAILABLE`, a bounded number of times, waiting a random time below an exponentially
 * growing one (full jitter, so that many processes do not come back at the same moment). Everything else passes through.
 *
 * A conditional put that failed may have happened. If its repetition meets a conflict, this store cannot tell its own success
 * from somebody else's and rejects with `STORAGE_UNAVAILABLE`; the caller reads the object to find out.
 */
export class RetryingObjectStore implements ObjectStore {
  readonly #inner: ObjectStore;
  readonly #host: Pick<Host, 'timers' | 'random'>;
  readonly #attemptsMax: number;
  readonly #waitMs: number;
  readonly #waitMaxMs: number;

  constructor(inner: ObjectStore, host: Pick<Host, 'timers' | 'random'>, policy: RetryPolicy = {}) {
    this.#inner = inner;
    this.#host = host;
    this.#attemptsMax = policy.attemptsMax ?? 4;
    this.#waitMs = policy.waitMs ?? 100;
    this.#waitMaxMs = policy.waitMaxMs ?? 2_000;
  }

  get driver(): string {
    return this.#inner.driver;
  }

  async put(key: string, bytes: Uint8Array, condition?: PutCondition): Promise<ObjectStat> {
    return await this.#retryPut(key, condition, () => this.#inner.put(key, bytes, condition));
  }

  async putFile(key: string, path: string, condition?: PutCondition): Promise<ObjectStat> {
    return await this.#retryPut(key, condition, () => this.#inner.putFile(key, path, condition));
  }

  async get(key: string): Promise<Uint8Array> {
    return await this.#retry(() => this.#inner.get(key));
  }

  async getRange(key: string, offset: number, length: number): Promise<Uint8Array> {
    return await this.#retry(() => this.#inner.getRange(key, offset, length));
  }

  async getToFile(key: string, path: string, signal?: AbortSignal): Promise<void> {
    await this.#retry(() => this.#inner.getToFile(key, path, signal), signal);
  }

  async stat(key: string): Promise<ObjectStat> {
    return await this.#retry(() => this.#inner.stat(key));
  }

  async list(
    prefix: string,
    options?: { readonly startAfter?: string; readonly limit?: number },
  ): Promise<readonly ListedObject[]> {
    return await this.#retry(() => this.#inner.list(prefix, options));
  }

  async delete(key: string): Promise<void> {
    await this.#retry(() => this.#inner.delete(key));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#inner[Symbol.asyncDispose]();
  }

  async #retryPut(
    key: string,
    condition: PutCondition | undefined,
    call: () => Promise<ObjectStat>,
  ): Promise<ObjectStat> {
    let attempts = 0;
    return await this.#retry(async () => {
      attempts++;
      try {
        return await call();
      } catch (error) {
        if (condition === undefined || attempts === 1 || !isErrorWithCode(error, 'OBJECT_CONFLICT'))
          throw error;
        const message = `whether the conditional put of "${key}" happened is unclear: an attempt failed, the next found another version; read the object to find out`;
        throw new UnclearPut(message, error);
      }
    });
  }

  async #retry<T>(call: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await call();
      } catch (error) {
        const isFinal = attempt >= this.#attemptsMax || error instanceof UnclearPut;
        if (isFinal || !isErrorWithCode(error, 'STORAGE_UNAVAILABLE')) throw error;
      }
      const ceilingMs = Math.min(this.#waitMaxMs, this.#waitMs * 2 ** (attempt - 1));
      await this.#host.timers.sleep(this.#host.random.next() * ceilingMs, signal);
    }
  }
}

class UnclearPut extends MishardsError {
  constructor(message: string, cause: unknown) {
    super('STORAGE_UNAVAILABLE', message, { cause });
  }
}
