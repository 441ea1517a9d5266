import { MishardsError } from '../errors/index.ts';
import type {
  KeyValue,
  Lease,
  Metastore,
  RangeResult,
  Transaction,
  TransactionResult,
  Watcher,
} from './metastore.ts';

interface PausedWatch {
  readonly prefix: string;
  readonly watcher: Watcher;
  readRevision: number;
  inner: AsyncDisposable | undefined;
  /** Grows with every start and stop; what an older inner watch still says is ignored. */
  generation: number;
}

/**
 * A metastore that can be made to fail as when the service is away: for tests and simulation, in front of any driver.
 * Leases go on expiring behind it. After `resume`, watches go on from where they were.
 */
export class FaultableMetastore implements Metastore {
  readonly #inner: Metastore;
  readonly #watches = new Set<PausedWatch>();
  #isStopped = false;
  #repliesToLose = 0;

  constructor(inner: Metastore) {
    this.#inner = inner;
  }

  get driver(): string {
    return this.#inner.driver;
  }

  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** From now on every call rejects with `METASTORE_UNAVAILABLE` and watches are silent. */
  stop(): void {
    this.#isStopped = true;
    for (const watch of this.#watches) {
      watch.generation++;
      void watch.inner?.[Symbol.asyncDispose]();
      watch.inner = undefined;
    }
  }

  resume(): void {
    if (!this.#isStopped) return;
    this.#isStopped = false;
    for (const watch of this.#watches) this.#start(watch);
  }

  /** The next `count` transactions happen, but their callers get `METASTORE_UNAVAILABLE`. */
  loseReplies(count = 1): void {
    this.#repliesToLose += count;
  }

  async get(key: string): Promise<KeyValue | null> {
    return await this.#call(() => this.#inner.get(key));
  }

  async range(prefix: string): Promise<RangeResult> {
    return await this.#call(() => this.#inner.range(prefix));
  }

  async transact(transaction: Transaction): Promise<TransactionResult> {
    return await this.#call(async () => {
      const result = await this.#inner.transact(transaction);
      if (this.#repliesToLose === 0) return result;
      this.#repliesToLose--;
      throw unavailable();
    });
  }

  watch(prefix: string, afterRevision: number, watcher: Watcher): AsyncDisposable {
    const watch: PausedWatch = {
      prefix,
      watcher,
      readRevision: afterRevision,
      inner: undefined,
      generation: 0,
    };
    this.#watches.add(watch);
    if (!this.#isStopped) this.#start(watch);
    return {
      [Symbol.asyncDispose]: async () => {
        this.#watches.delete(watch);
        watch.generation++;
        await watch.inner?.[Symbol.asyncDispose]();
      },
    };
  }

  async grantLease(ttlMs: number): Promise<Lease> {
    const lease = await this.#call(() => this.#inner.grantLease(ttlMs));
    return {
      id: lease.id,
      ttlMs: lease.ttlMs,
      renew: () => this.#call(() => lease.renew()),
      revoke: () => this.#call(() => lease.revoke()),
      [Symbol.asyncDispose]: async () => {
        if (!this.#isStopped) await lease[Symbol.asyncDispose]();
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#watches.clear();
    await this.#inner[Symbol.asyncDispose]();
  }

  /** A call under way when the service goes away gets no answer either. */
  async #call<T>(call: () => Promise<T>): Promise<T> {
    if (this.#isStopped) throw unavailable();
    const result = await call();
    if (this.#isStopped) throw unavailable();
    return result;
  }

  #start(watch: PausedWatch): void {
    const generation = ++watch.generation;
    watch.inner = this.#inner.watch(watch.prefix, watch.readRevision, {
      onEvents: (events, revision) => {
        if (watch.generation !== generation) return;
        watch.readRevision = revision;
        watch.watcher.onEvents(events, revision);
      },
      onReset: (reason) => {
        if (watch.generation !== generation) return;
        this.#watches.delete(watch);
        watch.watcher.onReset(reason);
      },
    });
  }
}

function unavailable(): MishardsError {
  return new MishardsError('METASTORE_UNAVAILABLE', 'the metadata service does not answer');
}
