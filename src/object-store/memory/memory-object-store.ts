import { storageError, type Host } from '../../host/index.ts';
import { checkCondition, keyContinuesAnother, objectNotFound, storeClosed } from '../object-errors.ts';
import { checkObjectKey, checkObjectList, checkObjectRange } from '../object-key.ts';
import type { ListedObject, ObjectStat, ObjectStore, PutCondition } from '../object-store.ts';

interface StoredObject extends ObjectStat {
  readonly bytes: Uint8Array;
}

/** What a bucket is to S3: the objects, shared by every store opened on it. */
export class MemoryObjectVolume {
  readonly #objects = new Map<string, StoredObject>();
  /** How many keys continue this one. */
  readonly #descendantCounts = new Map<string, number>();
  #version = 0;

  get(key: string): StoredObject | undefined {
    return this.#objects.get(key);
  }

  keys(): Iterable<string> {
    return this.#objects.keys();
  }

  set(key: string, bytes: Uint8Array, nowMs: number): StoredObject {
    if (!this.#objects.has(key)) this.#countIn(key, 1);
    const etag = `v${++this.#version}`;
    const stored = { bytes: Uint8Array.from(bytes), sizeBytes: bytes.byteLength, etag, modifiedMs: nowMs };
    this.#objects.set(key, stored);
    return stored;
  }

  delete(key: string): void {
    if (this.#objects.delete(key)) this.#countIn(key, -1);
  }

  /** Throws `PARAMETER_INVALID` when the key continues a stored one or the other way round. */
  checkFamily(key: string): void {
    const parent = ancestors(key).find((ancestor) => this.#objects.has(ancestor));
    if (parent !== undefined) throw keyContinuesAnother(key, parent);
    if (this.#descendantCounts.has(key)) throw keyContinuesAnother(key, `${key}/…`);
  }

  #countIn(key: string, change: number): void {
    for (const ancestor of ancestors(key)) {
      const count = (this.#descendantCounts.get(ancestor) ?? 0) + change;
      if (count === 0) this.#descendantCounts.delete(ancestor);
      else this.#descendantCounts.set(ancestor, count);
    }
  }
}

export interface MemoryObjectStoreOptions {
  /** Its files are used by `putFile` and `getToFile` only. */
  readonly host: Pick<Host, 'clock' | 'files'>;
  /** Stores with the same volume see the same objects; by default a new one. */
  readonly volume?: MemoryObjectVolume;
}

/** Objects in this process's memory: for tests, simulation and throw-away servers. */
export class MemoryObjectStore implements ObjectStore {
  readonly driver = 'memory';
  readonly #host: Pick<Host, 'clock' | 'files'>;
  readonly #volume: MemoryObjectVolume;
  #isClosed = false;

  constructor(options: MemoryObjectStoreOptions) {
    this.#host = options.host;
    this.#volume = options.volume ?? new MemoryObjectVolume();
  }

  async put(key: string, bytes: Uint8Array, condition?: PutCondition): Promise<ObjectStat> {
    this.#check(key);
    this.#volume.checkFamily(key);
    checkCondition(key, this.#volume.get(key), condition);
    return statOf(this.#volume.set(key, bytes, this.#host.clock.nowMs()));
  }

  async putFile(key: string, path: string, condition?: PutCondition): Promise<ObjectStat> {
    this.#check(key);
    const bytes = await this.#host.files.read(path).catch((error: unknown) => {
      throw storageError(error, `reading the file ${path} for the object "${key}"`);
    });
    return await this.put(key, bytes, condition);
  }

  async get(key: string): Promise<Uint8Array> {
    return this.#object(key).bytes.slice();
  }

  async getRange(key: string, offset: number, length: number): Promise<Uint8Array> {
    checkObjectRange(key, offset, length);
    return this.#object(key).bytes.slice(offset, offset + length);
  }

  async getToFile(key: string, path: string, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    const { bytes } = this.#object(key);
    await this.#host.files.writeAtomic(path, bytes).catch((error: unknown) => {
      throw storageError(error, `writing the object "${key}" to ${path}`);
    });
  }

  async stat(key: string): Promise<ObjectStat> {
    return statOf(this.#object(key));
  }

  async list(
    prefix: string,
    options?: { readonly startAfter?: string; readonly limit?: number },
  ): Promise<readonly ListedObject[]> {
    this.#checkOpen();
    const { startAfter, limit } = checkObjectList(prefix, options);
    const keys = [...this.#volume.keys()].filter((key) => key.startsWith(prefix) && key > startAfter);
    return keys
      .sort()
      .slice(0, limit)
      .map((key) => ({ key, ...statOf(this.#volume.get(key)!) }));
  }

  async delete(key: string): Promise<void> {
    this.#check(key);
    this.#volume.delete(key);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
  }

  #object(key: string): StoredObject {
    this.#check(key);
    const object = this.#volume.get(key);
    if (object === undefined) throw objectNotFound(key);
    return object;
  }

  #check(key: string): void {
    this.#checkOpen();
    checkObjectKey(key);
  }

  #checkOpen(): void {
    if (this.#isClosed) throw storeClosed(this.driver);
  }
}

/** `a`, `a/b` of `a/b/c`. */
function ancestors(key: string): string[] {
  const parts = key.split('/');
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join('/'));
}

function statOf(stored: StoredObject): ObjectStat {
  return { sizeBytes: stored.sizeBytes, etag: stored.etag, modifiedMs: stored.modifiedMs };
}

export function createMemoryObjectStore(options: MemoryObjectStoreOptions): MemoryObjectStore {
  return new MemoryObjectStore(options);
}
