import { asMishardsError, type ErrorCode } from '../errors/index.ts';
import type { Clock } from '../host/index.ts';
import type { ListedObject, ObjectStat, ObjectStore, PutCondition } from './object-store.ts';

export type ObjectStoreOperation = 'put' | 'get' | 'stat' | 'list' | 'delete';

/** One finished call. */
export interface ObjectStoreSample {
  readonly driver: string;
  readonly operation: ObjectStoreOperation;
  /** Undefined when it succeeded. */
  readonly error: ErrorCode | undefined;
  readonly durationMs: number;
  /** Object bytes moved, in the direction of the operation; 0 when it failed. */
  readonly bytes: number;
}

/** Receives every call; must not throw. */
export type ObjectStoreMeter = (sample: ObjectStoreSample) => void;

/** Reports calls, bytes, durations and errors of another store. */
export class MeteredObjectStore implements ObjectStore {
  readonly #inner: ObjectStore;
  readonly #clock: Clock;
  readonly #meter: ObjectStoreMeter;

  constructor(inner: ObjectStore, clock: Clock, meter: ObjectStoreMeter) {
    this.#inner = inner;
    this.#clock = clock;
    this.#meter = meter;
  }

  get driver(): string {
    return this.#inner.driver;
  }

  async put(key: string, bytes: Uint8Array, condition?: PutCondition): Promise<ObjectStat> {
    return await this.#measure('put', () => this.#inner.put(key, bytes, condition), sizeOfStat);
  }

  async putFile(key: string, path: string, condition?: PutCondition): Promise<ObjectStat> {
    return await this.#measure('put', () => this.#inner.putFile(key, path, condition), sizeOfStat);
  }

  async get(key: string): Promise<Uint8Array> {
    return await this.#measure('get', () => this.#inner.get(key), sizeOfBytes);
  }

  async getRange(key: string, offset: number, length: number): Promise<Uint8Array> {
    return await this.#measure('get', () => this.#inner.getRange(key, offset, length), sizeOfBytes);
  }

  async getToFile(key: string, path: string, signal?: AbortSignal): Promise<void> {
    const fetchFile = async (): Promise<ObjectStat> => {
      const stat = await this.#inner.stat(key);
      await this.#inner.getToFile(key, path, signal);
      return stat;
    };
    await this.#measure('get', fetchFile, sizeOfStat);
  }

  async stat(key: string): Promise<ObjectStat> {
    return await this.#measure('stat', () => this.#inner.stat(key), nothing);
  }

  async list(
    prefix: string,
    options?: { readonly startAfter?: string; readonly limit?: number },
  ): Promise<readonly ListedObject[]> {
    return await this.#measure('list', () => this.#inner.list(prefix, options), nothing);
  }

  async delete(key: string): Promise<void> {
    await this.#measure('delete', () => this.#inner.delete(key), nothing);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#inner[Symbol.asyncDispose]();
  }

  async #measure<T>(
    operation: ObjectStoreOperation,
    call: () => Promise<T>,
    bytesOf: (result: T) => number,
  ): Promise<T> {
    const startMs = this.#clock.monotonicMs();
    const report = (error: ErrorCode | undefined, bytes: number): void => {
      const durationMs = this.#clock.monotonicMs() - startMs;
      this.#meter({ driver: this.driver, operation, error, durationMs, bytes });
    };
    try {
      const result = await call();
      report(undefined, bytesOf(result));
      return result;
    } catch (error) {
      report(asMishardsError(error).code, 0);
      throw error;
    }
  }
}

const sizeOfStat = (stat: ObjectStat): number => stat.sizeBytes;
const sizeOfBytes = (bytes: Uint8Array): number => bytes.byteLength;
const nothing = (): number => 0;
