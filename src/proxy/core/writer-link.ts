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

const UNREACHABLE_REST_MS = 50;
/** Failures after which the request certainly was not executed. */
const NOT_EXECUTED = ['NOT_LEADER', 'FENCED', 'UNREACHABLE'] as const;

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
    const { clock, timers, writerWaitMs } = this.#options;
    const startMs = clock.monotonicMs();
    const enough = new AbortController();
    using _ = timers.after(writerWaitMs, () => enough.abort());
    const waiting = AbortSignal.any([context.signal, enough.signal]);
    let refusedBy: WriterLeader | null = null;
    for (;;) {
      const leader = await this.#waitForLeader(refusedBy, waiting);
      const timeoutMs = context.timeoutMs - (clock.monotonicMs() - startMs);
      if (timeoutMs <= 0) throw noWriter(leader);
      try {
        return await send(this.#apiOf(leader), { timeoutMs, signal: context.signal, trace: context.trace });
      } catch (error) {
        if (!isErrorWithCode(error, ...NOT_EXECUTED)) throw error;
        if (isErrorWithCode(error, 'UNREACHABLE')) await this.#rest(waiting, error);
        else refusedBy = leader;
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

  async #waitForLeader(refusedBy: WriterLeader | null, waiting: AbortSignal): Promise<WriterLeader> {
    const isNew = (leader: WriterLeader | null): boolean =>
      leader !== null && leader.epoch !== refusedBy?.epoch;
    try {
      const snapshot = await this.#options.catalog.waitFor((candidate) => isNew(candidate.writer), waiting);
      return snapshot.writer!;
    } catch (error) {
      throw noWriter(refusedBy, error);
    }
  }

  /** The leader may be restarting or about to be replaced: a moment later one or the other shows. */
  async #rest(waiting: AbortSignal, error: MishardsError): Promise<void> {
    await this.#options.timers.sleep(UNREACHABLE_REST_MS, waiting).catch(() => {
      throw error;
    });
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
