import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FilterCache, type BoundFilter } from './filter-cache.ts';
import { FilterResults } from './filter-results.ts';
import { freshSource, type ReadSource } from './read-source.ts';
import { batchOf, modelSchema } from '../../test/support/model-rows.ts';
import type { CollectionMeta } from '../catalog/model.ts';
import { bitAt, type PrimaryKeyColumn } from '../columns/index.ts';
import type { Host } from '../host/index.ts';
import { createSimulatedHost } from '../host/simulated/index.ts';
import { MemoryKernel } from '../kernel/memory/memory-kernel.ts';
import type { ChannelId, PartitionId, Timestamp } from '../schema/index.ts';
import { createFreshRows } from '../segment/fresh-rows.ts';
import type { FreshBlock } from '../segment/segment.ts';

const SCHEMA = modelSchema(2);
const PARTITION = '10' as PartitionId;

class Stage {
  readonly host = createSimulatedHost();
  readonly #kernel = new MemoryKernel({ files: this.host.files });
  readonly fresh = createFreshRows({
    kernel: this.#kernel,
    channel: '1-0' as ChannelId,
    schema: SCHEMA,
    after: 0,
    blockRowsMin: 65_536,
    blockRowsMax: 65_536,
  });
  #rowCount = 0;
  #sequence = 0;

  /** Rows whose price is their number modulo 10. */
  insert(count: number): void {
    const rows = Array.from({ length: count }, () => {
      const row = this.#rowCount++;
      return { key: BigInt(row), vector: [0, 0], price: row % 10, tag: `t${row % 3}` };
    });
    const sequence = ++this.#sequence;
    const mutation = { kind: 'insert', partitionId: PARTITION, rows: batchOf(SCHEMA, rows) } as const;
    this.fresh.apply(mutation, sequence, BigInt(sequence) as Timestamp);
  }

  delete(keys: PrimaryKeyColumn): void {
    const sequence = ++this.#sequence;
    this.fresh.apply({ kind: 'delete', partitionId: null, keys }, sequence, BigInt(sequence) as Timestamp);
  }

  look(): ReadSource {
    const [block] = this.fresh.blocksAfter(0, null);
    return freshSource(block!, 0n as Timestamp);
  }
}

function bind(text: string): BoundFilter {
  const collection = { id: '1', schema: SCHEMA, schemaVersion: 1 } as unknown as CollectionMeta;
  return new FilterCache(10).bind({ text, values: {} }, collection);
}

function rowsOf(bitmap: Uint8Array, count: number): number[] {
  return Array.from({ length: count }, (_, row) => row).filter((row) => bitAt(bitmap, row));
}

const passing = (count: number): number[] =>
  Array.from({ length: count }, (_, row) => row).filter((row) => row % 10 < 3);

/** Counts the rows of the columns it gives. */
function counted(source: ReadSource, reads: { count: number }): ReadSource {
  const block = Object.create(source.block!, {
    column: {
      value: async (id: number) => {
        reads.count++;
        return await source.block!.column(id);
      },
    },
  }) as FreshBlock;
  return { ...source, rows: block };
}

test('of fresh rows only those that have arrived since are asked', async () => {
  const stage = new Stage();
  const results = new FilterResults(2 ** 20, stage.host);
  const filter = bind('price < 3');
  const reads = { count: 0 };
  for (const more of [5, 3, 0, 1, 17, 40_000]) {
    stage.insert(more);
    const source = stage.look();
    const rows = await results.rows(counted(source, reads), filter);
    assert.deepEqual(rowsOf(rows, source.rowCount), passing(source.rowCount));
  }
  // Nothing had arrived before the third look.
  assert.equal(reads.count, 5);
});

test('a look from before later rows came sees none of them', async () => {
  const stage = new Stage();
  const results = new FilterResults(2 ** 20, stage.host);
  const filter = bind('price < 3');
  stage.insert(13);
  const early = stage.look();
  stage.insert(30);
  await results.rows(stage.look(), filter);
  const rows = await results.rows(early, filter);
  assert.equal(rows.byteLength, 2);
  assert.deepEqual(rowsOf(rows, 16), passing(13));
});

test('what is kept stays within its bytes, and what does not fit is asked again', async () => {
  const stage = new Stage();
  stage.insert(4_000);
  const results = new FilterResults(100, stage.host);
  const reads = { count: 0 };
  const filter = bind('price < 3');
  for (let round = 1; round <= 2; round++) {
    const rows = await results.rows(counted(stage.look(), reads), filter);
    assert.deepEqual(rowsOf(rows, 4_000), passing(4_000));
    assert.equal(reads.count, round);
  }
});

test('a long evaluation lets others run, and requests for the same share it', async () => {
  const stage = new Stage();
  stage.insert(50_000);
  let nowMs = 0;
  const turns: (() => void)[] = [];
  const host: Pick<Host, 'clock' | 'timers'> = {
    // Every look at the clock finds a turn over.
    clock: { nowMs: () => nowMs, monotonicMs: () => (nowMs += 1_000) },
    timers: {
      after: () => assert.fail('only turns are waited for'),
      every: () => assert.fail('only turns are waited for'),
      sleep: () => new Promise((resolve) => turns.push(() => resolve())),
    },
  };
  const results = new FilterResults(2 ** 20, host);
  const filter = bind('price < 3');
  const reads = { count: 0 };
  const asked = [1, 2].map(() => results.rows(counted(stage.look(), reads), filter));
  const all = Promise.all(asked);
  let paused = 0;
  let done = false;
  void all.then(() => (done = true));
  while (!done) {
    await new Promise((resolve) => setImmediate(resolve));
    paused += turns.length;
    for (const turn of turns.splice(0)) turn();
  }
  // Once for each slice at least.
  assert.ok(paused >= 4, `it paused ${paused} times`);
  assert.equal(reads.count, 1);
  for (const rows of await all) assert.deepEqual(rowsOf(rows, 50_000), passing(50_000));
});
