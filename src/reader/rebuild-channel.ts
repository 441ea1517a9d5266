import type { ServedChannel } from './served-channel.ts';
import { MishardsError, isErrorWithCode } from '../errors/index.ts';
import type { Log } from '../log/log.ts';
import type { ChannelId, LogSequence } from '../schema/index.ts';
import { abortable } from '../util/abortable.ts';

export interface RebuildOptions {
  readonly log: Log;
  readonly bytesMax: number;
  /** The channel's in the catalog, once it is at least this. */
  readonly checkpointFrom: (
    channel: ChannelId,
    least: LogSequence,
    signal: AbortSignal,
  ) => Promise<LogSequence>;
  /** Makes the channel go on behind a checkpoint that is beyond what it has applied. */
  readonly restart: (channel: ServedChannel, signal: AbortSignal) => Promise<void>;
}

/**
 * Makes the rows of a broken channel anew, from the checkpoint up to what it had applied, and puts them in place of the broken
 * ones in one step. Segments need nothing: they know all deletes up to there.
 */
export async function rebuildChannel(
  channel: ServedChannel,
  options: RebuildOptions,
  signal: AbortSignal,
): Promise<void> {
  const through = channel.progress.applied;
  for (let least = 0; ;) {
    const checkpoint = await options.checkpointFrom(channel.id, least, signal);
    if (checkpoint > through) return await options.restart(channel, signal);
    using building = new DisposableStack();
    const rows = building.use(channel.newRows(checkpoint));
    try {
      while (rows.sequence < through) {
        const from = rows.sequence + 1;
        const entries = await abortable(options.log.read(channel.id, from, options.bytesMax), signal);
        signal.throwIfAborted();
        if (entries.length === 0) throw endsEarly(channel.id, rows.sequence, through);
        channel.applyTo(rows, entries, through);
      }
    } catch (error) {
      if (!isErrorWithCode(error, 'LOG_TRUNCATED')) throw error;
      least = checkpoint + 1;
      continue;
    }
    if (channel.replaceRows(rows)) building.move();
    return;
  }
}

function endsEarly(id: ChannelId, last: LogSequence, applied: LogSequence): MishardsError {
  return new MishardsError(
    'STORAGE_UNAVAILABLE',
    `the log of channel ${id} shows entries up to ${last}, and ${applied} was applied; it is read again later`,
  );
}
