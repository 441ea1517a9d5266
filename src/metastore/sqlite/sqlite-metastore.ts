import { dirname } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { storageError, type Host } from '../../host/index.ts';
import { HeldLease } from '../held-lease.ts';
import type {
  KeyValue,
  Lease,
  Metastore,
  RangeResult,
  Transaction,
  TransactionResult,
  Watcher,
} from '../metastore.ts';
import {
  checkKey,
  checkLeaseTtl,
  checkPrefix,
  checkTransaction,
  leaseExpired,
  metastoreClosed,
} from '../metastore-rules.ts';
import { WatchSet, resetReason, type ChangesAfter } from '../watch-set.ts';
import { asMetastoreError, isSqliteBusy } from './sqlite-errors.ts';
import { prepareSchema } from './sqlite-schema.ts';
import { SqliteTables } from './sqlite-tables.ts';

/** How long a statement blocks this thread on another process's lock before the wait becomes asynchronous. */
const BLOCKING_WAIT_MS = 2;
const RETRY_WAIT_MS = 4;
const BYTES_CHECK_EVERY_REVISIONS = 64;

export interface SqliteMetastoreOptions {
  readonly host: Host;
  /** Absolute path of the database file on a local disk (SQLite's locks do not work on NFS); created when missing. */
  readonly path: string;
  /** How often other processes' changes and expired leases are looked for. Default 20. */
  readonly pollIntervalMs?: number;
  /** How long a call waits for other processes' transactions. Default 5 000. */
  readonly busyTimeoutMs?: number;
  /** Revisions kept for watches that fell behind. Default 4 096. */
  readonly changesMax?: number;
  /** Bytes of keys and values kept for them. Default 64 MiB. */
  readonly changesBytesMax?: number;
}

/**
 * Metadata in one SQLite file, for any number of processes of one host. Every transaction is a SQLite transaction with
 * `synchronous = FULL`. Changes of other processes are noticed by polling `PRAGMA data_version`, which costs microseconds.
 * Leases are in the file, timed by the wall clock all processes of the host share; whichever process polls first ends an
 * expired one.
 */
export class SqliteMetastore implements Metastore {
  readonly driver = 'sqlite';
  readonly #options: SqliteMetastoreOptions;
  readonly #db: DatabaseSync;
  readonly #tables: SqliteTables;
  readonly #watches: WatchSet;
  readonly #poller: Disposable;
  readonly #readDataVersion: StatementSync;
  #dataVersion = -1;
  /** The watches have been told of everything up to here. */
  #toldRevision = -1;
  #nextExpiryMs = 0;
  #isClosed = false;

  /** `db` has the schema; this object closes it. */
  constructor(options: SqliteMetastoreOptions, db: DatabaseSync) {
    this.#options = options;
    this.#db = db;
    this.#tables = new SqliteTables(db);
    this.#readDataVersion = db.prepare('PRAGMA data_version');
    this.#watches = new WatchSet((prefix, afterRevision) => this.#changesAfter(prefix, afterRevision));
    this.#poller = options.host.timers.every(options.pollIntervalMs ?? 20, () => this.#poll());
  }

  async get(key: string): Promise<KeyValue | null> {
    checkKey(key);
    return await this.#retry(() => this.#tables.get(key));
  }

