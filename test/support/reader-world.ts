import { GatedLog, GatedObjectStore } from './gates.ts';
import { batchOf, ModelRows, modelSchema, type ModelDelete, type ModelRow } from './model-rows.ts';
import { ScriptedWriter } from './scripted-writer.ts';
import { temporaryDirectory } from './temporary-directory.ts';
import { encodeDocument } from '../../src/catalog/document.ts';
import {
  WRITER_LEASE_KEY,
  channelDocumentKey,
  channelId,
  collectionDocumentKey,
  segmentDocumentKey,
} from '../../src/catalog/keys.ts';
import { openCatalog, type MetastoreCatalog } from '../../src/catalog/metastore-catalog.ts';
import type {
  ChannelMeta,
  CollectionMeta,
  IndexFile,
  LoadSpec,
  SegmentMeta,
} from '../../src/catalog/model.ts';
import { keysFromValues } from '../../src/columns/index.ts';
import type { NodeInfo } from '../../src/discovery/discovery.ts';
import { NodeList } from '../../src/discovery/node-list.ts';
import type { Host } from '../../src/host/index.ts';
import { NodeFileSystem } from '../../src/host/node/index.ts';
import {
  createSimulatedHost,
  type SimulatedHost,
  type SimulatedTimers,
} from '../../src/host/simulated/index.ts';
import { createKernel } from '../../src/kernel/index.ts';
import type { Kernel } from '../../src/kernel/kernel.ts';
import { MemoryKernel } from '../../src/kernel/memory/memory-kernel.ts';
import type { LogAppender, LogRecord } from '../../src/log/log.ts';
import { createMemoryLog } from '../../src/log/memory/memory-log.ts';
import { createMemoryMetastore } from '../../src/metastore/memory/memory-metastore.ts';
import type { Metastore, Write } from '../../src/metastore/metastore.ts';
import { createMemoryObjectStore } from '../../src/object-store/memory/memory-object-store.ts';
import type { ObjectStore } from '../../src/object-store/object-store.ts';
import { createReader, type CreateReaderOptions, type Reader } from '../../src/reader/create-reader.ts';
import { ConsistentHashRouter } from '../../src/routing/consistent-hash/consistent-hash-router.ts';
import type {
  ChannelId,
  CollectionId,
  CollectionSchema,
  IndexId,
  LogSequence,
  NodeId,
  PartitionId,
  SegmentId,
  Timestamp,
} from '../../src/schema/index.ts';
import { writeDelta } from '../../src/segment/delta.ts';
import { writeIndex } from '../../src/segment/index-writer.ts';
import { encodeMutation } from '../../src/segment/mutation-codec.ts';
import type { Mutation } from '../../src/segment/mutation.ts';
import { writeScalarIndex } from '../../src/segment/scalar-index-writer.ts';
import { createSegmentCache } from '../../src/segment/segment-cache.ts';
import { writeSegment } from '../../src/segment/segment-writer.ts';

export const COLLECTION = '1' as CollectionId;
export const PARTITIONS = ['10' as PartitionId, '11' as PartitionId] as const;
export const DIM = 3;

export type RowToWrite = Pick<ModelRow, 'key' | 'vector' | 'price' | 'tag'>;

export interface ReaderWorldOptions {
  readonly seed?: number;
  readonly channelCount?: number;
  readonly load?: LoadSpec | null;
  /** The native kernel on real files, instead of the one in memory. */
  readonly native?: boolean;
}

/** Where a world's kernel and files are. */
interface Machine {
  readonly host: Host;
  readonly kernel: Kernel;
  readonly root: string;
}

/**
 * All that a reader stands on, in memory and in simulated time, with a writer's side that does what a test says: it logs
 * mutations, flushes, compacts, builds indexes and puts catalog documents, and keeps a model of what must be found.
 */
