import type {
  ListedObject,
  ObjectStat,
  ObjectStore,
  PutCondition,
} from '../../src/object-store/object-store.ts';

/** Around each put: `before` may hold or refuse it, `after` may refuse it when it has happened. */
export interface PutIntercept {
  readonly before?: (key: string) => void | Promise<void>;
  readonly after?: (key: string) => void | Promise<void>;
}

/** An object store whose puts a test can hold and make fail. */
export class InterceptedObjectStore implements ObjectStore {
  readonly #inner: ObjectStore;
  readonly #intercept: PutIntercept;

  constructor(inner: ObjectStore, intercept: PutIntercept) {
    this.#inner = inner;
    this.#intercept = intercept;
  }

  get driver(): string {
    return this.#inner.driver;
  }

  put(key: string, bytes: Uint8Array, condition?: PutCondition): Promise<ObjectStat> {
    return this.#put(key, () => this.#inner.put(key, bytes, condition));
  }

  putFile(key: string, path: string, condition?: PutCondition): Promise<ObjectStat> {
    return this.#put(key, () => this.#inner.putFile(key, path, condition));
  }

  get(key: string): Promise<Uint8Array> {
    return this.#inner.get(key);
  }

  getRange(key: string, offset: number, length: number): Promise<Uint8Array> {
    return this.#inner.getRange(key, offset, length);
  }

  getToFile(key: string, path: string, signal?: AbortSignal): Promise<void> {
    return this.#inner.getToFile(key, path, signal);
  }

  stat(key: string): Promise<ObjectStat> {
    return this.#inner.stat(key);
  }

  list(
    prefix: string,
    options?: { readonly startAfter?: string; readonly limit?: number },
  ): Promise<readonly ListedObject[]> {
    return this.#inner.list(prefix, options);
  }

  delete(key: string): Promise<void> {
    return this.#inner.delete(key);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#inner[Symbol.asyncDispose]();
  }

  async #put(key: string, put: () => Promise<ObjectStat>): Promise<ObjectStat> {
    await this.#intercept.before?.(key);
    const stat = await put();
    await this.#intercept.after?.(key);
    return stat;
  }
}
