import type { ServedChannel } from './served-channel.ts';
import type { MishardsError } from '../errors/index.ts';
import type { Timers } from '../host/index.ts';
import type { ChannelId, LogSequence } from '../schema/index.ts';

export interface ChannelRetriesOptions {
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
  readonly timer: Disposable;
  /** Ended by the timer alone, as clocks may tell it to be early. */
  isOver: boolean;
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
    return rest.isOver ? null : rest.failure;
  }

  /** Several may have waited for one attempt: it counts once. */
  failed(channel: ServedChannel, failure: MishardsError): void {
    const { timers, limits, retry } = this.#options;
    const { applied } = channel.progress;
    const before = this.#rests.get(channel.id);
    const isInRow = before?.applied === applied;
    if (isInRow && !before.isOver) return;
    before?.timer[Symbol.dispose]();
    const delayMs = isInRow ? Math.min(before.delayMs * 2, limits.applyRetryMaxMs) : limits.applyRetryMs;
    const timer = timers.after(delayMs, () => {
      rest.isOver = true;
      retry(channel);
    });
    const rest: Rest = { failure, applied, delayMs, timer, isOver: false };
    this.#rests.set(channel.id, rest);
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
