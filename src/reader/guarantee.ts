import type { ServedCollection } from './served-collection.ts';
import type { Guarantee } from '../protocol/reader-api.ts';
import { abortable } from '../util/abortable.ts';
import { unreachable } from '../util/assert.ts';

/**
 * Resolves when what the guarantee promises has been applied, to the fresh rows and to the open segments. `arrivedMs` is the
 * monotonic time of the request. Rejects with the signal's reason, or with what keeps a channel from going on.
 */
export async function reachGuarantee(
  collection: ServedCollection,
  guarantee: Guarantee,
  arrivedMs: number,
  signal: AbortSignal,
): Promise<void> {
  switch (guarantee.kind) {
    case 'none':
      return;
    case 'positions': {
      const waits = [...guarantee.positions].map(([id, sequence]) =>
        collection.channel(id).progress.reach(sequence, signal),
      );
      await Promise.all(waits);
      return;
    }
    case 'log-end':
      return await abortable(collection.follower.reachLogEnd(), signal);
    case 'staleness': {
      const channels = [...collection.channels.values()];
      const oldestMs = Math.min(...channels.map((channel) => channel.progress.completeAtMs));
      if (oldestMs <= arrivedMs - guarantee.maxMs) await abortable(collection.follower.refresh(), signal);
      return;
    }
    default:
      unreachable(guarantee);
  }
}