  async range(prefix: string): Promise<RangeResult> {
    checkPrefix(prefix);
    return await this.#retry(() =>
      this.#transaction('BEGIN', () => {
        const { revision } = this.#tables.state();
        return { revision, entries: this.#tables.range(prefix) };
      }),
    );
  }

  async transact(transaction: Transaction): Promise<TransactionResult> {
    checkTransaction(transaction);
    return await this.#retry(() => this.#write(() => this.#transactNow(transaction)));
  }

  watch(prefix: string, afterRevision: number, watcher: Watcher): AsyncDisposable {
    this.#checkOpen();
    checkPrefix(prefix);
    return this.#watches.add(prefix, afterRevision, watcher);
  }

  async grantLease(ttlMs: number): Promise<Lease> {
    checkLeaseTtl(ttlMs);
    const { clock } = this.#options.host;
    const id = await this.#retry(() => this.#write(() => this.#tables.grantLease(clock.nowMs() + ttlMs)));
    return new HeldLease(id, ttlMs, {
      renew: (leaseId) => this.#renew(leaseId, ttlMs),
      revoke: (leaseId) =>
        this.#retry(() => this.#write(() => void this.#tables.endLeases([Number(leaseId)]))),
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#poller[Symbol.dispose]();
    this.#watches.clear();
    this.#db.close();
  }

  #transactNow(transaction: Transaction): TransactionResult {
    this.#expireLeases();
    const { revision } = this.#tables.state();
    if (!transaction.compares.every((compare) => this.#tables.holds(compare))) {
      return { succeeded: false, revision };
    }
    const changeCount = this.#tables.apply(transaction.then, revision + 1);
    return { succeeded: true, revision: changeCount === 0 ? revision : revision + 1 };
  }

  async #renew(leaseId: string, ttlMs: number): Promise<void> {
    const renewed = await this.#retry(() => {
      // A renewal lost in a power cut does no harm: the lease ends earlier. So it need not wait for the disk.
      this.#db.exec('PRAGMA synchronous = NORMAL');
      try {
        return this.#write(() => {
          const nowMs = this.#options.host.clock.nowMs();
          return this.#tables.renewLease(leaseId, nowMs, nowMs + ttlMs);
        });
      } finally {
        this.#db.exec('PRAGMA synchronous = FULL');
      }
    });
    if (!renewed) throw leaseExpired(leaseId);
  }

  #changesAfter(prefix: string, afterRevision: number): ChangesAfter | undefined {
    try {
      return this.#transaction('BEGIN', () => {
        const { revision, compacted_revision: compactedRevision } = this.#tables.state();
        const reason = resetReason(afterRevision, compactedRevision, revision);
        if (reason !== undefined) return { kind: 'reset', reason };
        const changes = this.#tables.changesAfter(prefix, afterRevision);
        return { kind: 'changes', upTo: revision, changes };
      });
    } catch (error) {
      this.#rethrowDefect(error);
      // The next poll tries again although the data may not change until then.
      this.#dataVersion = -1;
      this.#toldRevision = -1;
      return undefined;
    }
  }

  #poll(): void {
    try {
      const { data_version: dataVersion } = this.#readDataVersion.get() as { data_version: number };
      if (dataVersion !== this.#dataVersion) {
        this.#nextExpiryMs = this.#tables.nextExpiryMs();
        this.#dataVersion = dataVersion;
        this.#tellWatches();
      }
      if (this.#nextExpiryMs <= this.#options.host.clock.nowMs()) this.#write(() => this.#expireLeases());
    } catch (error) {
      this.#rethrowDefect(error);
    }
  }

  /** A store that does not answer now is polled again soon; the calls report it. */
  #rethrowDefect(error: unknown): void {
    const typed = asMetastoreError(error, this.#options.path);
    if (typed === error) throw error;
  }

  #expireLeases(): void {
    const expired = this.#tables.expiredLeases(this.#options.host.clock.nowMs());
    if (expired.length > 0) this.#tables.endLeases(expired);
  }

  #write<T>(use: () => T): T {
    const result = this.#transaction('BEGIN IMMEDIATE', () => {
      const value = use();
      this.#compact();
      this.#nextExpiryMs = this.#tables.nextExpiryMs();
      return value;
    });
    this.#tellWatches();
    return result;
  }

  /** Most changes of the file are renewals of leases, which no watch sees. */
  #tellWatches(): void {
    const { revision } = this.#tables.state();
    if (revision === this.#toldRevision) return;
    this.#toldRevision = revision;
    this.#watches.wake();
  }

  #compact(): void {
    const { changesMax = 4096, changesBytesMax = 64 * 1024 * 1024 } = this.#options;
    const { revision, compacted_revision: compacted } = this.#tables.state();
    const slack = Math.ceil(changesMax / 4);
    let upTo = revision - compacted > changesMax + slack ? revision - changesMax : 0;
    if (revision % BYTES_CHECK_EVERY_REVISIONS === 0) {
      upTo = Math.max(upTo, this.#tables.revisionAboveBytes(changesBytesMax));
    }
    if (upTo > compacted) this.#tables.compact(upTo);
  }

  #transaction<T>(begin: 'BEGIN' | 'BEGIN IMMEDIATE', use: () => T): T {
    this.#db.exec(begin);
    try {
      const result = use();
      this.#db.exec('COMMIT');
      return result;
    } catch (error) {
      // SQLite has rolled back by itself after some errors (full disk, input/output).
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      throw error;
    }
  }

  /** Runs `use`, again while another process holds the lock, without blocking this thread meanwhile. */
  async #retry<T>(use: () => T): Promise<T> {
    const { host, path, busyTimeoutMs = 5_000 } = this.#options;
    const giveUpMs = host.clock.monotonicMs() + busyTimeoutMs;
    for (;;) {
      this.#checkOpen();
      try {
        return use();
      } catch (error) {
        if (!isSqliteBusy(error) || host.clock.monotonicMs() >= giveUpMs) throw asMetastoreError(error, path);
      }
      await host.timers.sleep(host.random.next() * RETRY_WAIT_MS);
    }
  }

  #checkOpen(): void {
    if (this.#isClosed) throw metastoreClosed(this.driver);
  }
}

/** Throws `CONFIG_INVALID` when the file is not a metadata database of this or an older version. */
export async function createSqliteMetastore(options: SqliteMetastoreOptions): Promise<SqliteMetastore> {
  const { host, path, busyTimeoutMs = 5_000 } = options;
  await host.files.makeDirectory(dirname(path)).catch((error: unknown) => {
    throw storageError(error, `making the directory of the metadata database ${path}`);
  });
  const giveUpMs = host.clock.monotonicMs() + busyTimeoutMs;
  for (;;) {
    let db: DatabaseSync | undefined;
    try {
      db = new DatabaseSync(path, { timeout: BLOCKING_WAIT_MS });
      prepareSchema(db, path);
      return new SqliteMetastore(options, db);
    } catch (error) {
      db?.close();
      if (!isSqliteBusy(error) || host.clock.monotonicMs() >= giveUpMs) throw asMetastoreError(error, path);
    }
    await host.timers.sleep(host.random.next() * RETRY_WAIT_MS);
  }
}
