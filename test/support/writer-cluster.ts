import assert from 'node:assert/strict';
import { FaultableLog } from './faultable-log.ts';
import { vectorSchema } from './schemas.ts';
import type { CreateCollectionCommand } from '../../src/catalog/commands.ts';
import { openCatalog, type MetastoreCatalog } from '../../src/catalog/metastore-catalog.ts';
import type { CollectionMeta } from '../../src/catalog/model.ts';
import {
  columnFromValues,
  keysFromValues,
  type Column,
  type KeyValue,
  type RowBatch,
} from '../../src/columns/index.ts';
import { createSimulatedHost, MemoryDisk, type SimulatedHost } from '../../src/host/simulated/index.ts';
import { MemoryKernel } from '../../src/kernel/memory/memory-kernel.ts';
import type { AppenderLimits } from '../../src/log/local/local-appender.ts';
import { createLocalLog } from '../../src/log/local/local-log.ts';
import type { Log } from '../../src/log/log.ts';
import { createMemoryLog, MemoryLogVolume } from '../../src/log/memory/memory-log.ts';
import { FaultableMetastore } from '../../src/metastore/faultable-metastore.ts';
import { MemoryMetastore } from '../../src/metastore/memory/memory-metastore.ts';
import { MemoryMetastoreVolume } from '../../src/metastore/memory/memory-metastore-volume.ts';
import {
  createMemoryObjectStore,
  MemoryObjectVolume,
} from '../../src/object-store/memory/memory-object-store.ts';
import type { ObjectStore } from '../../src/object-store/object-store.ts';
import type { InsertRequest } from '../../src/protocol/writer-api.ts';
import type { NodeId, PartitionId } from '../../src/schema/index.ts';
import { createSegmentCache, type SegmentCache } from '../../src/segment/segment-cache.ts';
import { createWriter, type Writer } from '../../src/writer/writer.ts';
import type { WriterOptions } from '../../src/writer/writer-options.ts';

export const CALL = { timeoutMs: 10_000 };

/** One process with a writer. */
export interface WriterProcess {
  readonly name: string;
  readonly writer: Writer;
  readonly catalog: MetastoreCatalog;
  readonly metastore: FaultableMetastore;
  readonly log: FaultableLog;
  /** As kill -9 ends it: it writes nothing more and gives nothing back. */
  kill(): Promise<void>;
  stop(): Promise<void>;
}

export interface WriterClusterOptions {
  readonly writer?: Partial<WriterOptions>;
  readonly seed?: number;
  /** Default `memory`. A kill may cut the power of the disk under a local log. */
  readonly log?: 'memory' | 'local';
  /** Of a local log. */
  readonly logLimits?: Partial<AppenderLimits>;
  /** Puts something in front of the object store of every process. */
  readonly freeDiskBytes?: () => Promise<number>;
  readonly decorate?: (objectStore: ObjectStore) => ObjectStore;
}

/** Writers on shared storage in memory, in simulated time. */
export class WriterCluster implements AsyncDisposable {
  readonly host: SimulatedHost;
  readonly kernel: MemoryKernel;
  readonly objectStore: ObjectStore;
  readonly metastoreVolume = new MemoryMetastoreVolume();
  readonly logVolume = new MemoryLogVolume();
  /** Under the local log. */
  readonly logDisk: MemoryDisk;
  readonly #options: WriterClusterOptions;
  readonly #stack = new AsyncDisposableStack();

  constructor(options: WriterClusterOptions = {}) {
    this.#options = options;
    this.host = createSimulatedHost({ seed: options.seed ?? 1 });
    this.logDisk = new MemoryDisk({ clock: this.host.clock });
    this.kernel = new MemoryKernel({ files: this.host.files });
    const store = createMemoryObjectStore({ host: this.host, volume: new MemoryObjectVolume() });
    this.objectStore = this.#stack.use(options.decorate?.(store) ?? store);
  }

