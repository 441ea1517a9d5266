import { MishardsError } from '../errors/index.ts';

export interface WriteRoomLimits {
  readonly inFlightBytesMax: number;
  readonly freshBytesMax: number;
  readonly diskFreeBytesMin: number;
}

/** The bounds on what writes may occupy. What is above them is refused at once, never queued. */
export class WriteRoom {
  readonly #inFlightMax: number;
  readonly #freshMax: number;
  readonly #diskFreeMin: number;
  #inFlight = 0;
  #fresh = 0;
  #diskFree = Number.POSITIVE_INFINITY;

  constructor(limits: WriteRoomLimits) {
    this.#inFlightMax = limits.inFlightBytesMax;
    this.#freshMax = limits.freshBytesMax;
    this.#diskFreeMin = limits.diskFreeBytesMin;
  }

  get inFlightBytes(): number {
    return this.#inFlight;
  }

  get freshBytes(): number {
    return this.#fresh;
  }

  /** What the channels hold, measured. Between two measurements what is written is added by its size in the log. */
  measured(freshBytes: number): void {
    this.#fresh = freshBytes;
  }

  /** What is free where the log is. Between two measurements what is written is taken off by its size in the log. */
  measuredDisk(freeBytes: number): void {
    this.#diskFree = freeBytes;
  }

  /** Room for a write until it is durable. A write that is larger than the bound alone is let in when nothing else is under way. */
  take(bytes: number): Disposable {
    if (this.#inFlight > 0 && this.#inFlight + bytes > this.#inFlightMax) {
      throw overloaded(
        `${this.#inFlight + bytes} bytes would be under way, the limit is ${this.#inFlightMax}`,
      );
    }
    if (this.#fresh > this.#freshMax) {
      throw overloaded(`${this.#fresh} unflushed bytes are above writer.fresh_bytes_max = ${this.#freshMax}`);
    }
    if (this.#diskFree - bytes < this.#diskFreeMin) {
      throw new MishardsError(
        'DISK_LIMIT',
        `the write is refused: the disk of the log has ${this.#diskFree} bytes left, the limit is writer.disk_free_min = ${this.#diskFreeMin}; free space or enlarge it`,
      );
    }
    this.#diskFree -= bytes;
    this.#inFlight += bytes;
    this.#fresh += bytes;
    return { [Symbol.dispose]: () => void (this.#inFlight -= bytes) };
  }
}

function overloaded(message: string): MishardsError {
  return new MishardsError('OVERLOADED', `the write is refused: ${message}; retry later`);
}
