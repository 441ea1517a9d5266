import { open, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';

const CHUNK_BYTES = 256 * 1024;

/** Fills a file system with a file of its own; `free` gives the blocks back. */
export class Ballast {
  readonly #directory: string;
  readonly #path: string;

  constructor(directory: string) {
    this.#directory = directory;
    this.#path = join(directory, 'ballast');
  }

  /** Resolves when so much is left; with 0, when a write of one block fails. */
  async fillTo(leftBytes: number): Promise<void> {
    await using file = await open(this.#path, 'a');
    for (let bytes = CHUNK_BYTES; bytes >= 512 && (await this.#freeBytes()) >= leftBytes;) {
      try {
        await file.write(new Uint8Array(bytes));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
        bytes /= 2;
      }
    }
  }

  async free(): Promise<void> {
    await rm(this.#path, { force: true });
  }

  async #freeBytes(): Promise<number> {
    const { bavail, bsize } = await statfs(this.#directory);
    return bavail * bsize;
  }
}
