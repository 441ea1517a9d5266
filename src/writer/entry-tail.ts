import type { LogEntry } from '../log/log.ts';
import type { LogSequence } from '../schema/index.ts';
import { assert } from '../util/assert.ts';

/** Bookkeeping of an entry besides its payload, roughly. */
const ENTRY_OVERHEAD_BYTES = 128;
/** Dropped places at the front of a list are reclaimed when they are this many and half of it. */
const COMPACT_FROM = 1_024;

/**
 * The newest log entries of all channels, within a bound of bytes. What was pushed first, by whatever channel, goes first:
 * a channel that rests keeps its entries only as long as the others leave room.
 */
export class EntryTails {
  readonly #bytesMax: number;
  readonly #order = new Queue<EntryTail>();
  #sizeBytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** `after`: the last sequence that came before. */
  open(after: LogSequence): EntryTail {
    return new EntryTail(after, (tail, sizeBytes) => this.#pushed(tail, sizeBytes));
  }

  #pushed(tail: EntryTail, sizeBytes: number): void {
    this.#order.push(tail);
    this.#sizeBytes += sizeBytes;
    while (this.#sizeBytes > this.#bytesMax) {
      const oldest = this.#order.shift();
      assert(oldest !== undefined, 'bytes are held by entries');
      this.#sizeBytes -= oldest.dropOldest();
    }
  }
}

/** The newest entries of one channel, without gaps. */
export class EntryTail {
  readonly #entries = new Queue<LogEntry>();
  readonly #onPushed: (tail: EntryTail, sizeBytes: number) => void;
  #last: LogSequence;

  constructor(after: LogSequence, onPushed: (tail: EntryTail, sizeBytes: number) => void) {
    this.#last = after;
    this.#onPushed = onPushed;
  }

  /** Lowest sequence that `read` can start from; last + 1 when there is no entry. */
  get first(): LogSequence {
    return this.#last - this.#entries.length + 1;
  }

  get last(): LogSequence {
    return this.#last;
  }

  push(entry: LogEntry): void {
    assert(entry.sequence === this.#last + 1, `entry ${entry.sequence} after ${this.#last}`);
    this.#entries.push(entry);
    this.#last = entry.sequence;
    this.#onPushed(this, sizeOf(entry));
  }

  /** Entries from sequence `from`, up to about `bytesMax` but at least one, at most `entriesMax`. null when they are no longer at hand. */
  read(from: LogSequence, bytesMax: number, entriesMax: number): readonly LogEntry[] | null {
    if (from < this.first) return null;
    const entries: LogEntry[] = [];
    let sizeBytes = 0;
    for (let at = from - this.first; at < this.#entries.length && entries.length < entriesMax; at++) {
      const entry = this.#entries.at(at);
      sizeBytes += entry.payload.byteLength;
      if (entries.length > 0 && sizeBytes > bytesMax) break;
      entries.push(entry);
    }
    return entries;
  }

  /** Forgets the oldest entry and says how much that freed. */
  dropOldest(): number {
    const entry = this.#entries.shift();
    assert(entry !== undefined, 'the tail has an entry');
    return sizeOf(entry);
  }
}

function sizeOf(entry: LogEntry): number {
  return entry.payload.byteLength + ENTRY_OVERHEAD_BYTES;
}

class Queue<T> {
  #items: T[] = [];
  #head = 0;

  get length(): number {
    return this.#items.length - this.#head;
  }

  at(index: number): T {
    return this.#items[this.#head + index]!;
  }

  push(item: T): void {
    this.#items.push(item);
  }

  shift(): T | undefined {
    if (this.#head === this.#items.length) return undefined;
    const item = this.#items[this.#head]!;
    this.#items[this.#head++] = undefined as T;
    if (this.#head >= COMPACT_FROM && this.#head * 2 >= this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }
}
