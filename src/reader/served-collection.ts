import { LogFollower } from './log-follower.ts';
import type { MemoryUser } from './memory-budget.ts';
import { WantedSegments } from './placement.ts';
import type { ReaderContext } from './reader-context.ts';
import { SegmentLoader } from './segment-loader.ts';
import { SegmentShelf } from './segment-shelf.ts';
import { ServedChannel } from './served-channel.ts';
import type { CatalogSnapshot } from '../catalog/catalog.ts';
import type { CollectionMeta, SegmentMeta, WriterLeader } from '../catalog/model.ts';
import type { NodeInfo } from '../discovery/discovery.ts';
import { MishardsError } from '../errors/index.ts';
import type { ChannelId, CollectionId, LogSequence, SegmentId } from '../schema/index.ts';
import { createFreshRows } from '../segment/fresh-rows.ts';
import { decodeMutation } from '../segment/mutation-codec.ts';
import type { DeleteBatch } from '../segment/segment.ts';
import { abortable } from '../util/abortable.ts';
import type { Logger } from '../telemetry/logger.ts';

/** Superseded segments remembered, to tell a plan that is too old from one that is ahead of this reader's catalog. */
const GONE_MAX = 10_000;

/** A loaded collection at work in this reader: its channels, its segments, and what keeps them up to date. */
export class ServedCollection implements MemoryUser {
  readonly id: CollectionId;
  readonly channels: ReadonlyMap<ChannelId, ServedChannel>;
  readonly shelf: SegmentShelf;
  readonly follower: LogFollower;
  readonly #context: ReaderContext;
  readonly #logger: Logger;
  readonly #placed: WantedSegments;
  readonly #gone = new Set<SegmentId>();
  #meta: CollectionMeta;
  #segments: readonly SegmentMeta[] = [];
  #seen: readonly unknown[] = [];
  #writer: WriterLeader | null = null;

