import assert from 'node:assert/strict';
import { readBack } from './read-back.ts';
import { CALL, WriterCluster, insertOf, type WriterProcess } from './writer-cluster.ts';
import type { CollectionMeta, SegmentMeta } from '../../src/catalog/model.ts';
import { keysFromValues, type KeyValue } from '../../src/columns/index.ts';
import type { CollectionSchema } from '../../src/schema/index.ts';
import type { ObjectStore } from '../../src/object-store/object-store.ts';

export const WARM_UP_MS = 5_000;
export const GRACE_MS = 20_000;
const options = {
  compactionSegmentsMin: 3,
  compactionWarmUpMs: WARM_UP_MS,
  indexRowsMin: 10,
  logGraceMs: 1_000,
  orphanGraceMs: GRACE_MS,
  garbageIntervalMs: 10_000,
  retryMs: 50,
  compactionBuildFailuresMax: 30,
  compactionRestMs: 3_600_000,
};

/** A writer with one collection, whose segments a test makes and sees compacted. */
export class CompactionStage implements AsyncDisposable {
  readonly cluster: WriterCluster;
  process!: WriterProcess;
  collection!: CollectionMeta;
  #key = 0;

  constructor(change: Partial<typeof options> = {}, decorate?: (store: ObjectStore) => ObjectStore) {
    this.cluster = new WriterCluster({ writer: { ...options, ...change }, ...(decorate && { decorate }) });
  }

  async open(properties: Readonly<Record<string, string>> = {}, schema?: CollectionSchema): Promise<void> {
    this.process = await this.cluster.startActive('w1');
    this.collection = await this.cluster.createCollection(this.process, 'c', {
      properties,
      ...(schema && { schema }),
    });
  }

  get segments(): readonly SegmentMeta[] {
    return this.process.catalog.snapshot().segmentsOf(this.collection.id);
  }

  get incoming(): readonly SegmentMeta[] {
    return this.process.catalog.snapshot().incomingOf(this.collection.id);
  }

  get deltaCount(): number {
    return this.process.catalog.snapshot().channelsOf(this.collection.id)[0]!.deltas.length;
  }

  /** A segment of rows with the next keys. */
  async flushed(rowCount: number): Promise<void> {
    await this.insert(rowCount);
    await this.flush();
  }

  async insert(rowCount: number): Promise<void> {
    const keys = Array.from({ length: rowCount }, () => BigInt(this.#key++));
    await this.#write((api) => api.insert(insertOf(this.collection, keys, keys.map(Number)), CALL));
  }

  async delete(...keys: readonly number[]): Promise<void> {
    await this.#write((api) =>
      api.delete(
        {
          collectionId: this.collection.id,
          partitionId: null,
          keys: keysFromValues('Int64', keys.map(BigInt)),
        },
        CALL,
      ),
    );
  }

  async flush(): Promise<void> {
    await this.#write((api) => api.flush([this.collection.id], CALL));
  }

  async load(): Promise<void> {
    await this.index();
    const load = { replicas: 1, partitionIds: null, fieldIds: null };
    await this.#write((api) =>
      api.execute({ kind: 'load', collectionId: this.collection.id, ...load }, CALL),
    );
  }

  async index(): Promise<void> {
    const index = { requestedType: 'HNSW', type: 'HNSW', metric: 'L2', params: {} } as const;
    const target = { collectionId: this.collection.id, name: '', fieldId: 101 };
    await this.#write((api) => api.execute({ kind: 'create-index', ...target, ...index }, CALL));
  }

  async compact(): Promise<string> {
    const api = this.process.writer.api;
    const { compactionId } = await this.cluster.settle(api.compact(this.collection.id, CALL));
    return compactionId;
  }

  async state(compactionId: string) {
    const answer = this.process.writer.api.compactionState(compactionId, CALL);
    const { revision, ...state } = await this.cluster.settle(answer);
    assert.ok(this.process.catalog.snapshot().revision >= revision);
    return state;
  }

  /** Of the rows that are there, ascending. */
  async rowKeys(): Promise<readonly KeyValue[]> {
    const { rows } = await readBack(this.cluster, this.collection.id);
    return [...rows.keys()].toSorted((a, b) => (a < b ? -1 : 1));
  }

  async rowCount(): Promise<number> {
    return (await readBack(this.cluster, this.collection.id)).rows.size;
  }

  async objects(): Promise<readonly string[]> {
    const listed = [
      ...(await this.cluster.objectStore.list('segment/')),
      ...(await this.cluster.objectStore.list('delta/')),
    ];
    return listed.map(({ key }) => key);
  }

  /** What the catalog names is all there is. */
  async assertTidy(): Promise<void> {
    const named = [...this.segments, ...this.incoming].flatMap((segment) =>
      [segment.rows, ...segment.vectors, ...segment.indexes].map(({ objectKey }) => objectKey),
    );
    const { deltas } = this.process.catalog.snapshot().channelsOf(this.collection.id)[0]!;
    const all = [...named, ...deltas.map(({ objectKey }) => objectKey)];
    assert.deepEqual([...(await this.objects())].sort(), all.sort());
  }

  async replaced(count: number): Promise<void> {
    await this.cluster.until(() => this.segments.length === count && this.incoming.length === 0);
  }

  async killed(name = 'w2'): Promise<void> {
    await this.process.kill();
    this.process = await this.cluster.startActive(name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cluster[Symbol.asyncDispose]();
  }

  async #write<T>(write: (api: WriterProcess['writer']['api']) => Promise<T>): Promise<T> {
    return await this.cluster.settle(write(this.process.writer.api));
  }
}
