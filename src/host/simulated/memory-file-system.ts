import type { AppendFile, DirectoryEntry, FileStat, FileSystem } from '../file-system.ts';
import {
  appendContent,
  contentBytes,
  fileError,
  newDirectory,
  newFile,
  replaceContent,
  syncNode,
  type DirectoryNode,
  type DiskNode,
  type FileNode,
} from './disk-nodes.ts';
import { MemoryAppendFile } from './memory-append-file.ts';
import type { MemoryDisk } from './memory-disk.ts';

export type FileOperation = Exclude<keyof FileSystem, symbol> | 'append' | 'truncate';

/**
 * Called before every operation. It may throw (`fileError('EIO', …)`), or return a promise, which holds the operation until
 * it settles: a process that is paused there.
 */
export type FileIntercept = (operation: FileOperation, path: string) => void | Promise<void>;

/** One process's view of a `MemoryDisk`. */
export class MemoryFileSystem implements FileSystem {
  readonly disk: MemoryDisk;
  intercept: FileIntercept | undefined;
  readonly #generation: number;
  #killed = false;

  constructor(disk: MemoryDisk) {
    this.disk = disk;
    this.#generation = disk.generation;
  }

  /** Ends the process: all its calls fail from now on; what it wrote stays. */
  kill(): void {
    this.#killed = true;
  }

  /** Every operation passes here, before it does anything. */
  async enter(operation: FileOperation, path: string): Promise<void> {
    this.#checkAlive(operation, path);
    await this.intercept?.(operation, path);
    this.#checkAlive(operation, path);
    this.disk.begin();
    this.#checkAlive(operation, path);
  }

