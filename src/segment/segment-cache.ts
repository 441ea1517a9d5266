import type { SegmentFile } from '../catalog/model.ts';
import { MishardsError } from '../errors/index.ts';
import { fileErrorCode, storageError, type FileSystem, type Host } from '../host/index.ts';
import type { ObjectStore } from '../object-store/object-store.ts';
import { abortable } from '../util/abortable.ts';
import { assert } from '../util/assert.ts';
import { OWNER_FILE } from './abandoned-caches.ts';
import { cachedNameOf, fileOfCachedName } from './cached-name.ts';

export interface SegmentCacheOptions {
  readonly host: Pick<Host, 'files'>;
  readonly objectStore: ObjectStore;
  /** Of this cache alone. */
  readonly directory: string;
  /** Bytes of the files kept, those being downloaded included. */
  readonly bytesMax: number;
}

/**
 * Objects of segments as local files, downloaded when first asked for and kept while there is room: the least recently used
 * that nobody has open goes first. What is there survives a restart.
 */
export interface SegmentCache extends AsyncDisposable {
  /** Bytes of the files kept, at most `bytesMax`. */
  readonly sizeBytes: number;
  /**
   * The object's file, which stays until it is disposed. Concurrent calls share one download, which goes on when one of
   * them is aborted. Errors: `MEMORY_LIMIT` when all files in the way are open, `CORRUPT_DATA` when the object has not the
   * size it should, `STORAGE_UNAVAILABLE` for the local disk, those of the object store, the signal's reason.
   */
  open(file: SegmentFile, signal?: AbortSignal): Promise<CachedFile>;
  /** Lets go of the files nobody has open whose objects are no longer `named`. */
  retain(named: ReadonlySet<string>): Promise<void>;
}

export interface CachedFile extends AsyncDisposable {
  readonly path: string;
  readonly sizeBytes: number;
  /** Runs `check` unless it passed for this copy already, in this process. What it refuses is discarded. */
  verify(check: (path: string) => Promise<void>): Promise<void>;
  /** Says that the copy is damaged: the next `open` downloads it anew. */
  discard(): Promise<void>;
}

export async function createSegmentCache(options: SegmentCacheOptions): Promise<SegmentCache> {
  const cache = new DiskSegmentCache(options);
  try {
    await cache.scan();
  } catch (error) {
    throw storageError(error, `scanning the segment cache in ${options.directory}`);
  }
  return cache;
}

interface Entry {
  readonly name: string;
  readonly path: string;
  readonly sizeBytes: number;
  readonly ready: Promise<void>;
  pinCount: number;
  verified: Promise<void> | null;
}

class DiskSegmentCache implements SegmentCache {
  readonly #options: SegmentCacheOptions;
  readonly #files: FileSystem;
  readonly #incoming: string;
  readonly #abort = new AbortController();
  /** In the order of use, the oldest first. */
  readonly #entries = new Map<string, Entry>();
  /** Files on their way out, which a download of the same name must wait for. */
  readonly #removals = new Map<string, Promise<void>>();
  #sizeBytes = 0;
  #downloadCount = 0;