  constructor(meta: CollectionMeta, snapshot: CatalogSnapshot, context: ReaderContext) {
    this.id = meta.id;
    this.#meta = meta;
    this.#context = context;
    this.#logger = context.logger.child({ collection: meta.id });
    this.#placed = new WantedSegments(context.router, context.nodeId);
    this.channels = new Map(meta.channels.map((id) => [id, this.#openChannel(id, snapshot)]));
    this.shelf = this.#openShelf();
    this.follower = this.#openFollower();
    this.#writer = snapshot.writer;
    this.update(snapshot);
    this.follower.start();
  }

  /** As the catalog last showed it. */
  get meta(): CollectionMeta {
    return this.#meta;
  }

  get memoryBytes(): number {
    let bytes = this.shelf.memoryBytes;
    for (const channel of this.channels.values()) bytes += channel.fresh.memoryBytes;
    return bytes;
  }

  evict(): boolean {
    return this.shelf.evict();
  }

  /** Takes over what the catalog and discovery show now. */
  update(snapshot: CatalogSnapshot): void {
    const meta = snapshot.collections.get(this.id);
    if (meta === undefined) return;
    const readers = this.#context.readers();
    const seen = [
      meta,
      snapshot.segmentsOf(this.id),
      snapshot.incomingOf(this.id),
      readers,
      ...meta.channels.map((id) => snapshot.channel(id)),
    ];
    if (snapshot.writer !== this.#writer) this.follower.leaderChanged();
    this.#writer = snapshot.writer;
    if (seen.every((part, index) => part === this.#seen[index])) return;
    this.#seen = seen;
    this.#meta = meta;
    const nowMs = this.#context.host.clock.monotonicMs();
    for (const channel of this.channels.values()) {
      const checkpoint = snapshot.channel(channel.id)?.checkpoint;
      if (checkpoint !== undefined) channel.checkpointMoved(checkpoint, nowMs);
    }
    this.#rememberGone(snapshot);
    this.shelf.update(snapshot, this.#wanted(snapshot, meta, readers));
  }

  sweep(): void {
    const { host, options } = this.#context;
    const nowMs = host.clock.monotonicMs();
    const keeping = { graceMs: options.freshGraceMs, bytesMax: options.freshBytesMax };
    for (const channel of this.channels.values()) channel.sweep(nowMs, keeping);
    this.shelf.sweep();
  }

  /** `STALE_PLAN` when the collection has no such channel. */
  channel(id: ChannelId): ServedChannel {
    const channel = this.channels.get(id);
    if (channel !== undefined) return channel;
    throw new MishardsError('STALE_PLAN', `collection ${this.id} has no channel ${id}; plan again`);
  }

  /** `here`: it is open or the catalog shows it; `gone`: it was; `unknown`: a plan that names it is ahead of this reader. */
  whereabouts(id: SegmentId, snapshot: CatalogSnapshot): 'here' | 'gone' | 'unknown' {
    if (this.shelf.has(id) || snapshot.segment(this.id, id) !== undefined) return 'here';
    return this.#gone.has(id) ? 'gone' : 'unknown';
  }

  /** Ends everything; requests that wait for something get `reason`, those that read are waited for. */
  async close(reason: MishardsError): Promise<void> {
    await this.follower.close(reason);
    for (const channel of this.channels.values()) channel.close(reason);
    await this.shelf.close(reason);
  }

  /** A router may be somebody else's; where it fails, segments stay where they are, and requests are answered all the same. */
  #wanted(
    snapshot: CatalogSnapshot,
    meta: CollectionMeta,
    readers: readonly NodeInfo[],
  ): ReadonlyMap<SegmentId, SegmentMeta> {
    try {
      return this.#placed.of(snapshot, meta, readers);
    } catch (error) {
      this.#logger.error({ error }, 'the router failed, the former placement stays');
      return this.#placed.last;
    }
  }

  #rememberGone(snapshot: CatalogSnapshot): void {
    const segments = snapshot.segmentsOf(this.id);
    if (segments === this.#segments) return;
    for (const { id } of this.#segments) {
      if (snapshot.segment(this.id, id) === undefined) this.#gone.add(id);
    }
    for (const oldest of this.#gone) {
      if (this.#gone.size <= GONE_MAX) break;
      this.#gone.delete(oldest);
    }
    this.#segments = segments;
  }

  #openChannel(id: ChannelId, snapshot: CatalogSnapshot): ServedChannel {
    const { kernel } = this.#context;
    return new ServedChannel({
      id,
      checkpoint: snapshot.channel(id)?.checkpoint ?? 0,
      createFreshRows: (after) => createFreshRows({ kernel, channel: id, schema: this.#meta.schema, after }),
      decode: (entry) => decodeMutation(entry.type, entry.payload),
      deleteSealed: (deletes) => this.shelf.applyDeletes(id, deletes),
    });
  }

  #openShelf(): SegmentShelf {
    const { catalog, budget, deltas, gate, host, options, openSegment } = this.#context;
    const loader = new SegmentLoader({
      collectionId: this.id,
      snapshot: () => catalog.snapshot(),
      channel: (id) => this.channels.get(id),
      open: (meta, signal) => openSegment(meta, this.#meta.schema, signal),
      deltas,
      budget,
    });
    return new SegmentShelf({
      collectionId: this.id,
      loader,
      gate,
      budget,
      clock: host.clock,
      limits: options,
      onFailure: (segment, error) =>
        this.#logger.warn({ segment, error }, 'a segment could not be loaded, it will be tried again'),
    });
  }

  #openFollower(): LogFollower {
    const { catalog, host, log, options, writerFor } = this.#context;
    return new LogFollower({
      log,
      clock: host.clock,
      timers: host.timers,
      bytesMax: options.followBytesMax,
      restart: (channel, signal) => this.#restart(channel, signal),
      checkpointFrom: (channel, least, signal) => this.#checkpointFrom(channel, least, signal),
      channels: [...this.channels.values()],
      leader: () => catalog.snapshot().writer,
      writerFor,
      limits: options,
      onSource: (writer, error) => {
        if (writer === null)
          this.#logger.warn({ error }, 'the writer is away, the log is read from shared storage');
        else this.#logger.info({ writer }, 'following the writer');
      },
      onFailure: (error, channel) => this.#logger.error({ channel, error }, 'a channel cannot be followed'),
      onRecovered: (channel) => this.#logger.info({ channel }, 'a channel is followed again'),
    });
  }

  async #checkpointFrom(id: ChannelId, least: LogSequence, signal: AbortSignal): Promise<LogSequence> {
    const shown = (snapshot: CatalogSnapshot): LogSequence =>
      snapshot.channel(id)?.checkpoint ?? Number.POSITIVE_INFINITY;
    const snapshot = await this.#context.catalog.waitFor((candidate) => shown(candidate) >= least, signal);
    return shown(snapshot);
  }

  /**
   * The log has lost entries before they were applied, because their rows are in segments. Makes the open segments know the
   * deletes among them and goes on behind the checkpoint: R5 of `docs/internals/read-path.md`.
   */
  async #restart(channel: ServedChannel, signal: AbortSignal): Promise<void> {
    const { catalog, deltas } = this.#context;
    const isBeyond = (snapshot: CatalogSnapshot): boolean => {
      const meta = snapshot.channel(channel.id);
      return meta === undefined || meta.checkpoint > channel.progress.applied;
    };
    for (;;) {
      const snapshot = await catalog.waitFor(isBeyond, signal);
      const meta = snapshot.channel(channel.id);
      if (meta === undefined) throw new MishardsError('STALE_PLAN', `channel ${channel.id} was dropped`);
      const batches: DeleteBatch[] = [];
      for (const delta of meta.deltas) batches.push(await abortable(deltas.get(delta), signal));
      const newest = catalog.snapshot();
      if (channel.progress.applied >= meta.checkpoint) return;
      if (newest.channel(channel.id) !== meta) continue;
      this.shelf.restart(channel.id, newest, batches);
      channel.restart(meta.checkpoint);
      this.#logger.warn(
        { channel: channel.id, checkpoint: meta.checkpoint },
        'the log was truncated before it was read, going on behind the checkpoint',
      );
      return;
    }
  }
}