  async read(path: string): Promise<Uint8Array> {
    await this.enter('read', path);
    return contentBytes(this.#file('read', path)).slice();
  }

  async readRange(path: string, offset: number, length: number): Promise<Uint8Array> {
    await this.enter('readRange', path);
    return contentBytes(this.#file('readRange', path)).slice(offset, offset + length);
  }

  async write(path: string, bytes: Uint8Array): Promise<void> {
    await this.enter('write', path);
    const parent = this.#parent('write', path);
    const existing = parent.names.get(baseName(path));
    if (existing?.kind === 'directory') throw fileError('EISDIR', 'write', path);
    const file = existing ?? this.#addFile(parent, baseName(path));
    replaceContent(file, new Uint8Array(0));
    this.grow(file, bytes, 'write', path);
  }

  async writeAtomic(path: string, bytes: Uint8Array): Promise<void> {
    await this.enter('writeAtomic', path);
    this.#place(path, this.#syncedFile(bytes, 'writeAtomic', path), 'writeAtomic');
  }

  async writeExclusive(path: string, bytes: Uint8Array): Promise<void> {
    await this.enter('writeExclusive', path);
    if (this.#find(path) !== undefined) throw fileError('EEXIST', 'writeExclusive', path);
    this.#place(path, this.#syncedFile(bytes, 'writeExclusive', path), 'writeExclusive');
  }

  async copy(from: string, to: string): Promise<void> {
    await this.enter('copy', from);
    const bytes = contentBytes(this.#file('copy', from));
    this.#place(to, this.#syncedFile(bytes, 'copy', to), 'copy');
  }

  async rename(from: string, to: string): Promise<void> {
    await this.enter('rename', from);
    const node = this.#node('rename', from);
    const source = this.#parent('rename', from);
    const target = this.#parent('rename', to);
    const replaced = target.names.get(baseName(to));
    if (replaced === node) return;
    if (replaced?.kind === 'directory' && (node.kind === 'file' || replaced.names.size > 0)) {
      throw fileError(node.kind === 'file' ? 'EISDIR' : 'ENOTEMPTY', 'rename', to);
    }
    if (replaced?.kind === 'file') {
      if (node.kind === 'directory') throw fileError('ENOTDIR', 'rename', to);
      replaced.linkCount--;
    }
    this.#unname(source, from);
    source.durableNames.delete(baseName(from));
    this.#name(target, to, node);
    syncNode(target);
  }

  async link(from: string, to: string): Promise<void> {
    await this.enter('link', to);
    const file = this.#file('link', from);
    const parent = this.#parent('link', to);
    if (parent.names.has(baseName(to))) throw fileError('EEXIST', 'link', to);
    this.#name(parent, to, file);
    file.linkCount++;
  }

  async remove(path: string): Promise<void> {
    await this.enter('remove', path);
    this.#file('remove', path).linkCount--;
    this.#unname(this.#parent('remove', path), path);
  }

  async removeDirectory(path: string): Promise<void> {
    await this.enter('removeDirectory', path);
    const node = this.#node('removeDirectory', path);
    if (node.kind === 'file') throw fileError('ENOTDIR', 'removeDirectory', path);
    if (node.names.size > 0) throw fileError('ENOTEMPTY', 'removeDirectory', path);
    this.#unname(this.#parent('removeDirectory', path), path);
  }

  async removeTree(path: string): Promise<void> {
    await this.enter('removeTree', path);
    if (this.#find(path) !== undefined) this.#unname(this.#parent('removeTree', path), path);
  }

  async exists(path: string): Promise<boolean> {
    await this.enter('exists', path);
    return this.#find(path) !== undefined;
  }

  async stat(path: string): Promise<FileStat> {
    await this.enter('stat', path);
    const node = this.#node('stat', path);
    const { modifiedMs } = node;
    if (node.kind === 'directory') return { sizeBytes: 0, modifiedMs, isDirectory: true, linkCount: 1 };
    return { sizeBytes: node.content.size, modifiedMs, isDirectory: false, linkCount: node.linkCount };
  }

  async freeBytes(path: string): Promise<number> {
    await this.enter('freeBytes', path);
    this.#node('freeBytes', path);
    return Math.max(0, this.disk.capacityBytes - this.disk.usedBytes());
  }

  async setModified(path: string, modifiedMs: number): Promise<void> {
    await this.enter('setModified', path);
    this.#node('setModified', path).modifiedMs = modifiedMs;
  }

  async sync(path: string): Promise<void> {
    await this.enter('sync', path);
    syncNode(this.#node('sync', path));
  }

  async makeDirectory(path: string): Promise<void> {
    await this.enter('makeDirectory', path);
    this.#makeDirectory(path);
  }

  async list(path: string): Promise<readonly string[]> {
    return (await this.#scan('list', path)).map((entry) => entry.name);
  }

  async scan(path: string): Promise<readonly DirectoryEntry[]> {
    return await this.#scan('scan', path);
  }

  async makeUniqueDirectory(parent: string): Promise<string> {
    await this.enter('makeUniqueDirectory', parent);
    const path = `${parent}/d-${this.disk.nextUnique()}`;
    this.#makeDirectory(path);
    return path;
  }

  async openAppend(path: string): Promise<AppendFile> {
    await this.enter('openAppend', path);
    const parent = this.#makeDirectory(path.slice(0, path.lastIndexOf('/')));
    const existing = parent.names.get(baseName(path));
    if (existing?.kind === 'directory') throw fileError('EISDIR', 'openAppend', path);
    const file = existing ?? this.#addFile(parent, baseName(path));
    syncNode(parent);
    return new MemoryAppendFile(this, file, path);
  }

  /** Appends as far as the disk has room. */
  grow(file: FileNode, bytes: Uint8Array, operation: FileOperation, path: string): void {
    const { capacityBytes } = this.disk;
    const room =
      capacityBytes === Number.POSITIVE_INFINITY ? capacityBytes : capacityBytes - this.disk.usedBytes();
    appendContent(file, bytes.subarray(0, Math.max(0, Math.floor(room))));
    file.modifiedMs = this.disk.clock.nowMs();
    if (bytes.byteLength > room) throw fileError('ENOSPC', operation, path);
  }

  #checkAlive(operation: FileOperation, path: string): void {
    if (this.#killed || this.#generation !== this.disk.generation) throw fileError('EIO', operation, path);
  }

  #find(path: string): DiskNode | undefined {
    let node: DiskNode | undefined = this.disk.root;
    for (const name of path.split('/')) {
      if (name === '') continue;
      if (node?.kind !== 'directory') return undefined;
      node = node.names.get(name);
    }
    return node;
  }

  #node(operation: FileOperation, path: string): DiskNode {
    const node = this.#find(path);
    if (node !== undefined) return node;
    const isBelowFile = path.split('/').some((_, index, names) => {
      return index > 1 && this.#find(names.slice(0, index).join('/'))?.kind === 'file';
    });
    throw fileError(isBelowFile ? 'ENOTDIR' : 'ENOENT', operation, path);
  }

  #file(operation: FileOperation, path: string): FileNode {
    const node = this.#node(operation, path);
    if (node.kind === 'directory') throw fileError('EISDIR', operation, path);
    return node;
  }

  #parent(operation: FileOperation, path: string): DirectoryNode {
    const node = this.#node(operation, path.slice(0, path.lastIndexOf('/')));
    if (node.kind === 'file') throw fileError('ENOTDIR', operation, path);
    return node;
  }

  #name(directory: DirectoryNode, path: string, node: DiskNode): void {
    directory.names.set(baseName(path), node);
    directory.modifiedMs = this.disk.clock.nowMs();
  }

  #unname(directory: DirectoryNode, path: string): void {
    directory.names.delete(baseName(path));
    directory.modifiedMs = this.disk.clock.nowMs();
  }

  #addFile(parent: DirectoryNode, name: string): FileNode {
    const file = newFile(this.disk.clock.nowMs());
    file.linkCount = 1;
    this.#name(parent, name, file);
    return file;
  }

  #syncedFile(bytes: Uint8Array, operation: FileOperation, path: string): FileNode {
    const file = newFile(this.disk.clock.nowMs());
    this.grow(file, bytes, operation, path);
    syncNode(file);
    return file;
  }

  #place(path: string, file: FileNode, operation: FileOperation): void {
    const parent = this.#makeDirectory(path.slice(0, path.lastIndexOf('/')));
    const replaced = parent.names.get(baseName(path));
    if (replaced?.kind === 'directory') throw fileError('EISDIR', operation, path);
    if (replaced !== undefined) replaced.linkCount--;
    file.linkCount = 1;
    this.#name(parent, path, file);
    syncNode(parent);
  }

  #makeDirectory(path: string): DirectoryNode {
    let directory = this.disk.root;
    for (const name of path.split('/')) {
      if (name === '') continue;
      let next = directory.names.get(name);
      if (next === undefined) {
        next = newDirectory(this.disk.clock.nowMs());
        this.#name(directory, name, next);
        syncNode(directory);
      }
      if (next.kind === 'file') throw fileError('ENOTDIR', 'makeDirectory', path);
      directory = next;
    }
    return directory;
  }

  async #scan(operation: FileOperation, path: string): Promise<readonly DirectoryEntry[]> {
    await this.enter(operation, path);
    const node = this.#find(path);
    if (node === undefined) return [];
    if (node.kind === 'file') throw fileError('ENOTDIR', operation, path);
    return [...node.names]
      .map(([name, entry]) => ({ name, isDirectory: entry.kind === 'directory' }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
