import { fileErrorCode, type Host } from '../../host/index.ts';

/** A directory left behind by a process that died is removed when nothing in it changed for this long. */
const ABANDONED_AFTER_MS = 24 * 3_600_000;

export interface StagedFile {
  readonly path: string;
  readonly sizeBytes: number;
  readonly modifiedUs: number;
}

/**
 * Where files are written before they appear under their key. Every open store has a directory of its own, so that file names
 * need no randomness. Staged files carry a modification time in microseconds that this process never gives twice.
 */
export class Staging {
  readonly #host: Pick<Host, 'clock' | 'random' | 'files'>;
  readonly #root: string;
  #directory: Promise<string> | undefined;
  #count = 0;
  #lastStampUs = 0;

  constructor(host: Pick<Host, 'clock' | 'random' | 'files'>, root: string) {
    this.#host = host;
    this.#root = root;
  }

  /** A path nobody else uses, in an existing directory; `use` is repeated once when a sweep removed the directory meanwhile. */
  async withPath<T>(use: (path: string) => Promise<T>): Promise<T> {
    this.#directory ??= this.#host.files.makeUniqueDirectory(this.#root);
    const directory = this.#directory;
    try {
      return await use(`${await directory}/${this.#count++}`);
    } catch (error) {
      if (fileErrorCode(error) !== 'ENOENT' || (await this.#host.files.exists(await directory))) throw error;
      if (this.#directory === directory) this.#directory = this.#host.files.makeUniqueDirectory(this.#root);
      return await use(`${await this.#directory}/${this.#count++}`);
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
    const { clock, random, files } = this.#host;
    const nowUs = clock.nowMs() * 1000 + random.below(1000);
    const stampUs = Math.max(nowUs, this.#lastStampUs + 1, afterUs + 1);
    this.#lastStampUs = stampUs;
    await files.setModified(path, stampUs / 1000);
    await files.sync(path);
    const { sizeBytes, modifiedMs } = await files.stat(path);
    return { path, sizeBytes, modifiedUs: toMicroseconds(modifiedMs) };
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
    if (this.#directory !== undefined) await this.#host.files.removeTree(await this.#directory);
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
