import type { EntryTail } from './entry-tail.ts';
import { collectionOfChannel } from '../catalog/keys.ts';
import type { MishardsError } from '../errors/index.ts';
import type { Clock } from '../host/index.ts';
import { isAppendRefusal } from '../log/log-rules.ts';
import type { LogAppender, LogEntry } from '../log/log.ts';
import type { ChannelId, CollectionId, LogSequence, PartitionId, Timestamp } from '../schema/index.ts';
import type { EncodedMutation } from '../segment/mutation-codec.ts';
import type { Mutation } from '../segment/mutation.ts';
import type { FreshRows } from '../segment/segment.ts';

export interface ChannelWriterOptions {
  readonly id: ChannelId;
  readonly clock: Clock;
  readonly appender: LogAppender;
  /** Empty, beginning at the checkpoint. */
  readonly fresh: FreshRows;
  /** Empty, beginning at the checkpoint. */
  readonly tail: EntryTail;
  /** Told after the log has failed: no further write of this channel will succeed. */
  readonly onFailed: (channel: ChannelId, error: unknown) => void;
}

/** Consecutive entries whose rows, if any, lie in one partition; it lasts until the next run begins. */
interface PartitionRun {
  readonly first: LogSequence;
  /** null: deletes only. */
  readonly partitionId: PartitionId | null;
  /** Of the entries in the log. */
  sizeBytes: number;
}

/** A run of this size is followed by another, so that a cut can fall between them. */
const RUN_BYTES = 8 * 2 ** 20;

/**
 * One channel of the active writer: its log and what of it is not yet in segments. Entries are applied in the order of the
 * log, and only after they are durable.
 */
export class ChannelWriter {
  readonly id: ChannelId;
  readonly collectionId: CollectionId;
  readonly fresh: FreshRows;
  readonly tail: EntryTail;
  readonly #clock: Clock;
  readonly #appender: LogAppender;
  readonly #onFailed: (channel: ChannelId, error: unknown) => void;
  readonly #listeners = new Set<() => void>();
  /** Settles when all earlier entries are applied. */
  #applied: Promise<unknown> = Promise.resolve();
  #runs: PartitionRun[] = [];
  #checkpoint: LogSequence;
  #oldestMs: number | null = null;
  #closed: MishardsError | null = null;

  constructor(options: ChannelWriterOptions) {
    this.id = options.id;
    this.collectionId = collectionOfChannel(options.id);
    this.fresh = options.fresh;
    this.tail = options.tail;
    this.#checkpoint = options.fresh.sequence;
    this.#clock = options.clock;
    this.#appender = options.appender;
    this.#onFailed = options.onFailed;
  }

  /** Last sequence applied, which is the last one acknowledged. */
  get sequence(): LogSequence {
    return this.fresh.sequence;
  }

  /** Everything up to it is in segments. */
  get checkpoint(): LogSequence {
    return this.#checkpoint;
  }

  get hasFresh(): boolean {
    return this.sequence > this.#checkpoint;
  }

  /** Age of the oldest entry that is not in segments; 0 when there is none. */
  get freshAgeMs(): number {
    return this.#oldestMs === null ? 0 : this.#clock.monotonicMs() - this.#oldestMs;
  }

  /**
   * Appends and applies. Calls take their place in the log in the order in which they were made. Resolves when the entry is
   * durable and applied; rejects with the failure of the log, or with what the channel was closed for. The channel goes on
   * after a refusal by the log's own bounds, and after nothing else.
   */
  async append(mutation: Mutation, encoded: EncodedMutation, timestamp: Timestamp): Promise<LogSequence> {
    if (this.#closed !== null) throw this.#closed;
    const record = { type: encoded.type, timestamp, payload: encoded.payload };
    const appended = this.#appender.append([record]);
    const applied = Promise.all([appended, this.#applied]).then(([{ last }]) => {
      this.#apply({ ...record, sequence: last, epoch: this.#appender.epoch }, mutation);
      return last;
    });
    this.#applied = applied.catch(() => undefined);
    try {
      return await applied;
    } catch (error) {
      const isRefusal = await appended.then(() => false, isAppendRefusal);
      if (this.#closed === null && !isRefusal) this.#onFailed(this.id, error);
      throw error;
    }
  }

  /** Applies an entry that the log held before. */
  replay(entry: LogEntry, mutation: Mutation): void {
    this.#apply(entry, mutation);
  }

  /** Called after each entry. */
  subscribe(listener: () => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  /** The last sequence such that the entries up to it lie in so many partitions and take about so many bytes; at least some. */
  cut(limits: { readonly partitionsMax: number; readonly bytesMax: number }): LogSequence {
    const partitions = new Set<PartitionId>();
    let sizeBytes = 0;
    for (const [index, run] of this.#runs.entries()) {
      if (run.partitionId !== null) partitions.add(run.partitionId);
      sizeBytes += run.sizeBytes;
      const isTooMuch = partitions.size > limits.partitionsMax || sizeBytes > limits.bytesMax;
      if (isTooMuch && index > 0 && run.first > this.#checkpoint + 1) return run.first - 1;
    }
    return this.sequence;
  }

  /** The rows and deletes up to `through` are in committed segments and deltas. */
  flushed(through: LogSequence): void {
    this.#checkpoint = through;
    this.fresh.dropThrough(through);
    const isEmpty = !this.hasFresh;
    this.#oldestMs = isEmpty ? null : this.#clock.monotonicMs();
    const lastBefore = this.#runs.findLastIndex((run) => run.first <= through + 1);
    this.#runs = isEmpty ? [] : this.#runs.slice(Math.max(0, lastBefore));
  }

  /** Refuses further appends with `reason`, waits for those under way and lets go of the log. */
  async close(reason: MishardsError): Promise<void> {
    if (this.#closed !== null) return;
    this.#closed = reason;
    await this.#applied;
    await this.#appender[Symbol.asyncDispose]();
    this.fresh[Symbol.dispose]();
    for (const listener of [...this.#listeners]) listener();
  }

  #apply(entry: LogEntry, mutation: Mutation): void {
    this.fresh.apply(mutation, entry.sequence, entry.timestamp);
    this.tail.push(entry);
    this.#oldestMs ??= this.#clock.monotonicMs();
    this.#noteRun(entry, mutation.kind === 'delete' ? null : mutation.partitionId);
    for (const listener of [...this.#listeners]) listener();
  }

  #noteRun({ sequence, payload }: LogEntry, partitionId: PartitionId | null): void {
    const last = this.#runs.at(-1);
    const continues = last !== undefined && (partitionId === null || partitionId === last.partitionId);
    if (continues && last.sizeBytes < RUN_BYTES) last.sizeBytes += payload.byteLength;
    else this.#runs.push({ first: sequence, partitionId, sizeBytes: payload.byteLength });
  }
}
