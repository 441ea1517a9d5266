import type { RequestContext } from '../proxy-core.ts';
import type { Catalog } from '../../catalog/catalog.ts';
import type { WriterLeader } from '../../catalog/model.ts';
import { MishardsError, isErrorWithCode } from '../../errors/index.ts';
import type { Clock, Timers } from '../../host/index.ts';
import type { WriterApi } from '../../protocol/writer-api.ts';
import type { CallOptions } from '../../wire/wire.ts';

export interface WriterLinkOptions {
  readonly catalog: Catalog;
  readonly clock: Clock;
  readonly timers: Timers;
  /** How long a request waits for somebody to take the lease: longer than a takeover takes, shorter than a client's patience. */
  readonly writerWaitMs: number;
  readonly writerFor: (leader: WriterLeader) => WriterApi & AsyncDisposable;
}

/**
 * Calls to whoever holds the writer's lease. A request that certainly was not executed (no writer, not the leader any more)
 * waits for the next leader within its deadline; one that may have been executed fails, and the client decides.
 */
export class WriterLink implements AsyncDisposable {
  readonly #options: WriterLinkOptions;
  #current: { readonly leader: WriterLeader; readonly api: WriterApi & AsyncDisposable } | null = null;

  constructor(options: WriterLinkOptions) {
    this.#options = options;
  }

  async call<Result>(
    context: RequestContext,
    send: (api: WriterApi, options: CallOptions) => Promise<Result>,
  ): Promise<Result> {
    const deadlineMs = this.#options.clock.monotonicMs() + context.timeoutMs;
    let refusedBy: WriterLeader | null = null;
    for (;;) {
      const leader = await this.#waitForLeader(refusedBy, context.signal);
      const timeoutMs = deadlineMs - this.#options.clock.monotonicMs();
      if (timeoutMs <= 0) throw noWriter(leader);
      try {
        return await send(this.#apiOf(leader), { timeoutMs, signal: context.signal, trace: context.trace });
      } catch (error) {
        if (!isErrorWithCode(error, 'NOT_LEADER', 'FENCED')) throw error;
        refusedBy = leader;
      }
    }
  }

  /** Asks once and gives up at once when there is no writer: for callers who have another way. */
  async callIfPresent<Result>(
    context: RequestContext,
    send: (api: WriterApi, options: CallOptions) => Promise<Result>,
  ): Promise<Result> {
    const leader = this.#options.catalog.snapshot().writer;
    if (leader === null) throw noWriter(null);
    return await send(this.#apiOf(leader), {
      timeoutMs: context.timeoutMs,
      signal: context.signal,
      trace: context.trace,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#current?.api[Symbol.asyncDispose]();
  }

  async #waitForLeader(refusedBy: WriterLeader | null, signal: AbortSignal): Promise<WriterLeader> {
    const isNew = (leader: WriterLeader | null): boolean =>
      leader !== null && leader.epoch !== refusedBy?.epoch;
    const enough = new AbortController();
    using _ = this.#options.timers.after(this.#options.writerWaitMs, () => enough.abort());
    try {
      const snapshot = await this.#options.catalog.waitFor(
        (candidate) => isNew(candidate.writer),
        AbortSignal.any([signal, enough.signal]),
      );
      return snapshot.writer!;
    } catch (error) {
      throw noWriter(refusedBy, error);
    }
  }

  #apiOf(leader: WriterLeader): WriterApi {
    if (this.#current?.leader.epoch === leader.epoch) return this.#current.api;
    void this.#current?.api[Symbol.asyncDispose]();
    this.#current = { leader, api: this.#options.writerFor(leader) };
    return this.#current.api;
  }
}

function noWriter(refusedBy: WriterLeader | null, cause?: unknown): MishardsError {
  const last = refusedBy === null ? '' : `; ${refusedBy.nodeId} of epoch ${refusedBy.epoch} has lost it`;
  return new MishardsError('NO_WRITER', `no writer holds the lease${last}; retry in a few seconds`, {
    cause,
  });
}
