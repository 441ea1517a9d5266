import { ChannelRetries } from './channel-retries.ts';
import { Coalesced } from './coalesced.ts';
import { readToEnd, type LogTailOptions } from './log-tail.ts';
import { rebuildChannel, type RebuildOptions } from './rebuild-channel.ts';
import type { ReaderOptions } from './reader-options.ts';
import type { ServedChannel } from './served-channel.ts';
import type { WriterLeader } from '../catalog/model.ts';
import { asMishardsError, isErrorWithCode, type MishardsError } from '../errors/index.ts';
import type { Clock, Timers } from '../host/index.ts';
import type { FollowResult, WriterApi } from '../protocol/writer-api.ts';
import type { ChannelId } from '../schema/index.ts';
import { abortable } from '../util/abortable.ts';

export interface LogFollowerOptions extends LogTailOptions, RebuildOptions {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly channels: readonly ServedChannel[];
  /** The active writer as the catalog names it now. */
  readonly leader: () => WriterLeader | null;
  readonly writerFor: (leader: WriterLeader) => WriterApi;
  readonly limits: Pick<
    ReaderOptions,
    'followWaitMs' | 'followAnswerMs' | 'logPollMs' | 'writerRetryMs' | 'applyRetryMs' | 'applyRetryMaxMs'
  >;
  /** Told when the source changes: the writer's node, or null for shared storage with the reason. */
  readonly onSource: (writer: string | null, reason: MishardsError | null) => void;
  /** Told what keeps a channel from going on, once for each text. */
  readonly onFailure: (failure: MishardsError, channel: ChannelId) => void;
  /** Told that such a channel goes on. */
  readonly onRecovered: (channel: ChannelId) => void;
}

/**
 * Keeps the channels of one collection up to date: asks the active writer for the next entries, and reads the log on shared
 * storage when the writer is away or no longer has them at hand.
 */
export class LogFollower {
  readonly #options: LogFollowerOptions;
  readonly #stop = new AbortController();
  readonly #catchUpFromLog: Coalesced;
  readonly #catchUpFromAny: Coalesced;
  #loop: Promise<void> | null = null;
  /** Ends what the loop waits for now. */
  #wake = new AbortController();
  /** The writer that failed, and until when it is left alone. */
  #resting: { readonly leader: string; readonly untilMs: number } | null = null;
  #source: string | null | undefined = undefined;
  /** The failure last told of each channel, so that each is told once. */
  readonly #told = new Map<ChannelId, string>();
  readonly #retries: ChannelRetries;
  readonly #rebuilding = new Map<ChannelId, Promise<void>>();

  constructor(options: LogFollowerOptions) {
    this.#options = options;
    this.#retries = new ChannelRetries({ ...options, retry: (channel) => void this.#retry(channel) });
    this.#catchUpFromLog = new Coalesced(() => this.#readLogs(options.channels));
    this.#catchUpFromAny = new Coalesced(() => this.#catchUp());
  }

  start(): void {
    this.#loop ??= this.#run();
  }

  /** The catalog may name another writer: what is waited for now is given up. */
  leaderChanged(): void {
    this.#wake.abort();
  }

  /** Resolves when all that was durable in the log at the call has been applied. */
  async reachLogEnd(): Promise<void> {
    await this.#catchUpFromLog.request();
  }

  /** As `reachLogEnd`, but the writer's word is enough. */
  async refresh(): Promise<void> {
    await this.#catchUpFromAny.request();
  }

