import type { ServedChannel } from './served-channel.ts';
import type { MishardsError } from '../errors/index.ts';
import type { Clock, Timers } from '../host/index.ts';
import type { ChannelId, LogSequence } from '../schema/index.ts';

export interface ChannelRetriesOptions {
  readonly clock: Clock;
  readonly timers: Timers;
  /** Called when a channel's rest is over. */
  readonly retry: (channel: ServedChannel) => void;
  readonly limits: { readonly applyRetryMs: number; readonly applyRetryMaxMs: number };
}

interface Rest {
  readonly failure: MishardsError;
  /** Where the channel stood: once it is beyond, the rest is over. */
  readonly applied: LogSequence;
  readonly delayMs: number;
  readonly untilMs: number;
  readonly timer: Disposable;
}

/**
 * Channels whose next entry cannot be applied, and when each is tried again. The rest doubles with each failure in a row, because a
 * try may read the log again from the checkpoint.
 */
export class ChannelRetries implements Disposable {
  readonly #options: ChannelRetriesOptions;
  readonly #rests = new Map<ChannelId, Rest>();

  constructor(options: ChannelRetriesOptions) {
    this.#options = options;
  }

  /** Why the channel is left alone now; null = it is not. */
  restingFor({ id, progress }: ServedChannel): MishardsError | null {
    const rest = this.#rests.get(id);
    if (rest === undefined || progress.applied > rest.applied) return null;
    return this.#options.clock.monotonicMs() < rest.untilMs ? rest.failure : null;
  }

  failed(channel: ServedChannel, failure: MishardsError): void {
    const { clock, timers, limits, retry } = this.#options;
    const { applied } = channel.progress;
    const before = this.#rests.get(channel.id);
    before?.timer[Symbol.dispose]();
    const isInRow = before?.applied === applied;
    const delayMs = isInRow ? Math.min(before.delayMs * 2, limits.applyRetryMaxMs) : limits.applyRetryMs;
    const untilMs = clock.monotonicMs() + delayMs;
    const timer = timers.after(delayMs, () => retry(channel));
    this.#rests.set(channel.id, { failure, applied, delayMs, untilMs, timer });
  }

  /** Whether it had failed before. */
  succeeded({ id }: ServedChannel): boolean {
    this.#rests.get(id)?.timer[Symbol.dispose]();
    return this.#rests.delete(id);
  }

  [Symbol.dispose](): void {
    for (const { timer } of this.#rests.values()) timer[Symbol.dispose]();
    this.#rests.clear();
  }
}
