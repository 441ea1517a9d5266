import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FreshWindow } from './fresh-window.ts';
import { columnFromValues, type RowBatch } from '../columns/index.ts';
import { createSimulatedHost } from '../host/simulated/index.ts';
import { MemoryKernel } from '../kernel/memory/memory-kernel.ts';
import type { ChannelId, PartitionId, Timestamp } from '../schema/index.ts';
import { createFreshRows } from '../segment/fresh-rows.ts';
import { vectorSchema } from '../../test/support/schemas.ts';

const keeping = { graceMs: 100, bytesMax: Number.POSITIVE_INFINITY };
const schema = vectorSchema({ dim: 2 });

/** A window over a channel with one row in each of `entryCount` entries. */
function windowOf(entryCount: number): FreshWindow {
  const kernel = new MemoryKernel({ files: createSimulatedHost().files });
  const rows = createFreshRows({ kernel, channel: '1-0' as ChannelId, schema, after: 0 });
  for (let sequence = 1; sequence <= entryCount; sequence++) {
    const mutation = { kind: 'insert', partitionId: '2' as PartitionId, rows: oneRow(sequence) } as const;
    rows.apply(mutation, sequence, BigInt(sequence) as Timestamp);
  }
  return new FreshWindow(rows);
}

function oneRow(key: number): RowBatch {
  const [id, vector] = schema.fields;
  return {
    rowCount: 1,
    columns: new Map([
      [id!.id, columnFromValues(id!, [BigInt(key)])],
      [vector!.id, columnFromValues(vector!, [Float32Array.of(key, 0)])],
    ]),
  };
}

test('rows that are in segments stay for their grace, then plans that need them are stale', () => {
  const window = windowOf(10);
  window.checkpointMoved(4, 1_000);
  window.checkpointMoved(8, 1_050);
  window.sweep(1_099, keeping);
  assert.equal(window.rows.droppedThrough, 0);
  window.sweep(1_100, keeping);
  assert.equal(window.rows.droppedThrough, 4);
  assert.throws(() => window.pin(3), { code: 'STALE_PLAN' });
  using _pin = window.pin(4);
  assert.equal(window.rows.rowCount, 6);
});

test('what a running search needs is kept until it ends, later plans are stale at once', () => {
  const window = windowOf(10);
  const first = window.pin(2);
  const second = window.pin(0);
  window.checkpointMoved(9, 0);
  window.sweep(100, keeping);
  assert.equal(window.rows.droppedThrough, 0);
  assert.throws(() => window.pin(2), { code: 'STALE_PLAN' });
  second[Symbol.dispose]();
  second[Symbol.dispose]();
  assert.equal(window.rows.droppedThrough, 2);
  first[Symbol.dispose]();
  assert.equal(window.rows.droppedThrough, 9);
});

test('too many bytes end the grace early', () => {
  const window = windowOf(10);
  window.checkpointMoved(4, 0);
  window.sweep(1, { graceMs: 100, bytesMax: 0 });
  assert.equal(window.rows.droppedThrough, 4);
});

test('a channel that lags behind the checkpoint drops only what it has applied', () => {
  const window = windowOf(3);
  window.checkpointMoved(5, 0);
  window.sweep(100, keeping);
  assert.equal(window.rows.droppedThrough, 3);
  assert.equal(window.rows.sequence, 3);
  assert.throws(() => window.pin(4), { code: 'STALE_PLAN' });
});

test('a retired window takes no searches and frees its rows after the last one', () => {
  const window = windowOf(3);
  const pin = window.pin(0);
  window.retire();
  assert.equal(window.rows.rowCount, 3);
  assert.throws(() => window.pin(3), { code: 'STALE_PLAN' });
  pin[Symbol.dispose]();
  assert.equal(window.rows.rowCount, 0);
});
