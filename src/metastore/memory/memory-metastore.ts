import type { Host } from '../../host/index.ts';
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
  metastoreClosed,
} from '../metastore-rules.ts';
import { WatchSet } from '../watch-set.ts';
import { MemoryMetastoreVolume } from './memory-metastore-volume.ts';

export interface MemoryMetastoreOptions {
  readonly host: Pick<Host, 'clock' | 'timers'>;
  /** Stores with the same volume are clients of one service; by default a new one. */
  readonly volume?: MemoryMetastoreVolume;
  /** How often expired leases are looked for. Default 20. */
  readonly pollIntervalMs?: number;
}

/** Metadata in this process's memory: for tests, simulation and throw-away servers. */
export class MemoryMetastore implements Metastore {
  readonly driver = 'memory';
  readonly #clock: Host['clock'];
  readonly #volume: MemoryMetastoreVolume;
  readonly #watches: WatchSet;
  readonly #resources = new DisposableStack();

  constructor(options: MemoryMetastoreOptions) {
    this.#clock = options.host.clock;
    const volume = options.volume ?? new MemoryMetastoreVolume();
    this.#volume = volume;
    this.#watches = new WatchSet((prefix, afterRevision) => volume.changesAfter(prefix, afterRevision));
    this.#resources.defer(() => this.#watches.clear());
    this.#resources.use(volume.listen(() => this.#watches.wake()));
    const expire = (): void => volume.expireLeases(this.#clock.nowMs());
    this.#resources.use(options.host.timers.every(options.pollIntervalMs ?? 20, expire));
  }

  async get(key: string): Promise<KeyValue | null> {
    this.#checkOpen();
    checkKey(key);
    return this.#volume.get(key);
  }

  async range(prefix: string): Promise<RangeResult> {
    this.#checkOpen();
    checkPrefix(prefix);
    return this.#volume.range(prefix);
  }

  async transact(transaction: Transaction): Promise<TransactionResult> {
    this.#checkOpen();
    checkTransaction(transaction);
    this.#volume.expireLeases(this.#clock.nowMs());
    return this.#volume.transact(transaction);
  }

  watch(prefix: string, afterRevision: number, watcher: Watcher): AsyncDisposable {
    this.#checkOpen();
    checkPrefix(prefix);
    return this.#watches.add(prefix, afterRevision, watcher);
  }

  async grantLease(ttlMs: number): Promise<Lease> {
    this.#checkOpen();
    checkLeaseTtl(ttlMs);
    const id = this.#volume.grantLease(this.#clock.nowMs() + ttlMs);
    return new HeldLease(id, ttlMs, {
      renew: async (leaseId) => {
        this.#checkOpen();
        this.#volume.expireLeases(this.#clock.nowMs());
        this.#volume.renewLease(leaseId, this.#clock.nowMs() + ttlMs);
      },
      revoke: async (leaseId) => {
        this.#checkOpen();
        this.#volume.revokeLease(leaseId);
      },
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#resources.dispose();
  }

  #checkOpen(): void {
    if (this.#resources.disposed) throw metastoreClosed(this.driver);
  }
}

export function createMemoryMetastore(options: MemoryMetastoreOptions): MemoryMetastore {
  return new MemoryMetastore(options);
}
