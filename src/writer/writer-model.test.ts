import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CollectionMeta } from '../catalog/model.ts';
import { keysFromValues, type KeyValue } from '../columns/index.ts';
import { isErrorWithCode } from '../errors/index.ts';
import { SeededRandom, type Random } from '../host/index.ts';
import type { PartitionId } from '../schema/index.ts';
import { readBack } from '../../test/support/read-back.ts';
import { testSeed } from '../../test/support/seed.ts';
import { CALL, WriterCluster, insertOf, type WriterProcess } from '../../test/support/writer-cluster.ts';

const RUNS = 3;
const STEPS = 60;
const KEYS = 60;

interface ModelRow {
  readonly value: number;
  readonly partitionId: PartitionId;
}

/** A writer and what must be in its collection, as a plain map. */
class Run {
  readonly cluster: WriterCluster;
  readonly #random: Random;
  readonly #rows = new Map<KeyValue, ModelRow>();
  /** Keys of writes that may or may not have happened; whatever is found for them is taken over. */
  readonly #unknown = new Set<KeyValue>();
  readonly #busy = new Set<bigint>();
  #process!: WriterProcess;
  #collection!: CollectionMeta;
  #value = 1;
  #names = 0;

  constructor(random: Random, log: 'memory' | 'local') {
    this.#random = random;
    this.cluster = new WriterCluster({
      log,
      seed: random.below(2 ** 31),
      writer: {
        segmentRowsMax: 8,
        deltasMax: 3,
        flushRows: 25,
        indexRowsMin: 4,
        compactionSegmentsMin: 2,
        compactionDeadRatio: 0.1,
        compactionWarmUpMs: 300,
        compactionConcurrency: 2,
        logGraceMs: 500,
        orphanGraceMs: 500,
        tailBytesMax: 2_000,
      },
    });
  }

