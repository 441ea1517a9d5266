import type { ChannelWriter } from './channel-writer.ts';
import { recoverChannel, type OpenChannelOptions } from './open-channel.ts';
import type { CatalogSnapshot } from '../catalog/catalog.ts';
import { collectionOfChannel } from '../catalog/keys.ts';
import { MishardsError, isErrorWithCode } from '../errors/index.ts';
import type { Timers } from '../host/index.ts';
import type { LogAppender } from '../log/log.ts';
import type { ChannelId, Epoch } from '../schema/index.ts';
import type { Logger } from '../telemetry/logger.ts';

export interface ChannelTableOptions extends OpenChannelOptions {
  readonly epoch: Epoch;
  readonly timers: Timers;
  readonly logger: Logger;
  readonly snapshot: () => CatalogSnapshot;
  /** Told when another epoch has opened a channel. */
  readonly onFenced: (error: MishardsError) => void;
  /** Told when a channel is open and recovered. */
  readonly onOpened: (channel: ChannelWriter) => void;
  readonly concurrency: number;
  readonly retryMs: number;
  readonly retryMaxMs: number;
}

/** A channel on its way to being open. */
interface Slot {
  /** Opened once; its epoch can be used only once. */
  appender: Promise<LogAppender> | null;
  opening: Promise<ChannelWriter> | null;
  channel: ChannelWriter | null;
  isClosed: boolean;
}

/**
 * The channels of one term of the writer. Each is opened at the term's epoch, which seals what came before, and recovered;
 * all by themselves in the background, and at once when asked for. A channel that cannot be recovered holds up no other.
 */
export class ChannelTable {
  readonly #options: ChannelTableOptions;
  readonly #slots = new Map<ChannelId, Slot>();
  readonly #waiting: ChannelId[] = [];
  #collections: CatalogSnapshot['collections'] | null = null;
  #running = 0;

  constructor(options: ChannelTableOptions) {
    this.#options = options;
  }

  /** Channels that are open now. */
  present(): readonly ChannelWriter[] {
    const channels: ChannelWriter[] = [];
    for (const { channel } of this.#slots.values()) if (channel !== null) channels.push(channel);
    return channels;
  }

  /** Channels that the catalog has and that are not open yet. */
  get pendingCount(): number {
    return this.#slots.values().reduce((sum, slot) => sum + (slot.channel === null ? 1 : 0), 0);
  }

  find(id: ChannelId): ChannelWriter | null {
    return this.#slots.get(id)?.channel ?? null;
  }

  /** Resolves when it is open; rejects with what keeps it from opening. */
  async opened(id: ChannelId): Promise<ChannelWriter> {
    this.reconcile();
    const slot = this.#slots.get(id);
    if (slot === undefined) {
      throw new MishardsError(
        'COLLECTION_NOT_FOUND',
        `collection not found[collection=${collectionOfChannel(id)}]`,
      );
    }
    return slot.channel ?? (await this.#open(id, slot));
  }

  /** Begins to open the channels the catalog has, and closes those it no longer has. */
  reconcile(): void {
    const { collections } = this.#options.snapshot();
    if (collections === this.#collections) return;
    this.#collections = collections;
    for (const meta of collections.values()) {
      for (const id of meta.channels) {
        if (this.#slots.has(id)) continue;
        this.#slots.set(id, { appender: null, opening: null, channel: null, isClosed: false });
        this.#waiting.push(id);
      }
    }
    for (const [id, slot] of this.#slots) {
      if (!collections.has(collectionOfChannel(id))) void this.#closeQuietly(id, slot, droppedError(id));
    }
    while (this.#running < this.#options.concurrency && this.#waiting.length > 0) void this.#work();
  }

  /** Closes all for good. */
  async close(reason: MishardsError): Promise<void> {
    this.#waiting.length = 0;
    await Promise.all([...this.#slots].map(([id, slot]) => this.#closeQuietly(id, slot, reason)));
  }

  /** Opens one waiting channel after another. */
  async #work(): Promise<void> {
    this.#running++;
    for (let id = this.#waiting.shift(); id !== undefined; id = this.#waiting.shift()) {
      const slot = this.#slots.get(id);
      if (slot !== undefined) await this.#openUntilOpen(id, slot);
    }
    this.#running--;
  }

  async #openUntilOpen(id: ChannelId, slot: Slot): Promise<void> {
    const { signal, timers, logger, retryMs, retryMaxMs } = this.#options;
    for (
      let delayMs = retryMs;
      !slot.isClosed && !signal.aborted;
      delayMs = Math.min(delayMs * 2, retryMaxMs)
    ) {
      try {
        await this.#open(id, slot);
        return;
      } catch (error) {
        if (slot.isClosed || signal.aborted) return;
        logger.error({ channel: id, error }, 'a channel cannot be opened');
      }
      await timers.sleep(delayMs, signal).catch(() => undefined);
    }
  }

  #open(id: ChannelId, slot: Slot): Promise<ChannelWriter> {
    slot.opening ??= this.#recover(id, slot).finally(() => {
      slot.opening = null;
    });
    return slot.opening;
  }

  async #recover(id: ChannelId, slot: Slot): Promise<ChannelWriter> {
    const appender = await this.#appender(id, slot);
    const snapshot = this.#options.snapshot();
    const meta = snapshot.channel(id);
    const collection = snapshot.collections.get(collectionOfChannel(id));
    if (meta === undefined || collection === undefined || slot.isClosed) throw droppedError(id);
    slot.channel = await recoverChannel(appender, meta, collection.schema, this.#options);
    this.#options.onOpened(slot.channel);
    return slot.channel;
  }

  /** An epoch opens a channel once. After a failure it may have done so unseen; then only the next epoch can. */
  async #appender(id: ChannelId, slot: Slot): Promise<LogAppender> {
    const { log, epoch, onFenced } = this.#options;
    slot.appender ??= log.openAppender(id, epoch);
    try {
      return await slot.appender;
    } catch (error) {
      if (isErrorWithCode(error, 'FENCED')) onFenced(error);
      else if (!isErrorWithCode(error, 'CORRUPT_DATA')) slot.appender = null;
      throw error;
    }
  }

  /** A log that cannot be closed is left; the next epoch seals it. */
  async #closeQuietly(id: ChannelId, slot: Slot, reason: MishardsError): Promise<void> {
    try {
      await this.#close(id, slot, reason);
    } catch (error) {
      this.#options.logger.warn({ channel: id, error }, 'a channel cannot be closed');
    }
  }

  async #close(id: ChannelId, slot: Slot, reason: MishardsError): Promise<void> {
    slot.isClosed = true;
    this.#slots.delete(id);
    await slot.opening?.catch(() => undefined);
    if (slot.channel !== null) await slot.channel.close(reason);
    else await slot.appender?.then((appender) => appender[Symbol.asyncDispose]()).catch(() => undefined);
  }
}

function droppedError(id: ChannelId): MishardsError {
  return new MishardsError(
    'COLLECTION_NOT_FOUND',
    `collection not found[collection=${collectionOfChannel(id)}]`,
  );
}
