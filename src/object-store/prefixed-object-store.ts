import { checkObjectKey, checkObjectList } from './object-key.ts';
import type { ListedObject, ObjectStat, ObjectStore, PutCondition } from './object-store.ts';

/** A part of another store: every key gets a prefix. Disposing it disposes the other store. */
export class PrefixedObjectStore implements ObjectStore {
  readonly #inner: ObjectStore;
  readonly #prefix: string;

  /** `prefix` ends with a slash, e.g. `clusters/a/`. */
  constructor(inner: ObjectStore, prefix: string) {
    checkObjectKey(`${prefix}x`);
    this.#inner = inner;
    this.#prefix = prefix;
  }

  get driver(): string {
    return this.#inner.driver;
  }

  async put(key: string, bytes: Uint8Array, condition?: PutCondition): Promise<ObjectStat> {
    return await this.#inner.put(this.#outerKey(key), bytes, condition);
  }

  async putFile(key: string, path: string, condition?: PutCondition): Promise<ObjectStat> {
    return await this.#inner.putFile(this.#outerKey(key), path, condition);
  }

  async get(key: string): Promise<Uint8Array> {
    return await this.#inner.get(this.#outerKey(key));
  }

  async getRange(key: string, offset: number, length: number): Promise<Uint8Array> {
    return await this.#inner.getRange(this.#outerKey(key), offset, length);
  }

  async getToFile(key: string, path: string, signal?: AbortSignal): Promise<void> {
    await this.#inner.getToFile(this.#outerKey(key), path, signal);
  }

  async stat(key: string): Promise<ObjectStat> {
    return await this.#inner.stat(this.#outerKey(key));
  }

  async list(
    prefix: string,
    options?: { readonly startAfter?: string; readonly limit?: number },
  ): Promise<readonly ListedObject[]> {
    const { startAfter, limit } = checkObjectList(prefix, options);
    const outerAfter = startAfter === '' ? {} : { startAfter: this.#prefix + startAfter };
    const listed = await this.#inner.list(this.#prefix + prefix, { limit, ...outerAfter });
    return listed.map((object) => ({ ...object, key: object.key.slice(this.#prefix.length) }));
  }

  async delete(key: string): Promise<void> {
    await this.#inner.delete(this.#outerKey(key));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#inner[Symbol.asyncDispose]();
  }

  #outerKey(key: string): string {
    checkObjectKey(key);
    return this.#prefix + key;
  }
}
