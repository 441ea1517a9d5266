import type { Catalog } from '../catalog/catalog.ts';
import { readWriterLeader } from '../catalog/collection-document.ts';
import { decodeDocument, encodeDocument } from '../catalog/document.ts';
import { COMMIT_KEY, WRITER_EPOCH_KEY, WRITER_LEASE_KEY } from '../catalog/keys.ts';
import type { WriterLeader } from '../catalog/model.ts';
import { MishardsError, isErrorWithCode } from '../errors/index.ts';
import type { Host } from '../host/index.ts';
import type { KeyValue, Lease, Metastore } from '../metastore/metastore.ts';
import type { Epoch, NodeId } from '../schema/index.ts';

export interface WriterNode {
  readonly id: NodeId;
  /** Where other nodes reach it. */
  readonly address: string;
}

export interface WriterLeaseOptions {
  readonly host: Pick<Host, 'clock' | 'timers'>;
  readonly metastore: Metastore;
  readonly catalog: Catalog;
  readonly node: WriterNode;
  readonly ttlMs: number;
}

/** Renewals in one lifetime of the lease. */
const RENEWALS_PER_TTL = 3;
/** Part of the lifetime this process does not trust its own clock with. */
const CLOCK_MARGIN = 0.1;

/**
 * Tries to become the active writer. null when another process holds the lease, unless `mayReplace` knows the holder for a
 * former self: that one is replaced at once, and fenced by the higher epoch. `METASTORE_UNAVAILABLE`.
 */
export async function takeWriterLease(
  options: WriterLeaseOptions & { readonly mayReplace: (leader: WriterLeader) => boolean },
): Promise<WriterLease | null> {
  const { metastore, node } = options;
  const holder = await metastore.get(WRITER_LEASE_KEY);
  if (holder !== null && !options.mayReplace(leaderOf(holder))) return null;
  const epochEntry = await metastore.get(WRITER_EPOCH_KEY);
  const epoch = Number(epochEntry?.value ?? 0) + 1;
  const startMs = options.host.clock.monotonicMs();
  const lease = await metastore.grantLease(options.ttlMs);
  const leader: WriterLeader = { nodeId: node.id, address: node.address, epoch };
  try {
    const { succeeded, revision } = await metastore.transact({
      compares: [
        { kind: 'mod-revision', key: WRITER_LEASE_KEY, revision: holder?.modRevision ?? 0 },
        { kind: 'mod-revision', key: WRITER_EPOCH_KEY, revision: epochEntry?.modRevision ?? 0 },
      ],
      then: [
        { kind: 'put', key: WRITER_LEASE_KEY, value: encodeDocument(leader), leaseId: lease.id },
        { kind: 'put', key: WRITER_EPOCH_KEY, value: String(epoch) },
        { kind: 'put', key: COMMIT_KEY, value: encodeDocument({ epoch, number: 0 }) },
      ],
    });
    if (succeeded) return new WriterLease(options, { lease, epoch, revision, startMs });
  } catch (error) {
    await lease[Symbol.asyncDispose]();
    throw error;
  }
  await lease[Symbol.asyncDispose]();
  return null;
}

/**
 * The right to write, for one epoch. It is renewed by itself. `isHeld` is judged by this process's own clock, from before
 * each renewal was sent, so it turns false before the metastore gives the lease to another.
 */
export class WriterLease implements AsyncDisposable {
  readonly epoch: Epoch;
  /** Revision of the election: of the lease's document, and of the first catalog state under this epoch. */
  readonly revision: number;
  readonly #lease: Lease;
  readonly #clock: Host['clock'];
  readonly #trustedMs: number;
  readonly #ended = new AbortController();
  readonly #resources = new DisposableStack();
  #heldUntilMs: number;
  #renewing = false;
  /** Why the last renewal failed; null = it did not. */
  #renewalFailure: MishardsError | null = null;