  constructor(options: SegmentCacheOptions) {
    this.#options = options;
    this.#files = options.host.files;
    this.#incoming = `${options.directory}/incoming`;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Takes over the complete files of an earlier process and removes the rest. */
  async scan(): Promise<void> {
    const { directory, bytesMax } = this.#options;
    await this.#files.removeTree(this.#incoming);
    await this.#files.makeDirectory(this.#incoming);
    const found: { readonly entry: Entry; readonly modifiedMs: number }[] = [];
    for (const { name, isDirectory } of await this.#files.scan(directory)) {
      if (isDirectory || name === OWNER_FILE) continue;
      const path = `${directory}/${name}`;
      const { sizeBytes, modifiedMs } = await this.#files.stat(path);
      if (fileOfCachedName(name)?.sizeBytes !== sizeBytes) await this.#files.remove(path);
      else found.push({ entry: this.#newEntry(name, sizeBytes, Promise.resolve()), modifiedMs });
    }
    for (const { entry } of found.sort((a, b) => a.modifiedMs - b.modifiedMs)) this.#keep(entry);
    await this.#evict(this.#sizeBytes - bytesMax);
  }

  async open(file: SegmentFile, signal?: AbortSignal): Promise<CachedFile> {
    assert(!this.#abort.signal.aborted, 'a segment cache is not used after it was disposed');
    signal?.throwIfAborted();
    const name = cachedNameOf(file);
    const entry = this.#entries.get(name) ?? this.#download(name, file);
    this.#keep(entry);
    entry.pinCount++;
    try {
      await (signal === undefined ? entry.ready : abortable(entry.ready, signal));
    } catch (error) {
      entry.pinCount--;
      throw error;
    }
    return this.#handle(entry);
  }

  async retain(named: ReadonlySet<string>): Promise<void> {
    const idle = [...this.#entries.values()].filter(({ pinCount }) => pinCount === 0);
    const unnamed = idle.filter(({ name }) => !named.has(fileOfCachedName(name)!.objectKey));
    await Promise.all(unnamed.map((entry) => this.#remove(entry)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort(new MishardsError('CANCELLED', 'the segment cache was closed'));
    await Promise.allSettled([...this.#entries.values()].map((entry) => entry.ready));
    await Promise.allSettled(this.#removals.values());
  }

  #newEntry(name: string, sizeBytes: number, ready: Promise<void>): Entry {
    return {
      name,
      path: `${this.#options.directory}/${name}`,
      sizeBytes,
      ready,
      pinCount: 0,
      verified: null,
    };
  }

  /** Puts the entry at the young end. */
  #keep(entry: Entry): void {
    if (this.#entries.delete(entry.name)) this.#sizeBytes -= entry.sizeBytes;
    this.#entries.set(entry.name, entry);
    this.#sizeBytes += entry.sizeBytes;
  }

  #forget(entry: Entry): void {
    if (this.#entries.get(entry.name) !== entry) return;
    this.#entries.delete(entry.name);
    this.#sizeBytes -= entry.sizeBytes;
  }

  #download(name: string, file: SegmentFile): Entry {
    const room = this.#evict(this.#sizeBytes + file.sizeBytes - this.#options.bytesMax);
    const ready = room.then(() => this.#fetch(name, file));
    const entry = this.#newEntry(name, file.sizeBytes, ready);
    ready.catch(() => this.#forget(entry));
    return entry;
  }

  async #fetch(name: string, { objectKey, sizeBytes }: SegmentFile): Promise<void> {
    await this.#removals.get(name);
    const path = `${this.#incoming}/${this.#downloadCount++}`;
    try {
      await this.#options.objectStore.getToFile(objectKey, path, this.#abort.signal);
      const stat = await this.#files.stat(path);
      if (stat.sizeBytes !== sizeBytes) {
        const problem = `object ${objectKey} has ${stat.sizeBytes} bytes, the catalog says ${sizeBytes}`;
        throw new MishardsError('CORRUPT_DATA', problem);
      }
      await this.#files.rename(path, `${this.#options.directory}/${name}`);
    } catch (error) {
      await this.#files.remove(path).catch(ignoreMissing);
      throw storageError(error, `downloading ${objectKey} into the segment cache`);
    }
  }

  /** Lets go of the oldest files nobody has open until `bytes` are free; all or, with `MEMORY_LIMIT`, none. */
  #evict(bytes: number): Promise<void> {
    const victims: Entry[] = [];
    let missing = bytes;
    for (const entry of this.#entries.values()) {
      if (missing <= 0) break;
      if (entry.pinCount > 0) continue;
      victims.push(entry);
      missing -= entry.sizeBytes;
    }
    if (missing > 0) {
      throw new MishardsError(
        'MEMORY_LIMIT',
        `the segment cache lacks ${missing} of ${this.#options.bytesMax} bytes and all its files are open; raise its bound or add readers`,
      );
    }
    return Promise.all(victims.map((entry) => this.#remove(entry))).then(() => {});
  }

  async #remove(entry: Entry): Promise<void> {
    this.#forget(entry);
    const removal = entry.ready.then(
      () => this.#files.remove(entry.path).catch(ignoreMissing),
      () => {},
    );
    this.#removals.set(entry.name, removal);
    try {
      await removal;
    } catch (error) {
      throw storageError(error, `removing ${entry.path} from the segment cache`);
    } finally {
      if (this.#removals.get(entry.name) === removal) this.#removals.delete(entry.name);
    }
  }

  #handle(entry: Entry): CachedFile {
    let isOpen = true;
    const discard = async (): Promise<void> => {
      if (this.#entries.get(entry.name) === entry) await this.#remove(entry);
    };
    return {
      path: entry.path,
      sizeBytes: entry.sizeBytes,
      discard,
      verify: async (check) => {
        entry.verified ??= check(entry.path);
        try {
          await entry.verified;
        } catch (error) {
          await discard();
          throw error;
        }
      },
      [Symbol.asyncDispose]: async () => {
        if (isOpen) entry.pinCount--;
        isOpen = false;
      },
    };
  }
}

function ignoreMissing(error: unknown): void {
  if (fileErrorCode(error) !== 'ENOENT') throw error;
}
