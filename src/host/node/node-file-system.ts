import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import * as fs from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileErrorCode } from '../file-error.ts';
import { NodeAppendFile } from './node-append-file.ts';
import type { AppendFile, DirectoryEntry, FileStat, FileSystem } from '../file-system.ts';

/** Files of this machine through `node:fs`. */
export class NodeFileSystem implements FileSystem {
  /** Tells processes apart that share a directory: a process id repeats on other hosts, in containers and after a crash. */
  readonly #temporaryPrefix = `.tmp-${randomBytes(9).toString('base64url')}`;
  #temporaryCount = 0;

  async read(path: string): Promise<Uint8Array> {
    return await fs.readFile(path);
  }

  async readRange(path: string, offset: number, length: number): Promise<Uint8Array> {
    await using file = await fs.open(path, 'r');
    const bytes = Buffer.allocUnsafe(length);
    let filled = 0;
    while (filled < length) {
      const { bytesRead } = await file.read(bytes, filled, length - filled, offset + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return bytes.subarray(0, filled);
  }

  async write(path: string, bytes: Uint8Array): Promise<void> {
    await fs.writeFile(path, bytes);
  }

  async writeAtomic(path: string, bytes: Uint8Array): Promise<void> {
    await this.#appear(path, (temporary) => writeSynced(temporary, bytes), fs.rename);
  }

  async writeExclusive(path: string, bytes: Uint8Array): Promise<void> {
    await this.#appear(path, (temporary) => writeSynced(temporary, bytes), linkExclusive);
  }

  async copy(from: string, to: string): Promise<void> {
    const fill = async (temporary: string): Promise<void> => {
      await fs.copyFile(from, temporary, constants.COPYFILE_FICLONE);
      await syncPath(temporary);
    };
    await this.#appear(to, fill, fs.rename);
  }

  async rename(from: string, to: string): Promise<void> {
    await fs.rename(from, to);
    await syncPath(dirname(to));
  }

  async link(from: string, to: string): Promise<void> {
    await fs.link(from, to);
  }

  async remove(path: string): Promise<void> {
    await fs.unlink(path);
  }

  async removeDirectory(path: string): Promise<void> {
    await fs.rmdir(path);
  }

  async removeTree(path: string): Promise<void> {
    await fs.rm(path, { recursive: true, force: true });
  }

  async exists(path: string): Promise<boolean> {
    return await fs.access(path).then(
      () => true,
      () => false,
    );
  }

  async stat(path: string): Promise<FileStat> {
    const stat = await fs.stat(path);
    return {
      sizeBytes: stat.size,
      modifiedMs: stat.mtimeMs,
      isDirectory: stat.isDirectory(),
      linkCount: stat.nlink,
    };
  }

  async freeBytes(path: string): Promise<number> {
    const { bavail, bsize } = await fs.statfs(path);
    return bavail * bsize;
  }

  async setModified(path: string, modifiedMs: number): Promise<void> {
    await fs.utimes(path, modifiedMs / 1000, modifiedMs / 1000);
  }

  async sync(path: string): Promise<void> {
    await syncPath(path);
  }

  async makeDirectory(path: string): Promise<void> {
    const first = await fs.mkdir(path, { recursive: true });
    if (first === undefined) return;
    for (let made = path; ; made = dirname(made)) {
      await syncPath(dirname(made));
      if (made === first || dirname(made) === made) return;
    }
  }

  async list(path: string): Promise<readonly string[]> {
    return (await this.scan(path)).map((entry) => entry.name);
  }

  async scan(path: string): Promise<readonly DirectoryEntry[]> {
    try {
      const entries = await fs.readdir(path, { withFileTypes: true });
      return entries
        .map((entry) => ({ name: entry.name, isDirectory: entry.isDirectory() }))
        .sort((a, b) => (a.name < b.name ? -1 : 1));
    } catch (error) {
      if (fileErrorCode(error) === 'ENOENT') return [];
      throw error;
    }
  }

  async makeUniqueDirectory(parent: string): Promise<string> {
    await this.makeDirectory(parent);
    return await fs.mkdtemp(join(parent, 'd-'));
  }

  async openAppend(path: string): Promise<AppendFile> {
    await this.makeDirectory(dirname(path));
    const handle = await fs.open(path, 'a');
    await syncPath(dirname(path));
    return new NodeAppendFile(handle, (await handle.stat()).size);
  }

  async #appear(
    path: string,
    fill: (temporary: string) => Promise<void>,
    place: (temporary: string, path: string) => Promise<void>,
  ): Promise<void> {
    const directory = dirname(path);
    await this.makeDirectory(directory);
    const temporary = join(directory, `${this.#temporaryPrefix}-${this.#temporaryCount++}`);
    try {
      await fill(temporary);
      await place(temporary, path);
    } catch (error) {
      await fs.rm(temporary, { force: true });
      throw error;
    }
    await syncPath(directory);
  }
}

async function writeSynced(path: string, bytes: Uint8Array): Promise<void> {
  await using file = await fs.open(path, 'wx');
  await file.writeFile(bytes);
  await file.datasync();
}

/** A hard link fails when the target exists, where a rename would replace it. */
async function linkExclusive(temporary: string, path: string): Promise<void> {
  await fs.link(temporary, path);
  await fs.rm(temporary);
}

async function syncPath(path: string): Promise<void> {
  await using handle = await fs.open(path, 'r');
  await handle.sync();
}
