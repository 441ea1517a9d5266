import type { ChannelTable } from './channel-table.ts';
import type { ChannelWriter } from './channel-writer.ts';
import type { WriterLease } from './writer-lease.ts';
import { collectionOfChannel } from '../catalog/keys.ts';
import type { CatalogSnapshot } from '../catalog/catalog.ts';
import type { Timers } from '../host/index.ts';
import type { LogEntry } from '../log/log.ts';
import type { FollowRequest, FollowResult } from '../protocol/writer-api.ts';
import type { ChannelId, LogSequence } from '../schema/index.ts';
import type { CallOptions } from '../wire/wire.ts';

/** Entries in one answer: each is a part of its packet. */
const ENTRIES_MAX = 16_384;

export interface FollowOptions {
  readonly snapshot: () => CatalogSnapshot;
  readonly channels: ChannelTable;
  readonly lease: WriterLease;
  readonly timers: Timers;
  /** Aborts when the term ends. */
  readonly closing: AbortSignal;
}

/**
 * Answers a reader that follows channels: as soon as one has new entries, or empty after `waitMs`. Channels of dropped
 * collections are left out of the answer. `NOT_LEADER`, `FENCED` when the lease is lost meanwhile.
 */
export async function follow(
  request: FollowRequest,
  call: CallOptions,
  options: FollowOptions,
): Promise<FollowResult> {
  const channels = await openedChannels([...request.from.keys()], options);
  const first = collect(request, channels);
  if (request.waitMs <= 0 || first.entries.size > 0 || first.behind.length > 0) {
    options.lease.checkHeld();
    return first;
  }
  await nextEntry(channels, request.waitMs, call, options);
  options.lease.checkHeld();
  return collect(request, channels);
}

async function openedChannels(
  ids: readonly ChannelId[],
  { snapshot, channels }: FollowOptions,
): Promise<readonly ChannelWriter[]> {
  const { collections } = snapshot();
  const existing = ids.filter((id) => collections.get(collectionOfChannel(id))?.channels.includes(id));
  return await Promise.all(existing.map((id) => channels.opened(id)));
}

function collect(request: FollowRequest, channels: readonly ChannelWriter[]): FollowResult {
  const entries = new Map<ChannelId, readonly LogEntry[]>();
  const behind: ChannelId[] = [];
  const last = new Map<ChannelId, LogSequence>();
  let bytesLeft = request.bytesMax;
  let entriesLeft = ENTRIES_MAX;
  for (const [index, channel] of channels.entries()) {
    last.set(channel.id, channel.sequence);
    if (bytesLeft <= 0 || entriesLeft <= 0) continue;
    // What a channel leaves of its share goes to those after it, so none is starved by a busy one.
    const share = Math.ceil(bytesLeft / (channels.length - index));
    const found = channel.tail.read(request.from.get(channel.id)!, share, entriesLeft);
    if (found === null) behind.push(channel.id);
    else if (found.length > 0) {
      entries.set(channel.id, found);
      entriesLeft -= found.length;
      for (const entry of found) bytesLeft -= entry.payload.byteLength;
    }
  }
  return { entries, behind, last };
}

/** Resolves at the next entry of any of the channels, or when `waitMs` have passed. */
async function nextEntry(
  channels: readonly ChannelWriter[],
  waitMs: number,
  call: CallOptions,
  { closing, timers }: FollowOptions,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  using stack = new DisposableStack();
  for (const channel of channels) stack.use(channel.subscribe(resolve));
  stack.use(timers.after(waitMs, resolve));
  for (const signal of [closing, call.signal]) {
    if (signal === undefined) continue;
    signal.throwIfAborted();
    const onAbort = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort);
    stack.defer(() => signal.removeEventListener('abort', onAbort));
  }
  await promise;
}
