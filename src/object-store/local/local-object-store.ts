import { dirname } from 'node:path';
import { MishardsError } from '../../errors/index.ts';
import { fileErrorCode, storageError, type Host } from '../../host/index.ts';
import { checkCondition, keyContinuesAnother, objectNotFound, storeClosed } from '../object-errors.ts';
import { checkObjectKey, checkObjectList, checkObjectRange } from '../object-key.ts';
import type { ListedObject, ObjectStat, ObjectStore, PutCondition } from '../object-store.ts';
import { KeyLocks } from './key-locks.ts';
import { Staging, ignoreMissing, toMicroseconds, undefinedIfMissing, type StagedFile } from './staging.ts';
import { walkKeys } from './walk-keys.ts';

const ATTEMPTS_MAX = 16;
const STAT_BATCH = 64;

export interface LocalObjectStoreOptions {
  readonly host: Host;
  /** Absolute; created when missing. The object `a/b` is the file `a/b` in it. */
  readonly directory: string;
  /** How long a process that died may block the overwriting of a key it was overwriting. Default 10 000. */
  readonly lockTimeoutMs?: number;
}

/**
 * Objects as files of a directory, on a local disk or on NFS, for any number of processes.
 *
 * A file is written and synced in `.staging/`, then appears under its key by a hard link, which fails when the key is taken, so
 * creating needs no lock. Replacing and deleting hold the key's lock (`KeyLocks`), and so does `if-match` between its
 * comparison and its rename. The etag is the size and the modification time in microseconds: the driver sets that time
 * itself, never twice the same in a process, and always later than that of the object it replaces. The file system must
 * keep it (ext4, XFS, Btrfs, ZFS, APFS and NFS do). NFS must be mounted with `lookupcache=none` or `actimeo=0`, so that
 * every host sees new files at once.
 */
export class LocalObjectStore implements ObjectStore {
  readonly driver = 'local';
  readonly #host: Host;
  readonly #directory: string;
  readonly #staging: Staging;
  readonly #locks: KeyLocks;
  #isClosed = false;

