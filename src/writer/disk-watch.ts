import type { WriteRoom } from './write-room.ts';
import type { Logger } from '../telemetry/logger.ts';

export interface DiskWatchOptions {
  readonly freeDiskBytes: () => Promise<number>;
  readonly room: WriteRoom;
  readonly logger: Logger;
}

/** Measures the free space where the log is. While that fails, writes themselves show whether there is any. */
export class DiskWatch {
  readonly #options: DiskWatchOptions;
  #looking: Promise<void> | null = null;
  #hasFailed = false;

  constructor(options: DiskWatchOptions) {
    this.#options = options;
  }

  /** Begins a measurement unless one is under way: a hanging disk is asked once. */
  look(): void {
    this.#looking ??= this.#measure().finally(() => (this.#looking = null));
  }

  async #measure(): Promise<void> {
    const { freeDiskBytes, room, logger } = this.#options;
    try {
      room.measuredDisk(await freeDiskBytes());
      this.#hasFailed = false;
    } catch (error) {
      room.measuredDisk(Number.POSITIVE_INFINITY);
      if (!this.#hasFailed) logger.warn({ error }, 'the free space of the log cannot be measured');
      this.#hasFailed = true;
    }
  }
}
