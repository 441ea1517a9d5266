import { join, resolve } from 'node:path';
import { pathOf } from './drivers.ts';
import { openCache } from './open-cache.ts';
import { listenWire, nodeInfo, type RoleOptions, type RunningRole } from './role.ts';
import type { NodeServices } from './node-services.ts';
import type { Config } from '../config/index.ts';
import { MishardsError } from '../errors/index.ts';
import { serveWriter } from '../protocol/writer-server.ts';
import type { WireHandler } from '../wire/wire.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { createWriter, type Writer, type WriterFigures } from '../writer/writer.ts';
import type { WriterOptions } from '../writer/writer-options.ts';

const GAUGES: Readonly<Record<keyof WriterFigures, readonly [name: string, help: string]>> = {
  epoch: ['writer_epoch', 'epoch of the lease this writer holds'],
  channelCount: ['writer_channels', 'channels open for writing'],
  recoveringChannelCount: ['writer_channels_recovering', 'channels whose log is yet to be replayed'],
  freshRowCount: ['writer_fresh_rows', 'rows that are in the log and not yet in segments'],
  freshBytes: ['writer_fresh_bytes', 'bytes of memory of the rows not yet in segments'],
  inFlightBytes: ['writer_in_flight_bytes', 'bytes of writes that are not yet durable'],
  tailBytes: ['writer_tail_bytes', 'bytes of log entries kept for the readers that follow'],
  flushesRunning: ['writer_flushes_running', 'flushes under way or waiting for their turn'],
  indexBuildsRunning: ['writer_index_builds_running', 'index files being built'],
  compactionsRunning: ['writer_compactions_running', 'segments being merged or rewritten'],
  compactionsWithdrawn: [
    'writer_compactions_withdrawn',
    'merged segments given up because they could not be indexed, since this writer became active',
  ],
  indexFilesMissing: ['writer_index_files_missing', 'index files that segments still lack'],
};

export async function startWriterRole(services: NodeServices, options: RoleOptions): Promise<RunningRole> {
  const { config, discovery, metrics } = services;
  await using stack = new AsyncDisposableStack();
  // The writer announces its address with its lease, so it must be known before the writer can be made.
  let handler: WireHandler | null = null;
  const server = stack.use(
    await listenWire(services, 'writer', options.listenAddress, async (method, request, context) => {
      if (handler === null) throw new MishardsError('SERVICE_NOT_READY', `${options.id} is starting`);
      return await handler(method, request, context);
    }),
  );
  const writer = createWriter({
    ...services,
    kernel: services.kernel(),
    cache: await openCache(services, options.id, stack),
    temporaryDirectory: resolve(join(config['data.directory'], 'tmp', options.id)),
    node: { id: options.id, address: server.address },
    freeDiskBytes: await logSpace(services),
    options: writerOptions(config),
  });
  stack.defer(() => writer.stop({ drainMs: config['proxy.shutdown_grace'] }));
  handler = serveWriter(writer.api);
  showFigures(writer, metrics);
  stack.use(await discovery.register(nodeInfo(services, 'writer', options, server.address)));
  const owned = stack.move();
  return {
    addresses: server.address.startsWith('memory:') ? {} : { wire: server.address },
    notReady: () => [],
    pages: new Map(),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Measures what is free where the log is; a log that is not on a disk has no end. */
async function logSpace({ config, host }: NodeServices): Promise<() => Promise<number>> {
  if (config['log.type'] !== 'local') return () => Promise.resolve(Number.POSITIVE_INFINITY);
  const directory = pathOf(config, 'log.path', 'log');
  await host.files.makeDirectory(directory);
  return () => host.files.freeBytes(directory);
}

/** A writer that is not active has no figures and shows zeros. */
export function showFigures(writer: Pick<Writer, 'isLeader' | 'figures'>, metrics: Metrics): void {
  metrics.gauge('writer_is_leader', '1 while this writer holds the lease', () => Number(writer.isLeader));
  for (const [figure, [name, help]] of Object.entries(GAUGES)) {
    metrics.gauge(name, help, () => writer.figures?.[figure as keyof WriterFigures] ?? 0);
  }
}

export function writerOptions(config: Config): WriterOptions {
  return {
    leaseTtlMs: config['writer.lease_ttl'],
    commandWaitMs: config['writer.command_wait'],
    flushBytes: config['writer.flush_bytes'],
    flushRows: config['writer.flush_rows'],
    flushAgeMs: config['writer.flush_age'],
    segmentRowsMax: config['writer.segment_rows_max'],
    indexRowsMin: config['writer.index_rows_min'],
    compactionBytesMax: config['writer.compaction_bytes_max'],
    compactionSegmentsMin: config['writer.compaction_segments_min'],
    compactionDeadRatio: config['writer.compaction_dead_percent'] / 100,
    compactionConcurrency: config['writer.compaction_concurrency'],
    compactionWarmUpMs: config['writer.compaction_warm_up'],
    compactionBuildFailuresMax: config['writer.compaction_build_failures_max'],
    compactionRestMs: config['writer.compaction_rest'],
    indexThreads: config['writer.index_threads'],
    freshBytesMax: config['writer.fresh_bytes_max'],
    logGraceMs: config['writer.log_grace'],
    flushConcurrency: config['writer.flush_concurrency'],
    indexConcurrency: config['writer.index_concurrency'],
    deltasMax: config['writer.deltas_max'],
    diskFreeBytesMin: config['writer.disk_free_min'],
    inFlightBytesMax: config['writer.in_flight_bytes_max'],
    tailBytesMax: config['writer.tail_bytes_max'],
    orphanGraceMs: config['writer.orphan_grace'],
    garbageIntervalMs: config['writer.garbage_interval'],
    recoveryConcurrency: config['writer.recovery_concurrency'],
    maintenanceIntervalMs: config['writer.maintenance_interval'],
    retryMs: config['writer.retry'],
    retryMaxMs: config['writer.retry_max'],
    limits: {
      databasesMax: config['limits.databases_max'],
      collectionsMax: config['limits.collections_max'],
      partitionsMax: config['limits.partitions_max'],
    },
  };
}
