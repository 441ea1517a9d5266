import { Backoff } from './backoff.ts';
import type { ChannelTable } from './channel-table.ts';
import type { ChannelWriter } from './channel-writer.ts';
import type { DelayedRemovals } from './delayed-removals.ts';
import { flushChannel, type Flushed, type FlushChannelOptions } from './flush-channel.ts';
import { Limiter } from './limiter.ts';
import type { WriteRoom } from './write-room.ts';
import type { WriterOptions } from './writer-options.ts';
import { isErrorWithCode } from '../errors/index.ts';
import type { Host } from '../host/index.ts';
import type { Log } from '../log/log.ts';
import type { ChannelId, LogSequence, SegmentId } from '../schema/index.ts';
import type { Logger } from '../telemetry/logger.ts';

export interface FlusherOptions extends FlushChannelOptions {
  readonly host: Pick<Host, 'files' | 'clock'>;
  readonly channels: ChannelTable;
  readonly room: WriteRoom;
  readonly log: Log;
  readonly removals: DelayedRemovals;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  readonly limits: WriterOptions;
}

/** Part of the bound on fresh bytes from which the largest channels are flushed before their time. */
const PRESSURE_FROM = 0.75;

/** Moves rows from the log into segments: on request, and by size, rows, age and pressure. */
export class Flusher {
  readonly #options: FlusherOptions;
  readonly #limiter: Limiter;
  readonly #backoff: Backoff<ChannelId>;
  readonly #running = new Map<ChannelId, Promise<Flushed>>();

  constructor(options: FlusherOptions) {
    this.#options = options;
    this.#limiter = new Limiter(options.limits.flushConcurrency);
    this.#backoff = new Backoff(options.host.clock, options.limits);
  }

  get runningCount(): number {
    return this.#running.size;
  }

  /** Resolves when everything up to `through` is in committed segments. */
  async flush(
    channel: ChannelWriter,
    through: LogSequence,
  ): Promise<{ readonly segmentIds: readonly SegmentId[]; readonly revision: number }> {
    const segmentIds: SegmentId[] = [];
    let revision = 0;
    while (channel.checkpoint < through) {
      const flushed = await this.#flushOnce(channel);
      segmentIds.push(...flushed.segmentIds);
      revision = flushed.revision;
    }
    return { segmentIds, revision };
  }

  /** Measures what is fresh and starts the flushes that are due. */
  look(): void {
    const { channels, room, limits } = this.#options;
    const fresh = channels.present().map((channel) => ({ channel, bytes: channel.fresh.memoryBytes }));
    const total = fresh.reduce((sum, { bytes }) => sum + bytes, 0);
    room.measured(total);
    for (const { channel, bytes } of fresh) if (this.#isDue(channel, bytes)) this.#start(channel);
    let excess = total - limits.freshBytesMax * PRESSURE_FROM;
    for (const { channel, bytes } of fresh.sort((a, b) => b.bytes - a.bytes)) {
      if (excess <= 0) break;
      excess -= bytes;
      if (channel.hasFresh) this.#start(channel);
    }
  }

  /** Lets the entries up to `through` go when readers no longer need them. */
  truncateLater(id: ChannelId, through: LogSequence): void {
    if (through === 0) return;
    const { log, limits, removals } = this.#options;
    removals.add(`log of ${id} through ${through}`, limits.logGraceMs, () => log.truncate(id, through + 1));
  }

  async idle(): Promise<void> {
    await Promise.allSettled(this.#running.values());
  }

  #isDue(channel: ChannelWriter, bytes: number): boolean {
    const { flushBytes, flushRows, flushAgeMs } = this.#options.limits;
    if (!channel.hasFresh) return false;
    return bytes >= flushBytes || channel.fresh.rowCount >= flushRows || channel.freshAgeMs >= flushAgeMs;
  }

  /** In the background, unless it runs or rests after a failure. */
  #start(channel: ChannelWriter): void {
    const { logger, signal } = this.#options;
    if (signal.aborted || this.#running.has(channel.id) || this.#backoff.isResting(channel.id)) return;
    this.#flushOnce(channel).catch((error: unknown) => {
      if (signal.aborted || isErrorWithCode(error, 'COLLECTION_NOT_FOUND')) return;
      logger.error({ channel: channel.id, error }, 'a flush failed');
    });
  }

  /** Whoever asks while a flush of the channel is under way shares it. */
  #flushOnce(channel: ChannelWriter): Promise<Flushed> {
    const running = this.#running.get(channel.id);
    if (running !== undefined) return running;
    const run = this.#limiter.run(() => this.#flush(channel)).finally(() => this.#running.delete(channel.id));
    this.#running.set(channel.id, run);
    return run;
  }

  async #flush(channel: ChannelWriter): Promise<Flushed> {
    const { signal, host, logger, limits, objectStore, removals } = this.#options;
    signal.throwIfAborted();
    const startMs = host.clock.monotonicMs();
    let flushed: Flushed;
    try {
      flushed = await flushChannel(channel, this.#options);
    } catch (error) {
      this.#backoff.failed(channel.id);
      throw error;
    }
    this.#backoff.succeeded(channel.id);
    channel.flushed(flushed.through);
    this.truncateLater(channel.id, flushed.through);
    for (const key of flushed.supersededKeys) {
      removals.add(key, limits.logGraceMs, () => objectStore.delete(key));
    }
    const elapsedMs = host.clock.monotonicMs() - startMs;
    const fields = { channel: channel.id, through: flushed.through, segments: flushed.segmentIds.length };
    logger.info({ ...fields, elapsedMs }, 'channel flushed');
    return flushed;
  }
}
