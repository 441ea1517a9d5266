import { ChannelWriter, type ChannelWriterOptions } from './channel-writer.ts';
import type { EntryTails } from './entry-tail.ts';
import type { ChannelMeta } from '../catalog/model.ts';
import type { TimestampOracle } from '../catalog/timestamp-oracle.ts';
import { MishardsError } from '../errors/index.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { Log, LogAppender } from '../log/log.ts';
import type { CollectionSchema } from '../schema/index.ts';
import { createFreshRows } from '../segment/fresh-rows.ts';
import { decodeMutation } from '../segment/mutation-codec.ts';

/** Bytes of the log read at once; they are applied without a pause in between. */
const REPLAY_BYTES = 8 * 2 ** 20;

export interface OpenChannelOptions extends Pick<ChannelWriterOptions, 'clock' | 'onFailed'> {
  readonly log: Log;
  readonly kernel: Kernel;
  readonly tails: EntryTails;
  readonly oracle: TimestampOracle;
  readonly signal: AbortSignal;
}

/**
 * Brings back what of the channel is not yet in segments by replaying its log from the checkpoint. The appender was opened
 * before, so the log has an end. `CORRUPT_DATA` when entries are missing; nothing is skipped.
 */
export async function recoverChannel(
  appender: LogAppender,
  meta: ChannelMeta,
  schema: CollectionSchema,
  options: OpenChannelOptions,
): Promise<ChannelWriter> {
  const { log, kernel, clock, tails, onFailed } = options;
  const { id, checkpoint } = meta;
  if (appender.lastSequence < checkpoint) {
    throw new MishardsError(
      'CORRUPT_DATA',
      `the log of channel ${id} ends at ${appender.lastSequence}, before its checkpoint ${checkpoint}; restore the log`,
    );
  }
  const fresh = createFreshRows({ kernel, channel: id, schema, after: checkpoint });
  const tail = tails.open(checkpoint);
  const channel = new ChannelWriter({ id, clock, appender, fresh, tail, onFailed });
  try {
    while (channel.sequence < appender.lastSequence) {
      options.signal.throwIfAborted();
      const entries = await log.read(id, channel.sequence + 1, REPLAY_BYTES);
      if (entries.length === 0) throw endsEarly(channel, appender);
      for (const entry of entries) {
        options.oracle.observe(entry.timestamp);
        channel.replay(entry, decodeMutation(entry.type, entry.payload));
      }
    }
  } catch (error) {
    fresh[Symbol.dispose]();
    throw error;
  }
  return channel;
}

function endsEarly(channel: ChannelWriter, appender: LogAppender): MishardsError {
  return new MishardsError(
    'CORRUPT_DATA',
    `the log of channel ${channel.id} has no entry ${channel.sequence + 1} but ends at ${appender.lastSequence}; restore the log`,
  );
}