  constructor(
    options: WriterLeaseOptions,
    taken: {
      readonly lease: Lease;
      readonly epoch: Epoch;
      readonly revision: number;
      readonly startMs: number;
    },
  ) {
    this.epoch = taken.epoch;
    this.revision = taken.revision;
    this.#lease = taken.lease;
    this.#clock = options.host.clock;
    this.#trustedMs = options.ttlMs * (1 - CLOCK_MARGIN);
    this.#heldUntilMs = taken.startMs + this.#trustedMs;
    const intervalMs = Math.ceil(options.ttlMs / RENEWALS_PER_TTL);
    this.#resources.use(options.host.timers.every(intervalMs, () => void this.#renew()));
    this.#watch(options.catalog);
  }

  /** Aborts when the lease is lost for good or given back; the reason is a `MishardsError`. */
  get ended(): AbortSignal {
    return this.#ended.signal;
  }

  get isHeld(): boolean {
    return !this.#ended.signal.aborted && this.#clock.monotonicMs() < this.#heldUntilMs;
  }

  /** Throws `FENCED` or `NOT_LEADER` unless it is held now. */
  checkHeld(): void {
    this.#ended.signal.throwIfAborted();
    if (this.#clock.monotonicMs() < this.#heldUntilMs) return;
    const what = `the writer lease could not be renewed within ${this.#trustedMs} ms`;
    const failure = this.troubleOf(new MishardsError('NOT_LEADER', what));
    throw new MishardsError('NOT_LEADER', `${failure.message}; another writer may hold it`, {
      cause: failure.cause,
    });
  }

  /** The failure with what kept the lease from being renewed, when that is known and may have led to it. */
  troubleOf(failure: MishardsError): MishardsError {
    if (this.#renewalFailure === null) return failure;
    const message = `${failure.message}: ${this.#renewalFailure.message}`;
    return new MishardsError(failure.code, message, { cause: this.#renewalFailure });
  }

  /** Ends it from within: whatever made another epoch certain, or made this one unable to go on. */
  lose(reason: MishardsError): void {
    this.#resources.dispose();
    this.#ended.abort(reason);
  }

  /** Gives the lease back, so that a standby takes over at once. Best effort. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.lose(new MishardsError('NOT_LEADER', 'the writer has given its lease back'));
    await this.#lease[Symbol.asyncDispose]();
  }

  async #renew(): Promise<void> {
    if (this.#renewing || this.#ended.signal.aborted) return;
    this.#renewing = true;
    const startMs = this.#clock.monotonicMs();
    try {
      await this.#lease.renew();
      this.#heldUntilMs = startMs + this.#trustedMs;
      this.#renewalFailure = null;
    } catch (error) {
      if (isErrorWithCode(error, 'METASTORE_UNAVAILABLE')) this.#renewalFailure = error;
      if (isErrorWithCode(error, 'FENCED')) {
        this.lose(new MishardsError('FENCED', 'the writer lease has expired', { cause: error }));
      } else if (!isErrorWithCode(error, 'METASTORE_UNAVAILABLE')) {
        this.lose(new MishardsError('INTERNAL', 'the writer lease failed', { cause: error }));
      }
    } finally {
      this.#renewing = false;
    }
  }

  /** The catalog may show another writer, or none, before the next renewal would. */
  #watch(catalog: Catalog): void {
    let wasSeen = false;
    const look = (): void => {
      const epoch = catalog.snapshot().writer?.epoch;
      if (epoch === this.epoch) wasSeen = true;
      else if (wasSeen || (epoch ?? 0) > this.epoch) {
        this.lose(new MishardsError('FENCED', `epoch ${this.epoch} of the writer has ended`));
      }
    };
    this.#resources.use(catalog.subscribe(look));
    look();
  }
}

function leaderOf(entry: KeyValue): WriterLeader {
  return decodeDocument(entry.key, entry.value, readWriterLeader);
}
