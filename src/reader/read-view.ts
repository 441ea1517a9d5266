import { reachGuarantee } from './guarantee.ts';
import { partitionChooser } from './partition-chooser.ts';
import { freshSource, sealedSource, type ReadSource } from './read-source.ts';
import type { SegmentSlot } from './segment-slot.ts';
import type { ServedCollection } from './served-collection.ts';
import { MishardsError } from '../errors/index.ts';
import type { SubRequest } from '../protocol/reader-api.ts';
import type { Positions } from '../protocol/writer-api.ts';
import type { ChannelId, LogSequence, Timestamp } from '../schema/index.ts';

/** Everything a sub-request reads, as it stood at one moment. Sources stay readable until it is disposed. */
export interface ReadView extends Disposable {
  readonly sources: readonly ReadSource[];
  /** Of each channel asked for, the last entry seen. */
  readonly positions: Positions;
}

/**
 * Opens the segments, waits for the guarantee and then looks at all sources in one step, so that no change of rows is seen by
 * half: R6 of `docs/internals/read-path.md`. Segments that are not open are loaded. `STALE_PLAN` where the plan asks for
 * what is gone.
 */
export async function openReadView(
  collection: ServedCollection,
  request: SubRequest,
  arrivedMs: number,
  signal: AbortSignal,
): Promise<ReadView> {
  using stack = new DisposableStack();
  // First of all, so that nothing the plan asks for is dropped during the waits.
  for (const { id, after } of request.channels) stack.use(collection.channel(id).pin(after));
  const [slots] = await Promise.all([
    acquireAll(collection, request, stack, signal),
    reachGuarantee(collection, request.guarantee, arrivedMs, signal),
  ]);
  await reachEntries(collection, request, slots, signal);
  const sources = slots.map((slot) => fromSlot(slot, request.rowsSince));
  const isChosen = partitionChooser(request.partitions);
  const positions = new Map<ChannelId, LogSequence>();
  for (const { id, after } of request.channels) {
    const fresh = collection.channel(id).readable;
    positions.set(id, fresh.sequence);
    const blocks = fresh.blocksAfter(after, null);
    const chosen = blocks.filter(({ partitionId }) => isChosen(partitionId));
    sources.push(...chosen.map((block) => freshSource(block, request.rowsSince)));
  }
  const pins = stack.move();
  return { sources, positions, [Symbol.dispose]: () => pins.dispose() };
}

async function acquireAll(
  collection: ServedCollection,
  request: SubRequest,
  stack: DisposableStack,
  signal: AbortSignal,
): Promise<readonly SegmentSlot[]> {
  return await Promise.all(
    request.segments.map(async (id) => {
      const pinned = await collection.shelf.acquire(id, signal);
      // Another segment may have failed meanwhile, then nobody disposes this one later.
      if (stack.disposed) pinned[Symbol.dispose]();
      else stack.use(pinned);
      return pinned.slot;
    }),
  );
}

/**
 * A segment opened while this reader lags knows deletes of entries whose rows are neither in a plan from before their flush nor
 * among the fresh rows yet. Such a plan waits for them, or an upsert would be seen as neither row.
 */
async function reachEntries(
  collection: ServedCollection,
  request: SubRequest,
  slots: readonly SegmentSlot[],
  signal: AbortSignal,
): Promise<void> {
  for (const { id, after, atLeast } of request.channels) {
    const known = slots.filter((slot) => slot.meta.channelId === id).map((slot) => slot.deletedThrough);
    const deleted = Math.max(0, ...known);
    const through = Math.max(atLeast, after < deleted ? deleted : 0);
    const { progress } = collection.channel(id);
    if (progress.applied < through) await progress.reach(through, signal);
  }
}

function fromSlot(slot: SegmentSlot, rowsSince: Timestamp): ReadSource {
  if (slot.isStale) {
    throw new MishardsError('STALE_PLAN', `segment ${slot.id} was superseded while it was read; plan again`);
  }
  return sealedSource(slot, rowsSince);
}