  constructor(options: LocalObjectStoreOptions) {
    this.#host = options.host;
    this.#directory = options.directory;
    this.#staging = new Staging(options.host, `${options.directory}/.staging`);
    this.#locks = new KeyLocks(
      options.host,
      `${options.directory}/.locks`,
      this.#staging,
      options.lockTimeoutMs ?? 10_000,
    );
  }

  /** Makes the directory and removes what dead processes left in it. */
  async open(): Promise<void> {
    await this.#guard(`opening the object store ${this.#directory}`, async () => {
      await this.#host.files.makeDirectory(this.#directory);
      await this.#staging.sweepAbandoned();
      await this.#locks.open();
    });
  }

  async put(key: string, bytes: Uint8Array, condition?: PutCondition): Promise<ObjectStat> {
    this.#check(key);
    return await this.#guard(`writing the object "${key}"`, () =>
      this.#put(key, (path) => this.#host.files.write(path, bytes), condition),
    );
  }

  async putFile(key: string, path: string, condition?: PutCondition): Promise<ObjectStat> {
    this.#check(key);
    return await this.#guard(`writing the object "${key}" from ${path}`, () =>
      this.#put(key, (staged) => this.#host.files.copy(path, staged), condition),
    );
  }

  async get(key: string): Promise<Uint8Array> {
    this.#check(key);
    return await this.#read(key, (path) => this.#host.files.read(path));
  }

  async getRange(key: string, offset: number, length: number): Promise<Uint8Array> {
    this.#check(key);
    checkObjectRange(key, offset, length);
    return await this.#read(key, async (path) => {
      const { sizeBytes } = await this.#host.files.stat(path);
      return await this.#host.files.readRange(
        path,
        offset,
        Math.max(0, Math.min(length, sizeBytes - offset)),
      );
    });
  }

  async getToFile(key: string, path: string, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    await this.stat(key);
    signal?.throwIfAborted();
    await this.#read(key, (source) => this.#host.files.copy(source, path));
  }

  async stat(key: string): Promise<ObjectStat> {
    this.#check(key);
    return await this.#guard(`reading about the object "${key}"`, async () => {
      const stat = await this.#stat(key);
      if (stat === undefined) throw objectNotFound(key);
      return stat;
    });
  }

  async list(
    prefix: string,
    options?: { readonly startAfter?: string; readonly limit?: number },
  ): Promise<readonly ListedObject[]> {
    this.#checkOpen();
    const { startAfter, limit } = checkObjectList(prefix, options);
    return await this.#guard(`listing the objects "${prefix}"`, async () => {
      const listed: ListedObject[] = [];
      let batch: string[] = [];
      const flush = async (): Promise<void> => {
        const stats = await Promise.all(batch.map((key) => this.#stat(key)));
        // An object deleted since the scan is left out, and the walk goes on until `limit` is filled.
        batch.forEach((key, index) => stats[index] !== undefined && listed.push({ key, ...stats[index] }));
        batch = [];
      };
      for await (const key of walkKeys(this.#host.files, this.#directory, prefix, startAfter)) {
        batch.push(key);
        if (batch.length + listed.length >= limit || batch.length >= STAT_BATCH) await flush();
        if (listed.length >= limit) return listed;
      }
      await flush();
      return listed;
    });
  }

  async delete(key: string): Promise<void> {
    this.#check(key);
    await this.#guard(`deleting the object "${key}"`, async () => {
      if ((await this.#stat(key)) === undefined) return;
      await using lock = await this.#locks.acquire(key);
      await lock.check();
      await this.#host.files.remove(this.#path(key)).catch(ignoreMissing);
      await this.#host.files.sync(dirname(this.#path(key))).catch(ignoreMissing);
      await this.#pruneAbove(key);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#guard('closing the object store', () => this.#staging[Symbol.asyncDispose]());
  }

  async #put(
    key: string,
    fill: (path: string) => Promise<void>,
    condition: PutCondition | undefined,
  ): Promise<ObjectStat> {
    if (condition !== undefined) checkCondition(key, await this.#stat(key), condition);
    const staged = await this.#staging.stage(fill);
    try {
      if (condition?.kind !== 'if-match' && (await this.#create(key, staged))) return statOf(staged);
      if (condition?.kind === 'if-absent') checkCondition(key, statOf(staged), condition);
      return await this.#replace(key, staged, condition);
    } finally {
      await this.#staging.discard(staged.path);
    }
  }

  /** False when the key is taken. */
  async #create(key: string, staged: StagedFile): Promise<boolean> {
    const { files } = this.#host;
    const path = this.#path(key);
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      try {
        await files.link(staged.path, path);
        await files.sync(dirname(path));
        return true;
      } catch (error) {
        const code = fileErrorCode(error);
        // A delete may prune the directory between our making it and our linking into it.
        if (code === 'ENOENT' || code === 'ENOTDIR') await this.#makeParent(key);
        else if (code !== 'EEXIST') throw error;
        else if (await this.#clearDirectory(key)) continue;
        // The link was ours when the answer to a first attempt got lost on a network file system.
        else if ((await files.stat(staged.path)).linkCount < 2) return false;
        else return await files.sync(dirname(path)).then(() => true);
      }
    }
    throw new MishardsError(
      'STORAGE_UNAVAILABLE',
      `the directory of the object "${key}" vanished ${ATTEMPTS_MAX} times`,
    );
  }

  async #replace(key: string, staged: StagedFile, condition: PutCondition | undefined): Promise<ObjectStat> {
    await using lock = await this.#locks.acquire(key);
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      const path = this.#path(key);
      const current = await this.#stat(key);
      checkCondition(key, current, condition);
      if (current === undefined) {
        if (await this.#create(key, staged)) return statOf(staged);
        continue;
      }
      const currentUs = toMicroseconds((await this.#host.files.stat(path)).modifiedMs);
      const stamped =
        staged.modifiedUs > currentUs ? staged : await this.#staging.stamp(staged.path, currentUs);
      await lock.check();
      await this.#host.files.rename(staged.path, path);
      return statOf(stamped);
    }
    throw new MishardsError('STORAGE_UNAVAILABLE', `the object "${key}" came and went ${ATTEMPTS_MAX} times`);
  }

  /** Undefined when there is no object, also where a directory has the name. */
  async #stat(key: string): Promise<ObjectStat | undefined> {
    const stat = await undefinedIfMissing(this.#host.files.stat(this.#path(key)));
    if (stat === undefined || stat.isDirectory) return undefined;
    const { sizeBytes, modifiedMs } = stat;
    return statOf({ sizeBytes, modifiedUs: toMicroseconds(modifiedMs) });
  }

  async #makeParent(key: string): Promise<void> {
    const parent = dirname(this.#path(key));
    try {
      await this.#host.files.makeDirectory(parent);
    } catch (error) {
      const code = fileErrorCode(error);
      if (code === 'ENOTDIR' || code === 'EEXIST') throw keyContinuesAnother(key, dirname(key));
      throw error;
    }
  }

  /** When a directory has the key's name: removes it if it is empty, else the key is refused. False when it is no directory. */
  async #clearDirectory(key: string): Promise<boolean> {
    const { files } = this.#host;
    const stat = await undefinedIfMissing(files.stat(this.#path(key)));
    if (stat?.isDirectory !== true) return false;
    try {
      await files.removeDirectory(this.#path(key));
    } catch (error) {
      if (fileErrorCode(error) === 'ENOTEMPTY') throw keyContinuesAnother(key, `${key}/…`);
      ignoreMissing(error);
    }
    return true;
  }

  async #pruneAbove(key: string): Promise<void> {
    for (let parent = dirname(key); parent !== '.'; parent = dirname(parent)) {
      try {
        await this.#host.files.removeDirectory(this.#path(parent));
      } catch (error) {
        const code = fileErrorCode(error);
        if (code === 'ENOTEMPTY' || code === 'EEXIST') return;
        ignoreMissing(error);
      }
    }
  }

  async #read<T>(key: string, use: (path: string) => Promise<T>): Promise<T> {
    return await this.#guard(`reading the object "${key}"`, async () => {
      try {
        return await use(this.#path(key));
      } catch (error) {
        const code = fileErrorCode(error);
        if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR') throw objectNotFound(key);
        throw error;
      }
    });
  }

  async #guard<T>(doing: string, use: () => Promise<T>): Promise<T> {
    try {
      return await use();
    } catch (error) {
      throw storageError(error, doing);
    }
  }

  #path(key: string): string {
    return `${this.#directory}/${key}`;
  }

  #check(key: string): void {
    this.#checkOpen();
    checkObjectKey(key);
  }

  #checkOpen(): void {
    if (this.#isClosed) throw storeClosed(this.driver);
  }
}

function statOf(file: { readonly sizeBytes: number; readonly modifiedUs: number }): ObjectStat {
  const { sizeBytes, modifiedUs } = file;
  return { sizeBytes, etag: etagOf(sizeBytes, modifiedUs), modifiedMs: Math.floor(modifiedUs / 1000) };
}

function etagOf(sizeBytes: number, modifiedUs: number): string {
  return `${sizeBytes.toString(36)}-${modifiedUs.toString(36)}`;
}

export async function createLocalObjectStore(options: LocalObjectStoreOptions): Promise<LocalObjectStore> {
  const store = new LocalObjectStore(options);
  await store.open();
  return store;
}
