/**
 * The metadata service: a small ordered key-value store in etcd's model. Keys and values are UTF-8 strings; keys up to 1 KiB,
 * values up to 1 MiB. Every successful write transaction raises the store's revision by one, unless it changes nothing (it
 * only deletes what is not there). Transactions are serializable and durable when they resolve. The order of keys is that
 * of their UTF-8 bytes.
 *
 * Errors: `METASTORE_UNAVAILABLE` (retriable; a transaction that got it may or may not have happened),
 * `PARAMETER_TOO_LARGE`, `PARAMETER_INVALID`, `FENCED` (a put with a lease that has ended).
 */
export interface Metastore extends AsyncDisposable {
  readonly driver: string;
  get(key: string): Promise<KeyValue | null>;
  /** Keys starting with `prefix`, ascending, all from one revision. */
  range(prefix: string): Promise<RangeResult>;
  /** Compares and writes in one atomic step; when a compare fails nothing is written. At most 512 compares and 512 operations; no key twice in `then`. */
  transact(transaction: Transaction): Promise<TransactionResult>;
  /**
   * Calls `onEvents` with the changes under `prefix` of revisions after `afterRevision`, in order, whole revisions at a time,
   * until disposed. If those revisions are no longer kept, or contact was lost for too long, `onReset` is called instead: the
   * caller ranges anew and watches from there. When the store is away the watch stays silent and goes on by itself later.
   */
  watch(prefix: string, afterRevision: number, watcher: Watcher): AsyncDisposable;
  /** A lease that expires `ttlMs` after its last renewal. Keys put with it vanish with it. */
  grantLease(ttlMs: number): Promise<Lease>;
}

export interface KeyValue {
  readonly key: string;
  readonly value: string;
  readonly createRevision: number;
  readonly modRevision: number;
}

export interface RangeResult {
  readonly revision: number;
  readonly entries: readonly KeyValue[];
}

export type Compare =
  /** The key's modRevision is this; 0 = the key does not exist. */
  | { readonly kind: 'mod-revision'; readonly key: string; readonly revision: number }
  | { readonly kind: 'value'; readonly key: string; readonly value: string }
  | { readonly kind: 'absent'; readonly key: string }
  | { readonly kind: 'exists'; readonly key: string };

export type Write =
  | { readonly kind: 'put'; readonly key: string; readonly value: string; readonly leaseId?: string }
  | { readonly kind: 'delete'; readonly key: string };

export interface Transaction {
  readonly compares: readonly Compare[];
  readonly then: readonly Write[];
}

/** `revision` is the store's revision after the transaction, or at its refusal. */
export type TransactionResult =
  | { readonly succeeded: true; readonly revision: number }
  | { readonly succeeded: false; readonly revision: number };

export type WatchEvent =
  | { readonly kind: 'put'; readonly entry: KeyValue }
  | { readonly kind: 'delete'; readonly key: string; readonly modRevision: number };

export interface Watcher {
  onEvents(events: readonly WatchEvent[], revision: number): void;
  onReset(reason: string): void;
}

export interface Lease extends AsyncDisposable {
  readonly id: string;
  readonly ttlMs: number;
  /** Prolongs it by `ttlMs` from now. Rejects with `FENCED` when it has expired, `METASTORE_UNAVAILABLE` when that is unknown. */
  renew(): Promise<void>;
  /** Ends it now; its keys vanish. Disposing does the same, best effort. */
  revoke(): Promise<void>;
}