  /** `clockOffsetMs`: how far this process's wall clock is from the others'. */
  async start(name: string, clockOffsetMs = 0): Promise<WriterProcess> {
    const { host, kernel, objectStore } = this;
    const clock = {
      nowMs: () => host.clock.nowMs() + clockOffsetMs,
      monotonicMs: () => host.clock.monotonicMs(),
    };
    const stack = new AsyncDisposableStack();
    const metastore = stack.use(
      new FaultableMetastore(new MemoryMetastore({ host, volume: this.metastoreVolume })),
    );
    const catalog = stack.use(await openCatalog({ metastore, timers: host.timers }));
    const files = this.logDisk.mount();
    const log = stack.use(new FaultableLog(await this.openLog(files)));
    const cache = stack.use(await this.cache(name));
    const writer = stack.use(
      createWriter({
        host: { ...host, clock },
        metastore,
        log,
        objectStore,
        kernel,
        catalog,
        cache,
        temporaryDirectory: `/temporary/${name}`,
        node: { id: name as NodeId, address: `memory://${name}` },
        ...(this.#options.freeDiskBytes && { freeDiskBytes: this.#options.freeDiskBytes }),
        options: { leaseTtlMs: 3_000, ...this.#options.writer },
      }),
    );
    const stop = async (): Promise<void> => await this.settle(stack.disposeAsync());
    this.#stack.defer(stop);
    const kill = async (): Promise<void> => {
      metastore.stop();
      if (this.#options.log !== 'local') log.appends = 'fail';
      else if (host.random.below(2) === 0) files.kill();
      else this.logDisk.crash(host.random);
      await stop();
    };
    return { name, writer, catalog, metastore, log, kill, stop };
  }

  /** Starts a writer and waits until it is the active one. */
  async startActive(name: string, clockOffsetMs = 0): Promise<WriterProcess> {
    const process = await this.start(name, clockOffsetMs);
    await this.active(process);
    return process;
  }

  async active({ writer }: WriterProcess): Promise<void> {
    for (let passedMs = 0; !writer.isLeader; passedMs += 10) {
      assert.ok(passedMs < 60_000, 'a writer becomes active within a minute');
      await this.host.timers.advance(10);
    }
  }

  /** Lets time pass until the promise settles. */
  async settle<T>(promise: Promise<T>): Promise<T> {
    return await this.host.timers.advanceUntil(promise, 10);
  }

  /** Lets time pass until `accepts`. */
  async until(accepts: () => boolean, limitMs = 600_000): Promise<void> {
    for (let passedMs = 0; !accepts(); passedMs += 20) {
      assert.ok(passedMs < limitMs, `within ${limitMs} simulated ms: ${accepts}`);
      await this.host.timers.advance(20);
    }
  }

  async openLog(files = this.logDisk.mount()): Promise<Log> {
    if (this.#options.log !== 'local') return createMemoryLog({ volume: this.logVolume });
    return await createLocalLog({ host: { files }, directory: '/log', ...this.#options.logLimits });
  }

  async cache(name: string): Promise<SegmentCache> {
    return await createSegmentCache({
      host: this.host,
      objectStore: this.objectStore,
      directory: `/cache/${name}`,
      bytesMax: 2 ** 30,
    });
  }

  /** Creates a collection and returns it as the process sees it. */
  async createCollection(
    process: WriterProcess,
    name: string,
    change: Partial<CreateCollectionCommand> = {},
  ): Promise<CollectionMeta> {
    const { revision } = await this.settle(process.writer.api.execute(createCollection(name, change), CALL));
    const snapshot = await this.settle(
      process.catalog.waitFor((seen) => seen.revision >= revision, AbortSignal.timeout(10_000)),
    );
    return snapshot.findCollection('default', name) ?? assert.fail(`no collection ${name}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

export function createCollection(
  name: string,
  change: Partial<CreateCollectionCommand> = {},
): CreateCollectionCommand {
  return {
    kind: 'create-collection',
    databaseName: 'default',
    name,
    schema: vectorSchema({ dim: 2 }),
    shardsNum: 1,
    consistencyLevel: 'Bounded',
    properties: {},
    partitionCount: 1,
    ...change,
  };
}

/** Rows of `vectorSchema({ dim: 2 })`: each vector is (value, -value). */
export function rowsOf(keys: readonly KeyValue[] | null, values: readonly number[]): RowBatch {
  const columns = new Map<number, Column>();
  if (keys !== null) {
    columns.set(100, keysFromValues(typeof keys[0] === 'string' ? 'VarChar' : 'Int64', keys));
  }
  const vectors = values.map((value) => Float32Array.of(value, -value));
  columns.set(101, columnFromValues({ type: 'FloatVector', elementType: null, dim: 2 }, vectors));
  return { rowCount: values.length, columns };
}

export function insertOf(
  collection: CollectionMeta,
  keys: readonly KeyValue[] | null,
  values: readonly number[],
  partitionId: PartitionId = collection.partitions[0]!.id,
): InsertRequest {
  return {
    collectionId: collection.id,
    schemaVersion: collection.schemaVersion,
    partitionId,
    rows: rowsOf(keys, values),
  };
}
