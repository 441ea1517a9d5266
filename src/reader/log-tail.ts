import type { ServedChannel } from './served-channel.ts';
import { isErrorWithCode } from '../errors/index.ts';
import type { Clock } from '../host/index.ts';
import type { Log } from '../log/log.ts';
import { abortable } from '../util/abortable.ts';

export interface LogTailOptions {
  readonly log: Log;
  readonly clock: Clock;
  readonly bytesMax: number;
  /** Makes the channel go on behind what the log has lost. */
  readonly restart: (channel: ServedChannel, signal: AbortSignal) => Promise<void>;
}

/** Reads a channel's log on shared storage and applies it until nothing durable is left that was there when it began. */
export async function readToEnd(
  channel: ServedChannel,
  options: LogTailOptions,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    signal.throwIfAborted();
    const startMs = options.clock.monotonicMs();
    const from = channel.progress.applied + 1;
    try {
      const entries = await abortable(options.log.read(channel.id, from, options.bytesMax), signal);
      signal.throwIfAborted();
      if (entries.length === 0) {
        channel.progress.markComplete(startMs);
        return;
      }
      channel.apply(entries);
    } catch (error) {
      if (!isErrorWithCode(error, 'LOG_TRUNCATED')) throw error;
      await options.restart(channel, signal);
    }
  }
}
