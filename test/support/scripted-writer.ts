import { MishardsError } from '../../src/errors/index.ts';
import type { Timers } from '../../src/host/index.ts';
import type { LogEntry } from '../../src/log/log.ts';
import type { FollowRequest, FollowResult, WriterApi } from '../../src/protocol/writer-api.ts';
import type { ChannelId, LogSequence } from '../../src/schema/index.ts';
import type { CallOptions } from '../../src/wire/wire.ts';

/** The side of a writer that readers see, doing what a test says. */
export class ScriptedWriter {
  /** Refuses calls, those under way too. */
  #isAway = false;
  /** Entries below are answered with `behind`. */
  keptFrom: LogSequence = 1;
  /** Answers of `follow` that came from it. */
  answerCount = 0;
  readonly #timers: Timers;
  readonly #entries = new Map<ChannelId, LogEntry[]>();
  readonly #wakeups = new Set<() => void>();

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  get isAway(): boolean {
    return this.#isAway;
  }

  set isAway(isAway: boolean) {
    this.#isAway = isAway;
    this.#wake();
  }

  get api(): WriterApi {
    return {
      follow: (request: FollowRequest, call: CallOptions) => this.#follow(request, call),
    } as WriterApi;
  }

  /** What was appended to the log and acknowledged. */
  push(channel: ChannelId, entry: LogEntry): void {
    const entries = this.#entries.get(channel) ?? [];
    entries.push(entry);
    this.#entries.set(channel, entries);
    this.#wake();
  }

  async #follow(request: FollowRequest, call: CallOptions): Promise<FollowResult> {
    this.#checkHere();
    let result = this.#collect(request);
    if (request.waitMs > 0 && result.entries.size === 0 && result.behind.length === 0) {
      await this.#nextChange(request.waitMs, call.signal);
      this.#checkHere();
      result = this.#collect(request);
    }
    this.answerCount++;
    return result;
  }

  #collect(request: FollowRequest): FollowResult {
    const entries = new Map<ChannelId, readonly LogEntry[]>();
    const last = new Map<ChannelId, LogSequence>();
    const behind: ChannelId[] = [];
    for (const [channel, from] of request.from) {
      const kept = this.#entries.get(channel) ?? [];
      last.set(channel, kept.at(-1)?.sequence ?? 0);
      const wanted = kept.filter((entry) => entry.sequence >= from);
      if (wanted.length > 0 && wanted[0]!.sequence < this.keptFrom) behind.push(channel);
      else if (wanted.length > 0) entries.set(channel, wanted);
    }
    return { entries, behind, last };
  }

  async #nextChange(waitMs: number, signal: AbortSignal | undefined): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    using _timer = this.#timers.after(waitMs, resolve);
    this.#wakeups.add(resolve);
    signal?.addEventListener('abort', () => resolve(), { once: true });
    await promise;
    this.#wakeups.delete(resolve);
  }

  #wake(): void {
    for (const wakeup of this.#wakeups) wakeup();
  }

  #checkHere(): void {
    if (this.#isAway) throw new MishardsError('CONNECTION_LOST', 'the writer is away');
  }
}