  /** Ends the loop; who waits for it gets `reason`. */
  async close(reason: MishardsError): Promise<void> {
    this.#stop.abort(reason);
    this.#wake.abort(reason);
    this.#retries[Symbol.dispose]();
    await Promise.allSettled([this.#loop, ...this.#rebuilding.values()]);
  }

  async #run(): Promise<void> {
    const { limits, timers } = this.#options;
    while (!this.#stop.signal.aborted) {
      if (this.#wake.signal.aborted) this.#wake = new AbortController();
      const { signal } = this.#wake;
      const isFollowing = await this.#followWriter(limits.followWaitMs, signal);
      if (isFollowing) continue;
      if (!signal.aborted) await this.#readLogs(this.#options.channels).catch(() => undefined);
      if (!signal.aborted) await timers.sleep(limits.logPollMs, signal).catch(() => undefined);
    }
  }

  /** One answer of the writer, applied. False when there is none to ask, or nothing came of it. */
  async #followWriter(waitMs: number, signal: AbortSignal): Promise<boolean> {
    const leader = this.#options.leader();
    if (leader === null || this.#isResting(leader)) return false;
    const { clock, limits } = this.#options;
    const channels = this.#options.channels.filter((channel) => this.#canFollow(channel));
    if (channels.length === 0) return false;
    const startMs = clock.monotonicMs();
    try {
      const writer = this.#options.writerFor(leader);
      const from = new Map(channels.map((channel) => [channel.id, channel.progress.applied + 1]));
      const timeoutMs = waitMs + limits.followAnswerMs;
      const request = { from, waitMs, bytesMax: this.#options.bytesMax };
      const result = await abortable(writer.follow(request, { timeoutMs, signal }), signal);
      if (this.#stop.signal.aborted) return true;
      this.#tellSource(leader.nodeId, null);
      const hasProgress = await this.#take(channels, result, startMs);
      return hasProgress || clock.monotonicMs() - startMs >= waitMs / 2;
    } catch (error) {
      if (signal.aborted) return true;
      this.#resting = { leader: keyOf(leader), untilMs: clock.monotonicMs() + limits.writerRetryMs };
      this.#tellSource(null, asMishardsError(error));
      return false;
    }
  }

  /** Whether anything new was applied. */
  async #take(asked: readonly ServedChannel[], result: FollowResult, startMs: number): Promise<boolean> {
    let hasProgress = false;
    const behind = new Set(result.behind);
    for (const channel of asked) {
      // It may have failed meanwhile, by what the log has.
      if (!this.#canFollow(channel)) continue;
      const before = channel.progress.applied;
      const entries = result.entries.get(channel.id) ?? [];
      try {
        channel.apply(entries);
        const last = result.last.get(channel.id);
        if (last !== undefined && channel.progress.applied >= last) channel.progress.markComplete(startMs);
      } catch (error) {
        if (isErrorWithCode(error, 'LOG_TRUNCATED')) behind.add(channel.id);
        else this.#fail(channel, error);
      }
      hasProgress ||= channel.progress.applied > before;
    }
    if (behind.size === 0) return hasProgress;
    const channels = this.#options.channels.filter((channel) => behind.has(channel.id));
    const before = channels.map((channel) => channel.progress.applied);
    await this.#readLogs(channels).catch(() => undefined);
    return hasProgress || channels.some((channel, index) => channel.progress.applied > before[index]!);
  }

  /** Reads channels to the end of their logs; rejects with the first failure after all have ended. */
  async #readLogs(channels: readonly ServedChannel[]): Promise<void> {
    const { signal } = this.#stop;
    const results = await Promise.allSettled(
      channels.map(async (channel) => {
        const rested = this.#retries.restingFor(channel);
        if (rested !== null) throw rested;
        try {
          if (channel.isBroken) await this.#rebuild(channel);
          await readToEnd(channel, this.#options, signal);
          this.#told.delete(channel.id);
          if (this.#retries.succeeded(channel)) this.#recovered(channel);
        } catch (error) {
          if (!signal.aborted) this.#fail(channel, error);
          throw error;
        }
      }),
    );
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  }

  async #catchUp(): Promise<void> {
    const { channels, clock } = this.#options;
    const startMs = clock.monotonicMs();
    const counts = channels.map((channel) => channel.progress.completeCount);
    await this.#followWriter(0, this.#stop.signal);
    const late = channels.filter(
      ({ progress }, index) => progress.completeCount === counts[index] || progress.completeAtMs < startMs,
    );
    if (late.length > 0) await this.#readLogs(late);
  }

  #canFollow(channel: ServedChannel): boolean {
    return !channel.isBroken && this.#retries.restingFor(channel) === null;
  }

  async #retry(channel: ServedChannel): Promise<void> {
    if (!this.#stop.signal.aborted) await this.#readLogs([channel]).catch(() => undefined);
  }

  /** Once for all who ask meanwhile. */
  async #rebuild(channel: ServedChannel): Promise<void> {
    let rebuilding = this.#rebuilding.get(channel.id);
    if (rebuilding === undefined) {
      rebuilding = rebuildChannel(channel, this.#options, this.#stop.signal).finally(() =>
        this.#rebuilding.delete(channel.id),
      );
      this.#rebuilding.set(channel.id, rebuilding);
    }
    await rebuilding;
  }

  /** The writer is asked for its entries again at once. */
  #recovered({ id }: ServedChannel): void {
    this.#options.onRecovered(id);
    this.#wake.abort();
  }

  #isResting(leader: WriterLeader): boolean {
    const { clock } = this.#options;
    return this.#resting?.leader === keyOf(leader) && clock.monotonicMs() < this.#resting.untilMs;
  }

  /** A channel whose entries cannot be understood does not hold up the others; those who wait for it are told. */
  #fail(channel: ServedChannel, error: unknown): void {
    const failure = asMishardsError(error);
    if (!failure.retriable || channel.isBroken) {
      channel.progress.fail(failure);
      this.#retries.failed(channel, failure);
    }
    const text = `${failure.code} ${failure.message}`;
    if (this.#told.get(channel.id) === text) return;
    this.#told.set(channel.id, text);
    this.#options.onFailure(failure, channel.id);
  }

  #tellSource(writer: string | null, reason: MishardsError | null): void {
    if (this.#source === writer) return;
    this.#source = writer;
    this.#options.onSource(writer, reason);
  }
}

function keyOf(leader: WriterLeader): string {
  return `${leader.nodeId} ${leader.address} ${leader.epoch}`;
}
