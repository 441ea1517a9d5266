import type { AppendFile } from '../file-system.ts';
import { syncNode, truncateContent, type FileNode } from './disk-nodes.ts';
import type { MemoryFileSystem } from './memory-file-system.ts';

/** A handle that stays with its file whatever happens to the name. */
export class MemoryAppendFile implements AppendFile {
  readonly #files: MemoryFileSystem;
  readonly #file: FileNode;
  readonly #path: string;

  constructor(files: MemoryFileSystem, file: FileNode, path: string) {
    this.#files = files;
    this.#file = file;
    this.#path = path;
  }

  get sizeBytes(): number {
    return this.#file.content.size;
  }

  async append(chunks: readonly Uint8Array[]): Promise<void> {
    await this.#files.enter('append', this.#path);
    for (const chunk of chunks) this.#files.grow(this.#file, chunk, 'append', this.#path);
  }

  async sync(): Promise<void> {
    await this.#files.enter('sync', this.#path);
    syncNode(this.#file);
  }

  async truncate(sizeBytes: number): Promise<void> {
    await this.#files.enter('truncate', this.#path);
    truncateContent(this.#file, sizeBytes);
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
