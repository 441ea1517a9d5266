/**
 * The files of one machine, injected. Paths are absolute. Missing files throw Node's errors with `code: 'ENOENT'`.
 * Everything that must survive a power cut is synced explicitly: `writeAtomic` and `AppendFile.sync` do it, `write` does not.
 */
export interface FileSystem {
  read(path: string): Promise<Uint8Array>;
  /** Bytes [offset, offset + length), fewer at the end of the file. */
  readRange(path: string, offset: number, length: number): Promise<Uint8Array>;
  write(path: string, bytes: Uint8Array): Promise<void>;
  /** Temporary file, fsync, rename, fsync of the directory: readers see all of it or nothing. Creates directories. */
  writeAtomic(path: string, bytes: Uint8Array): Promise<void>;
  /** As `writeAtomic`, but fails with `code: 'EEXIST'` when the file exists, also in a race. */
  writeExclusive(path: string, bytes: Uint8Array): Promise<void>;
  /** Copies, sharing blocks where the file system can. The target appears atomically and durably. */
  copy(from: string, to: string): Promise<void>;
  /** Durable when it resolves; replaces `to`. */
  rename(from: string, to: string): Promise<void>;
  /** A second name for the same file; fails with `code: 'EEXIST'` when `to` exists, also in a race. Not durable before `sync` of the directory. */
  link(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  /** Removes an empty directory; `code: 'ENOTEMPTY'` when it is not empty. */
  removeDirectory(path: string): Promise<void>;
  removeTree(path: string): Promise<void>;
  exists(path: string): Promise<boolean>;
  stat(path: string): Promise<FileStat>;
  /** Bytes that can still be written where `path`, which exists, lies. */
  freeBytes(path: string): Promise<number>;
  /** Sets the modification time, kept to the microsecond where the file system can. */
  setModified(path: string, modifiedMs: number): Promise<void>;
  /** Makes the content of a file, or the names in a directory, durable. */
  sync(path: string): Promise<void>;
  makeDirectory(path: string): Promise<void>;
  /** Names in a directory, sorted; empty when it does not exist. */
  list(path: string): Promise<readonly string[]>;
  /** As `list`, telling files from directories. */
  scan(path: string): Promise<readonly DirectoryEntry[]>;
  /** A new empty directory inside `parent` whose name nobody else has, on any host. Creates `parent`. */
  makeUniqueDirectory(parent: string): Promise<string>;
  /** Opens for appending, creating it (durably) when absent. */
  openAppend(path: string): Promise<AppendFile>;
}

export interface FileStat {
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  readonly isDirectory: boolean;
  /** Names of a file, see `link`. */
  readonly linkCount: number;
}

export interface DirectoryEntry {
  readonly name: string;
  readonly isDirectory: boolean;
}

export interface AppendFile extends AsyncDisposable {
  /** Bytes in the file, counting this handle's appends. */
  readonly sizeBytes: number;
  /** Writes all of `chunks` at the end. Not durable before `sync`. */
  append(chunks: readonly Uint8Array[]): Promise<void>;
  sync(): Promise<void>;
  truncate(sizeBytes: number): Promise<void>;
}
