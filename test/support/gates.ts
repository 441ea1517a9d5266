import type { MishardsError } from '../../src/errors/index.ts';
import type { Log, LogAppender, LogEntry } from '../../src/log/log.ts';
import type {
  ListedObject,
  ObjectStat,
  ObjectStore,
  PutCondition,
} from '../../src/object-store/object-store.ts';
import type { ChannelId, Epoch, LogSequence } from '../../src/schema/index.ts';

/** Another log whose reads fail while a test says so. */
export class GatedLog implements Log {
  readonly driver = 'gated';
  readonly #inner: Log;
  failure: MishardsError | null = null;
  readCount = 0;

  constructor(inner: Log) {
    this.#inner = inner;
  }

  async openAppender(channel: ChannelId, epoch: Epoch): Promise<LogAppender> {
    return await this.#inner.openAppender(channel, epoch);
  }

  async read(channel: ChannelId, from: LogSequence, bytesMax: number): Promise<readonly LogEntry[]> {
    this.readCount++;
    if (this.failure !== null) throw this.failure;
    return await this.#inner.read(channel, from, bytesMax);
  }

  async truncate(channel: ChannelId, before: LogSequence): Promise<void> {
    await this.#inner.truncate(channel, before);
  }

  async drop(channel: ChannelId): Promise<void> {
    await this.#inner.drop(channel);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#inner[Symbol.asyncDispose]();
  }
}

/** Another object store whose downloads fail, or wait, while a test says so. */
export class GatedObjectStore implements ObjectStore {
  readonly driver = 'gated';
  readonly #inner: ObjectStore;
  failure: MishardsError | null = null;
  /** What downloads of files wait for. */
  gate: Promise<void> | null = null;
  /** Keys of the objects downloaded or read. */
  readonly fetched: string[] = [];

  constructor(inner: ObjectStore) {
    this.#inner = inner;
  }

  async put(key: string, bytes: Uint8Array, condition?: PutCondition): Promise<ObjectStat> {
    return await this.#inner.put(key, bytes, condition);
  }

  async putFile(key: string, path: string, condition?: PutCondition): Promise<ObjectStat> {
    return await this.#inner.putFile(key, path, condition);
  }

  async get(key: string): Promise<Uint8Array> {
    await this.#pass(key);
    return await this.#inner.get(key);
  }

  async getRange(key: string, offset: number, length: number): Promise<Uint8Array> {
    await this.#pass(key);
    return await this.#inner.getRange(key, offset, length);
  }

  async getToFile(key: string, path: string, signal?: AbortSignal): Promise<void> {
    await this.#pass(key);
    await this.#inner.getToFile(key, path, signal);
  }

  async stat(key: string): Promise<ObjectStat> {
    return await this.#inner.stat(key);
  }

  async list(
    prefix: string,
    options?: { readonly startAfter?: string; readonly limit?: number },
  ): Promise<readonly ListedObject[]> {
    return await this.#inner.list(prefix, options);
  }

  async delete(key: string): Promise<void> {
    await this.#inner.delete(key);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#inner[Symbol.asyncDispose]();
  }

  async #pass(key: string): Promise<void> {
    this.fetched.push(key);
    if (this.gate !== null) await this.gate;
    if (this.failure !== null) throw this.failure;
  }
}
