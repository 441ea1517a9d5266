import { MishardsError, asMishardsError, isErrorWithCode } from '../../errors/index.ts';
import type { Host } from '../../host/index.ts';
import type { Lease, Metastore } from '../../metastore/metastore.ts';
import type { NodeInfo } from '../discovery.ts';

/** Renewals in the life of a lease: two may fail before it is lost. */
const RENEWALS_PER_TTL = 3;
/** Part of the usual interval after which a failed renewal is tried again. */
const RETRY_SHARE = 0.25;

export interface RegistrationOptions {
  readonly metastore: Metastore;
  readonly host: Pick<Host, 'timers' | 'random'>;
  readonly leaseTtlMs: number;
  readonly onProblem: (error: MishardsError) => void;
}

/**
 * Keeps one node announced: renews its lease, puts the entry anew when it was lost, and gives way for good to a process that
 * put an entry of the same id later.
 */
export class Registration implements AsyncDisposable {
  readonly key: string;
  readonly #node: NodeInfo;
  readonly #value: string;
  readonly #options: RegistrationOptions;
  #lease: Lease | null = null;
  /** Of our last put; 0 while the entry is known to be lost. */
  #revision = 0;
  #timer: Disposable | null = null;
  #work: Promise<void> = Promise.resolve();
  #away = false;
  #shaken = false;
  #calming: Disposable | null = null;
  #ended = false;

  constructor(key: string, node: NodeInfo, options: RegistrationOptions) {
    this.key = key;
    this.#node = node;
    this.#value = JSON.stringify(node);
    this.#options = options;
  }

  /**
   * Whether the lease was lost or could not be renewed, until a lease's time after it is well again. What expires meanwhile
   * says more about the metastore than about the processes.
   */
  get isShaken(): boolean {
    return this.#shaken;
  }

  /** Puts the entry, over that of an earlier process of the same id. Rejects with the metastore's error. */
  async announce(): Promise<void> {
    try {
      await this.#put(null);
    } catch (error) {
      await this[Symbol.asyncDispose]();
      throw error;
    }
    this.#schedule(1);
  }

  /** The registry was seen to hold an entry of this revision under the key. Older news than our put is no news. */
  onPresent(modRevision: number): void {
    if (!this.#ended && this.#revision !== 0 && modRevision > this.#revision) this.#giveWay();
  }

  /** The registry was seen, at this revision, to hold nothing under the key. */
  onAbsent(modRevision: number): void {
    if (this.#ended || this.#revision === 0 || modRevision < this.#revision) return;
    this.#loseEntry();
    this.#workSoon();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end();
    await this.#work;
    await this.#lease?.[Symbol.asyncDispose]();
  }

  /** With `expected`, only when the entry still has this revision (0: is absent). */
  async #put(expected: number | null): Promise<void> {
    const previous = this.#lease;
    const lease = await this.#options.metastore.grantLease(this.#options.leaseTtlMs);
    this.#lease = lease;
    const { key } = this;
    const result = await this.#options.metastore.transact({
      compares: expected === null ? [] : [{ kind: 'mod-revision', key, revision: expected }],
      then: [{ kind: 'put', key, value: this.#value, leaseId: lease.id }],
    });
    if (!result.succeeded) return;
    this.#revision = result.revision;
    // Only now: the entry hung on it when an earlier put happened without its answer.
    await previous?.[Symbol.asyncDispose]();
  }

  /** `share` of the usual interval, with jitter so that a cluster that started together does not renew together. */
  #schedule(share: number): void {
    if (this.#ended) return;
    const delayMs = (this.#options.leaseTtlMs / RENEWALS_PER_TTL) * share;
    const jitter = 0.8 + 0.2 * this.#options.host.random.next();
    this.#timer?.[Symbol.dispose]();
    this.#timer = this.#options.host.timers.after(delayMs * jitter, () => this.#workSoon());
  }

  #workSoon(): void {
    this.#work = this.#work.then(() => this.#renewOrPut());
  }

  async #renewOrPut(): Promise<void> {
    if (this.#ended) return;
    try {
      if (this.#revision === 0) await this.#putAgain();
      else await this.#lease?.renew();
      this.#away = false;
      this.#calmDown();
      this.#schedule(this.#revision === 0 ? RETRY_SHARE : 1);
    } catch (error) {
      this.#onFailure(error);
    }
  }

  async #putAgain(): Promise<void> {
    const entry = await this.#options.metastore.get(this.key);
    if (entry !== null && entry.value !== this.#value) return this.#giveWay();
    await this.#put(entry?.modRevision ?? 0);
  }

  /** A lost lease means putting the entry anew; a metastore that is away is reported once, and asked again soon. */
  #onFailure(error: unknown): void {
    if (isErrorWithCode(error, 'FENCED')) {
      this.#loseEntry();
    } else if (!this.#away) {
      this.#away = true;
      this.#shake();
      this.#options.onProblem(asMishardsError(error));
    }
    this.#schedule(RETRY_SHARE);
  }

  #loseEntry(): void {
    this.#revision = 0;
    this.#shake();
  }

  #shake(): void {
    this.#shaken = true;
    this.#calming?.[Symbol.dispose]();
    this.#calming = null;
  }

  #calmDown(): void {
    if (!this.#shaken || this.#calming !== null || this.#revision === 0) return;
    this.#calming = this.#options.host.timers.after(this.#options.leaseTtlMs, () => {
      this.#shaken = false;
      this.#calming = null;
    });
  }

  #giveWay(): void {
    this.#end();
    this.#options.onProblem(
      new MishardsError(
        'FENCED',
        `the node id ${this.#node.id} was registered by another process later; this one, at ${this.#node.address}, ` +
          `is no longer announced; give every process an id of its own`,
      ),
    );
  }

  #end(): void {
    this.#ended = true;
    this.#timer?.[Symbol.dispose]();
    this.#calming?.[Symbol.dispose]();
  }
}