  async prepare(): Promise<void> {
    this.#process = await this.cluster.startActive('w0');
    const shardsNum = 1 + this.#random.below(3);
    const { id } = await this.cluster.createCollection(this.#process, 'c', { shardsNum });
    const { api } = this.#process.writer;
    await this.cluster.settle(api.execute({ kind: 'create-partition', collectionId: id, name: 'p' }, CALL));
    const index = { requestedType: 'HNSW', type: 'HNSW', metric: 'L2', params: {} } as const;
    await this.cluster.settle(
      api.execute({ kind: 'create-index', collectionId: id, name: '', fieldId: 101, ...index }, CALL),
    );
    if (this.#random.below(2) === 0) {
      const load = { replicas: 1, partitionIds: null, fieldIds: null };
      await this.cluster.settle(api.execute({ kind: 'load', collectionId: id, ...load }, CALL));
    }
    const collection = () => this.#process.catalog.snapshot().collections.get(id)!;
    await this.cluster.until(() => collection().indexes.length === 1);
    this.#collection = collection();
  }

  async step(): Promise<void> {
    const kinds = [
      'insert',
      'insert',
      'upsert',
      'upsert',
      'delete',
      'delete',
      'many',
      'flush',
      'wait',
      'end',
      'fault',
    ];
    switch (kinds[this.#random.below(kinds.length)]) {
      case 'insert':
        return await this.#insert();
      case 'upsert':
        return await this.#upsert();
      case 'delete':
        return await this.#delete();
      case 'many':
        return void (await Promise.all([this.#insert(), this.#upsert(), this.#delete(), this.#flush()]));
      case 'flush':
        return await this.#flush();
      case 'wait':
        return await this.cluster.host.timers.advance(this.#random.below(2_000));
      case 'end':
        return await this.#restart();
      default:
        return await this.#fault();
    }
  }

  async check(): Promise<void> {
    const { rows } = await readBack(this.cluster, this.#collection.id);
    for (const key of this.#unknown) {
      const found = rows.get(key);
      if (found === undefined) this.#rows.delete(key);
      else this.#rows.set(key, found);
    }
    this.#unknown.clear();
    const state = (map: ReadonlyMap<KeyValue, ModelRow>): string[] =>
      [...map].map(([key, { value, partitionId }]) => `${key}=${value}@${partitionId}`).sort();
    assert.deepEqual(state(rows), state(this.#rows));
  }

  async #insert(): Promise<void> {
    await this.#put(
      'insert',
      this.#keys().filter((key) => !this.#rows.has(key) && !this.#unknown.has(key)),
    );
  }

  async #upsert(): Promise<void> {
    await this.#put('upsert', this.#keys());
  }

  async #put(kind: 'insert' | 'upsert', keys: readonly bigint[]): Promise<void> {
    if (keys.length === 0) return;
    const partitionId = this.#partition();
    const values = keys.map(() => this.#value++);
    const request = insertOf(this.#collection, keys, values, partitionId);
    await this.#write(
      keys,
      () => this.#process.writer.api[kind](request, CALL),
      () => keys.forEach((key, row) => this.#rows.set(key, { value: values[row]!, partitionId })),
    );
  }

  async #delete(): Promise<void> {
    const keys = this.#keys();
    const partitionId = this.#random.below(2) === 0 ? null : this.#partition();
    const request = { collectionId: this.#collection.id, partitionId, keys: keysFromValues('Int64', keys) };
    await this.#write(
      keys,
      () => this.#process.writer.api.delete(request, CALL),
      () => {
        for (const key of keys) {
          if (partitionId === null || this.#rows.get(key)?.partitionId === partitionId)
            this.#rows.delete(key);
        }
      },
    );
  }

  /** Keys under way are not used by another write until this one has ended. */
  async #write(keys: readonly bigint[], write: () => Promise<unknown>, apply: () => void): Promise<void> {
    for (const key of keys) this.#busy.add(key);
    try {
      await this.cluster.settle(write());
      apply();
    } catch (error) {
      assert.ok(isErrorWithCode(error, 'CONNECTION_LOST', 'NOT_LEADER', 'FENCED'), String(error));
      if (isErrorWithCode(error, 'CONNECTION_LOST')) for (const key of keys) this.#unknown.add(key);
    } finally {
      for (const key of keys) this.#busy.delete(key);
    }
  }

  /** It may fail; then the rows are where they were. */
  async #flush(): Promise<void> {
    const flush = this.#process.writer.api.flush([this.#collection.id], CALL);
    await this.cluster.settle(flush).catch((error: unknown) => {
      const codes = ['CONNECTION_LOST', 'NOT_LEADER', 'FENCED', 'METASTORE_UNAVAILABLE'] as const;
      assert.ok(isErrorWithCode(error, ...codes), String(error));
    });
  }

  /** Ends the process, kindly or not, perhaps with writes and a flush under way; another or the same comes after it. */
  async #restart(): Promise<void> {
    const underWay = this.#random.below(2) === 0 ? [] : [this.#flush(), this.#upsert()];
    if (this.#random.below(2) === 0) await this.#process.kill();
    else await this.cluster.settle(this.#process.stop());
    await Promise.all(underWay);
    const name = this.#random.below(2) === 0 ? this.#process.name : `w${++this.#names}`;
    this.#process = await this.cluster.startActive(name);
  }

  async #fault(): Promise<void> {
    const { metastore, log } = this.#process;
    const kind = this.#random.below(4);
    if (kind === 0) metastore.loseReplies(1 + this.#random.below(3));
    else if (kind === 1) {
      log.appends = this.#random.below(2) === 0 ? 'fail' : 'happen-and-fail';
      await this.#upsert();
      log.appends = 'pass';
    } else {
      metastore.stop();
      const writes = [this.#insert(), this.#flush()];
      await this.cluster.host.timers.advance(this.#random.below(6_000));
      metastore.resume();
      await Promise.all(writes);
    }
    await this.cluster.active(this.#process);
  }

  #keys(): readonly bigint[] {
    const keys = Array.from({ length: 1 + this.#random.below(12) }, () => BigInt(this.#random.below(KEYS)));
    return [...new Set(keys)].filter((key) => !this.#busy.has(key));
  }

  #partition(): PartitionId {
    return this.#collection.partitions[this.#random.below(2)]!.id;
  }
}

for (const log of ['memory', 'local'] as const) {
  test(`C1, W5, W9, W10: whatever happens, shared storage holds exactly what was acknowledged (${log} log)`, async (context) => {
    context.diagnostic(`seed ${testSeed}`);
    for (let number = 0; number < RUNS; number++) {
      const random = new SeededRandom(testSeed).fork(`${log} ${number}`);
      const run = new Run(random, log);
      await using _cluster = run.cluster;
      await run.prepare();
      for (let step = 0; step < STEPS; step++) {
        await run.step();
        if (step % 5 === 4) await run.check();
      }
      await run.check();
    }
  });
}
