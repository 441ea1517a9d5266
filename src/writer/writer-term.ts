import { ChannelTable } from './channel-table.ts';
import type { ChannelWriter } from './channel-writer.ts';
import { idsNeeded, planCommand } from './commands/plan-command.ts';
import { DiskWatch } from './disk-watch.ts';
import { DelayedRemovals } from './delayed-removals.ts';
import { Compactor } from './compaction/compactor.ts';
import { EntryTails } from './entry-tail.ts';
import { FencedCatalog } from './fenced-catalog.ts';
import { Flusher } from './flusher.ts';
import { follow } from './follow.ts';
import { IndexBuilder } from './index-builder.ts';
import { GarbageCollector } from './garbage-collector.ts';
import { Mutations } from './mutations.ts';
import { ObjectsInMaking } from './objects-in-making.ts';
import { Sweeper } from './sweeper.ts';
import { WriteRoom } from './write-room.ts';
import type { WriterLease } from './writer-lease.ts';
import type { WriterResources } from './writer-resources.ts';
import type { CatalogCommand } from '../catalog/commands.ts';
import { DEFAULT_DATABASE_NAME } from '../catalog/model.ts';
import { MishardsError, asMishardsError } from '../errors/index.ts';
import type {
  CompactionRequested,
  CompactionState,
  DeleteRequest,
  FlushResult,
  FollowRequest,
  FollowResult,
  InsertRequest,
  MutationResult,
  Positions,
  WriterApi,
} from '../protocol/writer-api.ts';
import { fencingOf } from '../log/log-rules.ts';
import type { ChannelId, CollectionId, PartitionId } from '../schema/index.ts';
import { abortable } from '../util/abortable.ts';
import type { CallOptions } from '../wire/wire.ts';

/** One time of being the active writer, from an election to the loss of the lease. It is never revived. */
export class WriterTerm implements WriterApi {
  readonly lease: WriterLease;
  readonly #resources: WriterResources;
  readonly #catalog: FencedCatalog;
  readonly #channels: ChannelTable;
  readonly #room: WriteRoom;
  readonly #tails: EntryTails;
  readonly #mutations: Mutations;
  readonly #removals: DelayedRemovals;
  readonly #flusher: Flusher;
  readonly #indexes: IndexBuilder;
  readonly #compactor: Compactor;
  readonly #sweeper: Sweeper;
  readonly #disk: DiskWatch;
  readonly #garbage: GarbageCollector;
  /** Aborts when the lease is lost or the term is closed. */
  readonly #closing = new AbortController();
  readonly #draining = new AbortController();
  readonly #stack = new DisposableStack();

