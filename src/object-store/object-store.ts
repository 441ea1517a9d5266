/**
 * Shared storage: immutable objects under keys. Keys are `/`-separated, of `[A-Za-z0-9._-]` segments that do not begin with a
 * dot and have at most 255 bytes, up to 512 bytes in all; there are no directories. No key may continue another (`a/b` beside
 * `a`): drivers that keep files refuse it with `PARAMETER_INVALID`. Whole objects appear atomically. After a put resolves the object is durable and every node
 * sees it.
 *
 * Errors: `OBJECT_NOT_FOUND`, `OBJECT_CONFLICT` (a condition did not hold), `STORAGE_UNAVAILABLE` (retriable),
 * `PARAMETER_INVALID` (a key out of the rules).
 */
export interface ObjectStore extends AsyncDisposable {
  readonly driver: string;
  put(key: string, bytes: Uint8Array, condition?: PutCondition): Promise<ObjectStat>;
  /** Stores the content of a local file; the file stays. */
  putFile(key: string, path: string, condition?: PutCondition): Promise<ObjectStat>;
  get(key: string): Promise<Uint8Array>;
  /** Bytes [offset, offset + length); fewer where the object ends. */
  getRange(key: string, offset: number, length: number): Promise<Uint8Array>;
  /** Writes the object to a local file, which appears atomically, complete. */
  getToFile(key: string, path: string, signal?: AbortSignal): Promise<void>;
  stat(key: string): Promise<ObjectStat>;
  /** Objects whose key starts with `prefix`, by key ascending, after `startAfter`, at most `limit` (1 … 1000, default 1000). */
  list(
    prefix: string,
    options?: { readonly startAfter?: string; readonly limit?: number },
  ): Promise<readonly ListedObject[]>;
  /** Resolves also when the object does not exist. */
  delete(key: string): Promise<void>;
}

/** `if-absent`: only when no object has the key. `if-match`: only when its etag is this one. */
export type PutCondition =
  { readonly kind: 'if-absent' } | { readonly kind: 'if-match'; readonly etag: string };

export interface ObjectStat {
  readonly sizeBytes: number;
  /** Changes with the content; opaque. */
  readonly etag: string;
  readonly modifiedMs: number;
}

export interface ListedObject extends ObjectStat {
  readonly key: string;
}
