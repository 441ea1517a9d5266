import type { RequestContext } from '../proxy-core.ts';
import type { Catalog } from '../../catalog/catalog.ts';
import type { WriterLeader } from '../../catalog/model.ts';
import { MishardsError, isErrorWithCode } from '../../errors/index.ts';
import type { Clock, Timers } from '../../host/index.ts';
import type { WriterApi } from '../../protocol/writer-api.ts';
import { LinkedAbort } from '../../util/linked-abort.ts';
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
/** How long a writer that held the lease is asked why nobody does: it is there and says so at once, or it is not. */
const REASON_WAIT_MS = 300;
/** Failures after which the request certainly was not executed. */
const NOT_EXECUTED = ['NOT_LEADER', 'FENCED', 'UNREACHABLE'] as const;

/** Of a writer that was asked and is not active. */
interface Refusal {
  readonly by: WriterLeader;
  readonly reason: MishardsError;
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
    const { clock, timers, writerWaitMs } = this.#options;
    const startMs = clock.monotonicMs();
    using enough = new LinkedAbort(context.signal);
    using _ = timers.after(writerWaitMs, () => enough.abort());
    const waiting = enough.signal;
    let refusal: Refusal | null = null;
    for (;;) {
      const leader = await this.#waitForLeader(refusal, waiting);
      const timeoutMs = context.timeoutMs - (clock.monotonicMs() - startMs);
      if (timeoutMs <= 0) throw noWriter(refusal);
      try {
        return await send(this.#apiOf(leader), { timeoutMs, signal: context.signal, trace: context.trace });
      } catch (error) {
        if (!isErrorWithCode(error, ...NOT_EXECUTED)) throw error;
        if (isErrorWithCode(error, 'UNREACHABLE')) await this.#rest(waiting, error);
        else refusal = { by: leader, reason: error };
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

  async #waitForLeader(refusal: Refusal | null, waiting: AbortSignal): Promise<WriterLeader> {
    const isNew = (leader: WriterLeader | null): boolean =>
      leader !== null && leader.epoch !== refusal?.by.epoch;
    try {
      const snapshot = await this.#options.catalog.waitFor((candidate) => isNew(candidate.writer), waiting);
      return snapshot.writer!;
    } catch (error) {
      throw noWriter(refusal ?? (await this.#lastRefusal()), error);
    }
  }

  /** What the writer that held the lease last says of it; null when it does not know or is gone. */
  async #lastRefusal(): Promise<Refusal | null> {
    if (this.#current === null) return null;
    const { leader, api } = this.#current;
    try {
      // Whoever is not active refuses it, and it changes nothing where somebody is.
      await api.compactionState('', { timeoutMs: REASON_WAIT_MS });
      return null;
    } catch (error) {
      return isErrorWithCode(error, 'NOT_LEADER', 'FENCED') ? { by: leader, reason: error } : null;
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

function noWriter(refusal: Refusal | null, cause?: unknown): MishardsError {
  const last =
    refusal === null
      ? ''
      : `; ${refusal.by.nodeId} of epoch ${refusal.by.epoch} has lost it: ${refusal.reason.message}`;
  return new MishardsError('NO_WRITER', `no writer holds the lease${last}; retry in a few seconds`, {
    cause,
  });
}