export class ReaderWorld implements AsyncDisposable {
  readonly host: Host;
  readonly timers: SimulatedTimers;
  readonly kernel: Kernel;
  readonly metastore: Metastore;
  /** As readers see it; the writer's side is not held up by its gate. */
  readonly objectStore: GatedObjectStore;
  readonly log: GatedLog;
  readonly catalog: MetastoreCatalog;
  readonly nodes = new NodeList();
  readonly writer: ScriptedWriter;
  readonly model = new ModelRows();
  readonly schema: CollectionSchema = modelSchema(DIM);
  readonly channels: readonly ChannelId[];
  readonly #stack: AsyncDisposableStack;
  readonly #root: string;
  readonly #objects: ObjectStore;
  readonly #appenders = new Map<ChannelId, LogAppender>();
  /** Which model rows each segment was written with. */
  readonly #rowsOf = new Map<SegmentId, readonly ModelRow[]>();
  #lastId = 1_000;
  #lastTimestamp = 0n;

  static async create(options: ReaderWorldOptions = {}): Promise<ReaderWorld> {
    const simulated = createSimulatedHost({ seed: options.seed ?? 1 });
    await using stack = new AsyncDisposableStack();
    const machine =
      options.native === true ? await realMachine(simulated, stack) : inMemory(simulated, stack);
    const metastore = stack.use(createMemoryMetastore({ host: simulated }));
    const catalog = stack.use(await openCatalog({ metastore, timers: simulated.timers }));
    const channelCount = options.channelCount ?? 1;
    const world = new ReaderWorld(machine, simulated.timers, metastore, catalog, channelCount, stack.move());
    for (const channel of world.channels) {
      world.#appenders.set(channel, await world.log.openAppender(channel, 1));
    }
    const load =
      options.load === undefined
        ? { replicas: 1, partitionIds: null, fieldIds: null, before: null }
        : options.load;
    await world.commit([
      world.#put(WRITER_LEASE_KEY, { nodeId: 'writer-1', address: 'memory://writer-1', epoch: 1 }),
      world.#put(collectionDocumentKey(COLLECTION), world.#collection(load)),
      ...world.channels.map((id) => world.#put(channelDocumentKey(id), emptyChannel(id))),
    ]);
    return world;
  }

  private constructor(
    machine: Machine,
    timers: SimulatedTimers,
    metastore: Metastore,
    catalog: MetastoreCatalog,
    channelCount: number,
    stack: AsyncDisposableStack,
  ) {
    this.#stack = stack;
    this.host = machine.host;
    this.timers = timers;
    this.kernel = machine.kernel;
    this.#root = machine.root;
    this.metastore = metastore;
    this.catalog = catalog;
    this.#objects = createMemoryObjectStore({ host: machine.host });
    this.objectStore = stack.use(new GatedObjectStore(this.#objects));
    this.log = stack.use(new GatedLog(createMemoryLog()));
    this.writer = new ScriptedWriter(timers);
    this.channels = Array.from({ length: channelCount }, (_, number) => channelId(COLLECTION, number));
  }

  /** A reader with a cache of its own that discovery knows. */
  async startReader(id = 'reader-1', options: Partial<CreateReaderOptions> = {}): Promise<Reader> {
    const { host, objectStore } = this;
    const cacheOptions = { host, objectStore, directory: `${this.#root}/cache/${id}`, bytesMax: 2 ** 30 };
    const cache = this.#stack.use(await createSegmentCache(cacheOptions));
    const node = nodeOf(id);
    this.nodes.replace([...this.nodes.nodes, node]);
    const reader = createReader({
      host,
      catalog: this.catalog,
      log: this.log,
      objectStore,
      cache,
      kernel: this.kernel,
      router: new ConsistentHashRouter(),
      discovery: {
        driver: 'scripted',
        register: async () => ({ [Symbol.asyncDispose]: async () => {} }),
        nodes: () => this.nodes.nodes,
        subscribe: (listener) => this.nodes.subscribe(listener),
        [Symbol.asyncDispose]: async () => {},
      },
      node,
      writerFor: () => this.writer.api,
      ...options,
    });
    return this.#stack.use(reader);
  }

  stopNode(id: string): void {
    this.nodes.replace(this.nodes.nodes.filter((node) => node.id !== id));
  }

  /** Lets simulated time go on until the promise settles. */
  async run<T>(promise: Promise<T>): Promise<T> {
    // Real files and threads take real time, in which little simulated time may pass.
    return await this.timers.advanceUntil(promise, this.#root === '' ? 10 : 0.1);
  }

  /** Lets everything happen that is on its way, and `durationMs` pass. */
  async settle(durationMs = 100): Promise<void> {
    for (let passed = 0; passed < durationMs; passed += 10) await this.timers.advance(10);
  }

  async insert(rows: readonly RowToWrite[], partitionId: PartitionId = PARTITIONS[0]): Promise<void> {
    await this.#write('insert', rows, partitionId);
  }

  async upsert(rows: readonly RowToWrite[], partitionId: PartitionId = PARTITIONS[0]): Promise<void> {
    await this.#write('upsert', rows, partitionId);
  }

  async delete(keys: readonly bigint[], partitionId: PartitionId | null = null): Promise<void> {
    for (const [channel, ofChannel] of Map.groupBy(keys, (key) => this.channelOf(key))) {
      const mutation = { kind: 'delete', partitionId, keys: keysFromValues('Int64', ofChannel) } as const;
      const at = await this.#append(channel, mutation);
      for (const key of ofChannel) this.model.deletes.push({ ...at, key, partitionId });
    }
  }

  /** Logs and acknowledges any bytes, outside of the model. */
  async appendRaw(channel: ChannelId, entry: Pick<LogRecord, 'type' | 'payload'>) {
    const timestamp = ++this.#lastTimestamp as Timestamp;
    const record = { ...entry, timestamp };
    const { last: sequence } = await this.#appenders.get(channel)!.append([record]);
    this.writer.push(channel, { ...record, sequence, epoch: 1 });
    return { channel, sequence, timestamp };
  }

  /** Moves the checkpoint of a channel to `through` (default: the log's end) with segments and a delta, in one commit. */
  async flush(channel: ChannelId, through?: LogSequence): Promise<readonly SegmentMeta[]> {
    const before = this.catalog.snapshot().channel(channel)!;
    const checkpoint = through ?? this.lastSequence(channel);
    const isFlushed = (change: ModelRow | ModelDelete): boolean =>
      change.channel === channel && change.sequence > before.checkpoint && change.sequence <= checkpoint;
    const segments = await this.#writeSegments(channel, this.model.alive(isFlushed));
    const deletes = this.model.deletes.filter(isFlushed);
    const deltas = deletes.length === 0 ? [] : [await this.#writeDelta(deletes)];
    const after: ChannelMeta = { ...before, checkpoint, deltas: [...before.deltas, ...deltas] };
    await this.commit([
      this.#put(channelDocumentKey(channel), after),
      ...segments.map((meta) => this.#putSegment(meta)),
    ]);
    return segments;
  }

  /** Rewrites all segments of a channel into new ones without the rows its deltas delete, and drops the deltas. */
  async compact(channel: ChannelId): Promise<readonly SegmentMeta[]> {
    const snapshot = this.catalog.snapshot();
    const meta = snapshot.channel(channel)!;
    const old = snapshot.segmentsOf(COLLECTION).filter((segment) => segment.channelId === channel);
    const alive = new Set(
      this.model.alive((change) => change.channel === channel && change.sequence <= meta.checkpoint),
    );
    const rows = old.flatMap((segment) => this.#rowsOf.get(segment.id)!).filter((row) => alive.has(row));
    const segments = await this.#writeSegments(channel, rows);
    await this.commit([
      this.#put(channelDocumentKey(channel), { ...meta, deltas: [] }),
      ...segments.map((segment) => this.#putSegment(segment)),
      ...old.map(({ id }): Write => ({ kind: 'delete', key: segmentDocumentKey(COLLECTION, id) })),
    ]);
    return segments;
  }

  /** Builds an index over the vectors of every segment that has none. */
  async buildIndexes(indexId = '77' as IndexId): Promise<void> {
    const segments = this.catalog.snapshot().segmentsOf(COLLECTION);
    const writes: Write[] = [];
    for (const segment of segments.filter(({ indexes }) => indexes.length === 0)) {
      const file = await this.#buildIndex(segment, indexId);
      writes.push(this.#putSegment({ ...segment, indexes: [file] }));
    }
    await this.commit(writes);
  }

  /** Builds an index over each of the scalar fields of every segment, its id that of the field. */
  async buildScalarIndexes(fieldIds: readonly number[]): Promise<void> {
    const { host, kernel, schema } = this;
    const tools = { host, kernel, schema, objectStore: this.#objects };
    await using cache = await createSegmentCache({
      ...tools,
      directory: `${this.#root}/cache/writer`,
      bytesMax: 2 ** 30,
    });
    const writes: Write[] = [];
    for (const segment of this.catalog.snapshot().segmentsOf(COLLECTION)) {
      const files: IndexFile[] = [];
      for (const fieldId of fieldIds) {
        const id = String(fieldId) as IndexId;
        const type = { requestedType: 'INVERTED', type: 'INVERTED', metric: null } as const;
        const index = { id, name: id, fieldId, ...type, params: {}, createdTimestamp: '1' };
        files.push(await writeScalarIndex({ buildId: '9', ...tools, cache, segment, index }));
      }
      writes.push(this.#putSegment({ ...segment, indexes: [...segment.indexes, ...files] }));
    }
    await this.commit(writes);
  }

  async dropIndexes(): Promise<void> {
    const segments = this.catalog.snapshot().segmentsOf(COLLECTION);
    await this.commit(segments.map((segment) => this.#putSegment({ ...segment, indexes: [] })));
  }

  async setLoad(load: LoadSpec | null): Promise<void> {
    await this.commit([this.#put(collectionDocumentKey(COLLECTION), this.#collection(load))]);
  }

  async setWriter(nodeId: string | null): Promise<void> {
    const epoch = (this.catalog.snapshot().writer?.epoch ?? 1) + 1;
    const leader = { nodeId: nodeId ?? '', address: `memory://${nodeId}`, epoch };
    const write: Write =
      nodeId === null ? { kind: 'delete', key: WRITER_LEASE_KEY } : this.#put(WRITER_LEASE_KEY, leader);
    await this.commit([write]);
  }

  /** One transaction of the catalog. The catalog shows it soon. */
  async commit(writes: readonly Write[]): Promise<void> {
    await this.metastore.transact({ compares: [], then: writes });
  }

  channelOf(key: bigint): ChannelId {
    return this.channels[Number(key % BigInt(this.channels.length))]!;
  }

  lastSequence(channel: ChannelId): LogSequence {
    return this.#appenders.get(channel)!.lastSequence;
  }

  /** The positions of all that was written. */
  positions(): ReadonlyMap<ChannelId, LogSequence> {
    return new Map(this.channels.map((channel) => [channel, this.lastSequence(channel)]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.run(this.#stack.disposeAsync());
  }

  async #write(
    kind: 'insert' | 'upsert',
    rows: readonly RowToWrite[],
    partitionId: PartitionId,
  ): Promise<void> {
    for (const [channel, ofChannel] of Map.groupBy(rows, (row) => this.channelOf(row.key))) {
      const at = await this.#append(channel, { kind, partitionId, rows: batchOf(this.schema, ofChannel) });
      for (const row of ofChannel) {
        if (kind === 'upsert') this.model.deletes.push({ ...at, key: row.key, partitionId: null });
        this.model.rows.push({ ...row, ...at, partitionId });
      }
    }
  }

  async #append(channel: ChannelId, mutation: Mutation) {
    return await this.appendRaw(channel, encodeMutation(mutation));
  }

  async #writeSegments(channel: ChannelId, rows: readonly ModelRow[]): Promise<readonly SegmentMeta[]> {
    const segments: SegmentMeta[] = [];
    for (const [partitionId, ofPartition] of Map.groupBy(rows, (row) => row.partitionId)) {
      const segmentId = String(++this.#lastId) as SegmentId;
      const meta = await writeSegment({
        host: this.host,
        kernel: this.kernel,
        objectStore: this.#objects,
        temporaryDirectory: `${this.#root}/temporary`,
        collectionId: COLLECTION,
        segmentId,
        partitionId,
        channelId: channel,
        schema: this.schema,
        schemaVersion: 1,
        rows: batchOf(this.schema, ofPartition),
        timestamps: BigUint64Array.from(ofPartition, (row) => row.timestamp),
        deletesThrough: 0n,
      });
      this.#rowsOf.set(segmentId, ofPartition);
      segments.push(meta);
    }
    return segments;
  }

  async #buildIndex(segment: SegmentMeta, id: IndexId): Promise<IndexFile> {
    const { host, kernel } = this;
    const objectStore = this.#objects;
    await using cache = await createSegmentCache({
      host,
      objectStore,
      directory: `${this.#root}/cache/writer`,
      bytesMax: 2 ** 30,
    });
    const index = {
      id,
      name: 'vector',
      fieldId: 101,
      requestedType: 'HNSW',
      type: 'HNSW',
      metric: 'L2',
      params: { M: '8', efConstruction: '32' },
      createdTimestamp: '1',
    } as const;
    const tools = { host, kernel, objectStore, cache, temporaryDirectory: `${this.#root}/temporary` };
    return await writeIndex({ ...tools, segment, index, buildId: '9', threads: 1 });
  }

  async #writeDelta(deletes: readonly ModelDelete[]) {
    return await writeDelta({
      objectStore: this.#objects,
      collectionId: COLLECTION,
      deltaId: String(++this.#lastId),
      deletes: {
        keys: keysFromValues(
          'Int64',
          deletes.map(({ key }) => key),
        ),
        timestamps: BigUint64Array.from(deletes, ({ timestamp }) => timestamp),
        partitionIds: deletes.map(({ partitionId }) => partitionId),
      },
    });
  }

  #put(key: string, document: object): Write {
    return { kind: 'put', key, value: encodeDocument(document) };
  }

  #putSegment(meta: SegmentMeta): Write {
    return this.#put(segmentDocumentKey(COLLECTION, meta.id), meta);
  }

  #collection(load: LoadSpec | null): CollectionMeta {
    return {
      id: COLLECTION,
      databaseName: 'default',
      name: 'rows',
      aliases: [],
      schema: this.schema,
      schemaVersion: 1,
      channels: this.channels,
      consistencyLevel: 'Bounded',
      properties: {},
      createdTimestamp: '1',
      newestPartitionId: PARTITIONS[1],
      partitions: PARTITIONS.map((id) => ({ id, name: `p${id}`, createdTimestamp: '1' })),
      indexes: [],
      load,
    };
  }
}

function inMemory(host: SimulatedHost, stack: AsyncDisposableStack): Machine {
  return { host, kernel: stack.use(new MemoryKernel({ files: host.files })), root: '' };
}

async function realMachine(simulated: SimulatedHost, stack: AsyncDisposableStack): Promise<Machine> {
  const directory = stack.use(await temporaryDirectory());
  const host = { ...simulated, files: new NodeFileSystem() };
  return { host, kernel: stack.use(createKernel({ threads: 2, queueMax: 256 })), root: directory.path };
}

function emptyChannel(id: ChannelId): ChannelMeta {
  return { id, collectionId: COLLECTION, checkpoint: 0, deltas: [], newestTimestamp: '0' };
}

export function nodeOf(id: string): NodeInfo {
  return {
    id: id as NodeId,
    role: 'reader',
    address: `memory://${id}`,
    weight: 1,
    zone: '',
    version: '0',
    startedMs: 0,
    labels: {},
  };
}
