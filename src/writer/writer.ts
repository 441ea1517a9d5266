import { IdAllocator } from '../catalog/id-allocator.ts';
import type { WriterLeader } from '../catalog/model.ts';
import { TimestampOracle } from '../catalog/timestamp-oracle.ts';
import { MishardsError, asMishardsError } from '../errors/index.ts';
import type { Host } from '../host/index.ts';
import type { WriterApi } from '../protocol/writer-api.ts';
import type { Epoch } from '../schema/index.ts';
import { silentLogger } from '../telemetry/logger.ts';
import { takeWriterLease, type WriterLease } from './writer-lease.ts';
import { DEFAULT_WRITER_OPTIONS } from './writer-options.ts';
import type { CreateWriterOptions, WriterResources } from './writer-resources.ts';
import { WriterTerm } from './writer-term.ts';

/** What is measured of the active writer. */
export type WriterFigures = WriterTerm['figures'];

/** A candidate for being the active writer, from the moment it is created. Resources it is given stay the giver's. */
export function createWriter(options: CreateWriterOptions): Writer {
  return new Writer(options);
}

export class Writer implements AsyncDisposable {
  readonly api: WriterApi;
  readonly #resources: WriterResources;
  readonly #stopping = new AbortController();
  readonly #done: Promise<void>;
  #term: WriterTerm | null = null;
  /** What ended the last term, or kept the next from beginning; null since it began. */
  #trouble: MishardsError | null = null;
  /** Highest epoch this writer has had. */
  #epoch: Epoch = 0;
  #callCount = 0;
  #onIdle: (() => void) | null = null;

  constructor(options: CreateWriterOptions) {
    this.#resources = {
      logger: silentLogger,
      freeDiskBytes: () => Promise.resolve(Number.POSITIVE_INFINITY),
      ...options,
      options: { ...DEFAULT_WRITER_OPTIONS, ...options.options },
      ids: new IdAllocator(options.metastore),
      oracle: new TimestampOracle(options.host.clock),
    };
    this.api = this.#createApi();
    this.#done = this.#run();
  }

  /** Whether it holds the lease and answers. */
  get isLeader(): boolean {
    return this.#term !== null && this.#term.lease.isHeld;
  }

  /** null while another writer is active. */
  get figures(): WriterFigures | null {
    return this.#term?.figures ?? null;
  }

  /** Takes no more calls, waits for those under way (`drainMs` at most), and gives the lease back so that a standby takes over at once. */
  async stop(options: { readonly drainMs?: number } = {}): Promise<void> {
    if (this.#stopping.signal.aborted) return await this.#done;
    const term = this.#term;
    this.#term = null;
    term?.drain();
    await this.#drained(options.drainMs ?? 5_000, this.#resources.host);
    this.#stopping.abort(new MishardsError('NOT_LEADER', 'the writer is stopping'));
    await this.#done;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #run(): Promise<void> {
    const { host, logger, options } = this.#resources;
    await this.#clearTemporaryFiles();
    const { signal } = this.#stopping;
    let restMs = options.retryMs;
    while (!signal.aborted) {
      const startMs = host.clock.monotonicMs();
      try {
        await this.#serve(await this.#elected());
      } catch (error) {
        if (!signal.aborted) logger.error({ error }, 'the writer could not become active');
        this.#trouble = asMishardsError(error);
      }
      const isStable = host.clock.monotonicMs() - startMs > options.leaseTtlMs * 2;
      restMs = isStable ? options.retryMs : Math.min(restMs * 2, options.retryMaxMs);
      await host.timers.sleep(restMs, signal).catch(() => undefined);
    }
  }

  /** Their names have ids that no later run uses, so what a run that was killed left would stay for ever. */
  async #clearTemporaryFiles(): Promise<void> {
    const { host, logger, temporaryDirectory } = this.#resources;
    await host.files.removeTree(temporaryDirectory).catch((error: unknown) => {
      logger.warn({ temporaryDirectory, error }, 'temporary files of an earlier run cannot be removed');
    });
  }

  /** Resolves with the lease as soon as no other process holds it. */
  async #elected(): Promise<WriterLease> {
    const { catalog, host, options } = this.#resources;
    const { signal } = this.#stopping;
    const mayReplace = (leader: WriterLeader): boolean => this.#isOwn(leader);
    for (;;) {
      await catalog.waitFor(({ writer }) => writer === null || mayReplace(writer), signal);
      const lease = await takeWriterLease({ ...this.#resources, ttlMs: options.leaseTtlMs, mayReplace });
      if (lease !== null) {
        this.#epoch = lease.epoch;
        return lease;
      }
      await host.timers.sleep(options.retryMs, signal);
    }
  }

  /** A lease under this node's name that an earlier run of the node left, or an earlier term of this one. */
  #isOwn(leader: WriterLeader): boolean {
    return leader.nodeId === this.#resources.node.id && (this.#epoch === 0 || leader.epoch <= this.#epoch);
  }

  async #serve(lease: WriterLease): Promise<void> {
    const { logger } = this.#resources;
    const term = new WriterTerm(lease, this.#resources);
    const ended = AbortSignal.any([lease.ended, this.#stopping.signal]);
    try {
      await term.start();
      logger.info({ epoch: lease.epoch }, 'this writer is active');
      this.#term = term;
      this.#trouble = null;
      await aborted(ended);
    } finally {
      this.#term = null;
      const reason = asMishardsError(
        ended.reason ?? new MishardsError('NOT_LEADER', 'the term did not start'),
      );
      this.#trouble = lease.troubleOf(reason);
      logger.info({ epoch: lease.epoch, reason: this.#trouble.message }, 'this writer is no longer active');
      await term.close(reason);
    }
  }

  #active(): WriterTerm {
    if (this.#term !== null) return this.#term;
    const leader = this.#resources.catalog.snapshot().writer;
    const isOther = leader !== null && leader.nodeId !== this.#resources.node.id;
    if (isOther) throw notActive(`ask ${leader.nodeId} at ${leader.address}`);
    throw notActive(this.#trouble?.message ?? 'no writer is active yet');
  }

  async #call<T>(answer: (term: WriterTerm) => Promise<T>): Promise<T> {
    const term = this.#active();
    this.#callCount++;
    try {
      return await answer(term);
    } finally {
      this.#callCount--;
      if (this.#callCount === 0) this.#onIdle?.();
    }
  }

  async #drained(drainMs: number, host: Host): Promise<void> {
    if (this.#callCount === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onIdle = resolve;
    using _timer = host.timers.after(drainMs, resolve);
    await promise;
  }

  #createApi(): WriterApi {
    return {
      execute: (command, call) => this.#call((term) => term.execute(command, call)),
      insert: (request, call) => this.#call((term) => term.insert(request, call)),
      upsert: (request, call) => this.#call((term) => term.upsert(request, call)),
      delete: (request, call) => this.#call((term) => term.delete(request, call)),
      flush: (collections, call) => this.#call((term) => term.flush(collections, call)),
      compact: (collection) => this.#call((term) => term.compact(collection)),
      compactionState: (compactionId) => this.#call((term) => term.compactionState(compactionId)),
      positions: (collection) => this.#call((term) => term.positions(collection)),
      freshRows: (collection) => this.#call((term) => term.freshRows(collection)),
      follow: (request, call) => this.#call((term) => term.follow(request, call)),
    };
  }
}

function notActive(hint: string): MishardsError {
  return new MishardsError('NOT_LEADER', `this writer is not active: ${hint}`);
}

/** Resolves when the signal aborts. */
async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