  constructor(lease: WriterLease, resources: WriterResources) {
    const { host, metastore, catalog, log, kernel, oracle, options: limits } = resources;
    const { timers } = host;
    const { signal } = this.#closing;
    const logger = resources.logger.child({ epoch: lease.epoch });
    const snapshot = () => catalog.snapshot();
    this.lease = lease;
    this.#resources = { ...resources, logger };
    this.#catalog = new FencedCatalog({ metastore, catalog, lease, timers });
    this.#room = new WriteRoom(limits);
    this.#disk = new DiskWatch({ ...resources, logger, room: this.#room });
    this.#tails = new EntryTails(limits.tailBytesMax);
    this.#channels = new ChannelTable({
      log,
      kernel,
      oracle,
      snapshot,
      timers,
      logger,
      signal,
      clock: host.clock,
      tails: this.#tails,
      epoch: lease.epoch,
      concurrency: limits.recoveryConcurrency,
      retryMs: limits.retryMs,
      retryMaxMs: limits.retryMaxMs,
      onFenced: (error) => lease.lose(error),
      onFailed: (channel, error) => this.#onLogFailed(channel, error),
      onOpened: (channel) => this.#flusher.truncateLater(channel.id, channel.checkpoint),
    });
    this.#mutations = new Mutations({
      oracle,
      lease,
      catalog: this.#catalog,
      channels: this.#channels,
      room: this.#room,
    });
    this.#removals = new DelayedRemovals({ clock: host.clock, logger });
    const making = new ObjectsInMaking();
    const shared = {
      ...this.#resources,
      snapshot,
      limits,
      signal,
      making,
      removals: this.#removals,
      catalog: this.#catalog,
    };
    this.#flusher = new Flusher({ ...shared, channels: this.#channels, room: this.#room });
    this.#compactor = new Compactor(shared);
    this.#indexes = new IndexBuilder({
      ...shared,
      onBuildFailed: (segment, indexId, error) => this.#compactor.buildFailed(segment, indexId, error),
    });
    const orphans = () => catalog.orphans();
    this.#garbage = new GarbageCollector({ ...shared, orphans });
    this.#sweeper = new Sweeper({
      ...shared,
      orphans,
      clock: host.clock,
      graceMs: limits.orphanGraceMs,
    });
    const onEnded = (): void => this.#closing.abort(lease.ended.reason);
    lease.ended.addEventListener('abort', onEnded, { once: true });
    this.#stack.defer(() => lease.ended.removeEventListener('abort', onEnded));
  }

  /** What is measured of it. */
  get figures() {
    const channels = this.#channels.present();
    return {
      epoch: this.lease.epoch,
      channelCount: channels.length,
      recoveringChannelCount: this.#channels.pendingCount,
      freshRowCount: channels.reduce((sum, channel) => sum + channel.fresh.rowCount, 0),
      freshBytes: this.#room.freshBytes,
      inFlightBytes: this.#room.inFlightBytes,
      tailBytes: this.#tails.sizeBytes,
      flushesRunning: this.#flusher.runningCount,
      indexBuildsRunning: this.#indexes.runningCount,
      indexFilesMissing: this.#indexes.pendingCount,
      compactionsRunning: this.#compactor.runningCount,
      compactionsWithdrawn: this.#compactor.withdrawnCount,
    };
  }

  /** Sees all that earlier writers did; then channels are recovered in the background and calls may come. */
  async start(): Promise<void> {
    const { catalog, oracle, host, options, ids } = this.#resources;
    // Ids of partitions must grow: by them readers tell one that is newer than a plan from one that was dropped.
    ids.startAnew();
    const snapshot = await this.#catalog.current();
    for (const collection of snapshot.collections.values()) {
      oracle.observe(BigInt(collection.createdTimestamp));
      for (const { maxTimestamp } of snapshot.segmentsOf(collection.id)) oracle.observe(BigInt(maxTimestamp));
      for (const { deltas, newestTimestamp } of snapshot.channelsOf(collection.id)) {
        oracle.observe(BigInt(newestTimestamp));
        for (const { maxTimestamp } of deltas) oracle.observe(BigInt(maxTimestamp));
      }
    }
    if (!snapshot.databases.has(DEFAULT_DATABASE_NAME)) {
      await this.#run(
        { kind: 'create-database', name: DEFAULT_DATABASE_NAME, properties: {} },
        await ids.take(1),
      );
    }
    this.#stack.use(catalog.subscribe(() => this.#onCatalog()));
    this.#stack.use(host.timers.every(options.maintenanceIntervalMs, () => this.#maintain()));
    this.#disk.look();
    this.#onCatalog();
  }

  async execute(command: CatalogCommand, call: CallOptions): Promise<{ readonly revision: number }> {
    this.lease.checkHeld();
    const { limits } = this.#resources.options;
    const ids = await this.#resources.ids.take(idsNeeded(command, limits));
    const patience = new AbortController();
    const { commandWaitMs } = this.#resources.options;
    using _ = this.#resources.host.timers.after(commandWaitMs, () =>
      patience.abort(tookTooLong(commandWaitMs)),
    );
    const signals = call.signal === undefined ? [patience.signal] : [call.signal, patience.signal];
    return { revision: await abortable(this.#run(command, ids), AbortSignal.any(signals)) };
  }

  insert(request: InsertRequest, call: CallOptions): Promise<MutationResult> {
    return this.#mutations.put('insert', request, call);
  }

  upsert(request: InsertRequest, call: CallOptions): Promise<MutationResult> {
    return this.#mutations.put('upsert', request, call);
  }

  delete(request: DeleteRequest, call: CallOptions): Promise<MutationResult> {
    return this.#mutations.delete(request, call);
  }

  async flush(collections: readonly CollectionId[], call: CallOptions): Promise<FlushResult> {
    const done = this.#flush(collections);
    return await (call.signal === undefined ? done : abortable(done, call.signal));
  }

  async compact(collection: CollectionId): Promise<CompactionRequested> {
    this.lease.checkHeld();
    return await this.#compactor.compact(collection);
  }

  async compactionState(compactionId: string): Promise<CompactionState> {
    this.lease.checkHeld();
    return await this.#compactor.state(compactionId);
  }

  async positions(collection: CollectionId): Promise<Positions> {
    const channels = await this.#channelsOf(collection);
    this.lease.checkHeld();
    return new Map(channels.map((channel) => [channel.id, channel.sequence]));
  }

  async freshRows(collection: CollectionId): Promise<ReadonlyMap<PartitionId, number>> {
    const counts = new Map<PartitionId, number>();
    for (const channel of await this.#channelsOf(collection)) {
      for (const [partition, count] of channel.fresh.rowCounts()) {
        counts.set(partition, (counts.get(partition) ?? 0) + count);
      }
    }
    this.lease.checkHeld();
    return counts;
  }

  async follow(request: FollowRequest, call: CallOptions): Promise<FollowResult> {
    this.lease.checkHeld();
    return await follow(request, call, {
      snapshot: () => this.#resources.catalog.snapshot(),
      channels: this.#channels,
      lease: this.lease,
      closing: AbortSignal.any([this.#closing.signal, this.#draining.signal]),
      timers: this.#resources.host.timers,
    });
  }

  /** Ends the calls that only wait. */
  drain(): void {
    this.#draining.abort(new MishardsError('NOT_LEADER', 'the writer is stopping'));
  }

  /** Ends what runs, lets go of the logs and gives the lease back. */
  async close(reason: MishardsError): Promise<void> {
    this.lease.lose(reason);
    this.#closing.abort(reason);
    this.#stack.dispose();
    const ofSegments = [this.#flusher, this.#indexes, this.#compactor];
    const workers = [...ofSegments, this.#sweeper, this.#removals, this.#garbage];
    await Promise.all(workers.map((worker) => worker.idle()));
    await this.#channels.close(reason);
    await this.lease[Symbol.asyncDispose]();
  }

  async #run(command: CatalogCommand, ids: readonly string[]): Promise<number> {
    const { oracle, options } = this.#resources;
    return await this.#catalog.change((snapshot) => {
      let taken = 0;
      return planCommand(command, {
        snapshot,
        limits: options.limits,
        timestamp: String(oracle.next()),
        takeId: <Id extends string>() => ids[taken++] as Id,
      });
    });
  }

  async #channelsOf(id: CollectionId): Promise<readonly ChannelWriter[]> {
    this.lease.checkHeld();
    const collection = (await this.#catalog.current()).collections.get(id);
    if (collection === undefined) {
      throw new MishardsError('COLLECTION_NOT_FOUND', `collection not found[collection=${id}]`);
    }
    return await Promise.all(collection.channels.map((channel) => this.#channels.opened(channel)));
  }

  async #flush(collections: readonly CollectionId[]): Promise<FlushResult> {
    const timestamp = this.#resources.oracle.next();
    const segmentIds = new Map<CollectionId, readonly string[]>();
    let revision = 0;
    const flushes = collections.map(async (collection) => {
      const channels = await this.#channelsOf(collection);
      const results = await Promise.all(
        channels.map((channel) => this.#flusher.flush(channel, channel.sequence)),
      );
      segmentIds.set(
        collection,
        results.flatMap((result) => result.segmentIds),
      );
      revision = Math.max(revision, ...results.map((result) => result.revision));
    });
    await Promise.all(flushes);
    return { revision: Math.max(revision, (await this.#catalog.current()).revision), timestamp, segmentIds };
  }

  #onCatalog(): void {
    this.#channels.reconcile();
    this.#indexes.look();
  }

  #maintain(): void {
    this.#disk.look();
    this.#flusher.look();
    this.#removals.look();
    this.#indexes.look();
    this.#compactor.look();
    this.#sweeper.look();
    this.#garbage.look();
  }

  /** The log accepts nothing more under this epoch; the next one opens it anew and sees what of the last write is there. */
  #onLogFailed(channel: ChannelId, error: unknown): void {
    const cause = asMishardsError(error);
    this.#resources.logger.error({ channel, error }, 'the log of a channel failed');
    const message = `the log of channel ${channel} failed, so the writer begins a new epoch: ${cause.message}`;
    this.lease.lose(fencingOf(error) ?? new MishardsError('NOT_LEADER', message, { cause }));
  }
}

function tookTooLong(waitMs: number): MishardsError {
  return new MishardsError(
    'METASTORE_UNAVAILABLE',
    `the metadata service has not taken the change within ${waitMs} ms; it may still happen when the service is back`,
  );
}
