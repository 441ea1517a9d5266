import type { Random } from '../random.ts';

/** Content whose first `size` bytes count. Appending beyond `size` never changes what an older pair shows. */
interface Content {
  readonly buffer: Uint8Array<ArrayBuffer>;
  readonly size: number;
}

export interface FileNode {
  readonly kind: 'file';
  content: Content;
  /** What a power cut leaves. */
  durable: Content;
  modifiedMs: number;
  linkCount: number;
}

export interface DirectoryNode {
  readonly kind: 'directory';
  names: Map<string, DiskNode>;
  /** The names a power cut leaves. */
  durableNames: Map<string, DiskNode>;
  modifiedMs: number;
}

export type DiskNode = FileNode | DirectoryNode;

const EMPTY: Content = { buffer: new Uint8Array(0), size: 0 };
const SECTOR_BYTES = 512;

/** An error as the operating system would give it. */
export function fileError(code: string, operation: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${operation} '${path}'`), { code });
}

export function newFile(nowMs: number): FileNode {
  return { kind: 'file', content: EMPTY, durable: EMPTY, modifiedMs: nowMs, linkCount: 0 };
}

export function newDirectory(nowMs: number): DirectoryNode {
  return { kind: 'directory', names: new Map(), durableNames: new Map(), modifiedMs: nowMs };
}

export function contentBytes(file: FileNode): Uint8Array<ArrayBuffer> {
  return file.content.buffer.subarray(0, file.content.size);
}

export function replaceContent(file: FileNode, bytes: Uint8Array): void {
  file.content = { buffer: Uint8Array.from(bytes), size: bytes.byteLength };
}

export function appendContent(file: FileNode, bytes: Uint8Array): void {
  const { buffer, size } = file.content;
  const wanted = size + bytes.byteLength;
  const target = wanted <= buffer.byteLength ? buffer : new Uint8Array(Math.max(64, wanted * 2));
  if (target !== buffer) target.set(buffer.subarray(0, size));
  target.set(bytes, size);
  file.content = { buffer: target, size: wanted };
}

export function truncateContent(file: FileNode, sizeBytes: number): void {
  const kept = new Uint8Array(sizeBytes);
  kept.set(contentBytes(file).subarray(0, sizeBytes));
  file.content = { buffer: kept, size: sizeBytes };
}

export function syncNode(node: DiskNode): void {
  if (node.kind === 'file') node.durable = node.content;
  else node.durableNames = new Map(node.names);
}

/** Forgets what was never synced, below `directory`. With `tear`, unsynced ends of files survive in random sectors. */
export function loseUnsynced(directory: DirectoryNode, tear: Random | undefined): void {
  directory.names = new Map(directory.durableNames);
  for (const node of directory.names.values()) {
    if (node.kind === 'directory') loseUnsynced(node, tear);
    else {
      node.content = tear === undefined ? node.durable : tornContent(node, tear);
      node.durable = node.content;
    }
  }
}

/** Disks write sectors in any order: of an unsynced end a random part has arrived, with holes of zeros. */
function tornContent(file: FileNode, tear: Random): Content {
  const { content, durable } = file;
  if (content.size <= durable.size) return durable;
  const size = durable.size + tear.below(content.size - durable.size + 1);
  const buffer = content.buffer.slice(0, size);
  for (let start = durable.size; start < size; start += SECTOR_BYTES) {
    if (tear.next() < 0.25) buffer.fill(0, start, Math.min(size, start + SECTOR_BYTES));
  }
  return { buffer, size };
}
