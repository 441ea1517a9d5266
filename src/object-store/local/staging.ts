import { MishardsError } from '../../errors/index.ts';
import { fileErrorCode, type Host } from '../../host/index.ts';
import { crc32c } from '../../util/crc32c.ts';

/** A directory left behind by a process that died is removed when nothing in it changed for this long. */
const ABANDONED_AFTER_MS = 24 * 3_600_000;

/**
 * A stamp is a millisecond of its own plus a fraction that all stamps of a store share, so that stores rarely meet in one:
 * this many fractions, far enough apart for rounding.
 */
const FRACTION_COUNT = 250;
const FRACTION_US = 4;

export interface StagedFile {
  readonly path: string;
  readonly sizeBytes: number;
  readonly modifiedUs: number;
}

interface StagingDirectory {
  readonly path: string;
  /** Below 1 000. */
  readonly fractionUs: number;
}

/**
 * Where files are written before they appear under their key. Every open store has a directory of its own, so that file names
 * need no randomness. Staged files carry a modification time in microseconds that this process never gives twice.
 */
export class Staging {
  readonly #host: Pick<Host, 'clock' | 'files'>;
  readonly #root: string;
  #directory: Promise<StagingDirectory> | undefined;
  #count = 0;
  #lastStampMs = 0;

  constructor(host: Pick<Host, 'clock' | 'files'>, root: string) {
    this.#host = host;
    this.#root = root;
  }

  /** A path nobody else uses, in an existing directory; `use` is repeated once when a sweep removed the directory meanwhile. */
  async withPath<T>(use: (path: string) => Promise<T>): Promise<T> {
    const { path } = await this.#own();
    try {
      return await use(`${path}/${this.#count++}`);
    } catch (error) {
      if (fileErrorCode(error) !== 'ENOENT' || (await this.#host.files.exists(path))) throw error;
      if ((await this.#own()).path === path) this.#directory = undefined;
      return await use(`${(await this.#own()).path}/${this.#count++}`);
    }
  }

  /** Fills a file and makes its content durable. */
  async stage(fill: (path: string) => Promise<void>): Promise<StagedFile> {
    return await this.withPath(async (path) => {
      try {
        await fill(path);
        return await this.stamp(path, 0);
      } catch (error) {
        await this.discard(path);
        throw error;
      }
    });
  }

  /** Gives the file a modification time after `afterUs` and makes it durable. */
  async stamp(path: string, afterUs: number): Promise<StagedFile> {
    const { files } = this.#host;
    const stampUs = await this.renew(path, afterUs);
    await files.sync(path);
    const { sizeBytes, modifiedMs } = await files.stat(path);
    const modifiedUs = toMicroseconds(modifiedMs);
    if (Math.abs(modifiedUs - stampUs) >= FRACTION_US / 2) {
      throw new MishardsError(
        'STORAGE_UNAVAILABLE',
        `the file system of ${this.#root} does not keep modification times to the microsecond; use another`,
      );
    }
    return { path, sizeBytes, modifiedUs };
  }

  /** Gives the file a modification time that this process gives to no other, after `afterUs`. */
  async renew(path: string, afterUs = 0): Promise<number> {
    const { clock, files } = this.#host;
    const { fractionUs } = await this.#own();
    this.#lastStampMs = Math.max(clock.nowMs(), this.#lastStampMs + 1, Math.floor(afterUs / 1000) + 1);
    const stampUs = this.#lastStampMs * 1000 + fractionUs;
    await files.setModified(path, stampUs / 1000);
    return stampUs;
  }

  async discard(path: string): Promise<void> {
    await this.#host.files.remove(path).catch(ignoreMissing);
  }

  async sweepAbandoned(): Promise<void> {
    const { clock, files } = this.#host;
    for (const name of await files.list(this.#root)) {
      const path = `${this.#root}/${name}`;
      const { modifiedMs } = await files.stat(path).catch(() => ({ modifiedMs: Number.POSITIVE_INFINITY }));
      if (clock.nowMs() - modifiedMs > ABANDONED_AFTER_MS) await files.removeTree(path);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#directory !== undefined) await this.#host.files.removeTree((await this.#directory).path);
  }

  async #own(): Promise<StagingDirectory> {
    this.#directory ??= this.#host.files.makeUniqueDirectory(this.#root).then((path) => {
      return { path, fractionUs: (crc32c(new TextEncoder().encode(path)) % FRACTION_COUNT) * FRACTION_US };
    });
    const directory = this.#directory;
    return await directory.catch((error: unknown) => {
      if (this.#directory === directory) this.#directory = undefined;
      throw error;
    });
  }
}

export function toMicroseconds(ms: number): number {
  return Math.round(ms * 1000);
}

export function ignoreMissing(error: unknown): void {
  if (fileErrorCode(error) !== 'ENOENT') throw error;
}

export async function undefinedIfMissing<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    const code = fileErrorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}
