import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EntryTails } from './entry-tail.ts';
import type { LogEntry } from '../log/log.ts';
import type { Timestamp } from '../schema/index.ts';

function entry(sequence: number, sizeBytes = 100): LogEntry {
  const payload = new Uint8Array(sizeBytes);
  return { sequence, epoch: 1, type: 1, timestamp: BigInt(sequence) as Timestamp, payload };
}

const sequences = (entries: readonly LogEntry[] | null): number[] | null =>
  entries?.map(({ sequence }) => sequence) ?? null;

test('a tail reads from where it is asked, within bytes and entries, at least one', () => {
  const tail = new EntryTails(1_000_000).open(4);
  assert.equal(tail.first, 5);
  assert.deepEqual(tail.read(5, 1_000, 10), []);
  for (let sequence = 5; sequence <= 9; sequence++) tail.push(entry(sequence));
  assert.equal(tail.last, 9);
  assert.deepEqual(sequences(tail.read(5, 1_000, 10)), [5, 6, 7, 8, 9]);
  assert.deepEqual(sequences(tail.read(7, 200, 10)), [7, 8]);
  assert.deepEqual(sequences(tail.read(7, 1, 10)), [7]);
  assert.deepEqual(sequences(tail.read(5, 1_000, 2)), [5, 6]);
  assert.deepEqual(sequences(tail.read(10, 1_000, 10)), []);
  assert.equal(tail.read(4, 1_000, 10), null);
});

test('tails share their bound: the oldest entry goes, whatever its channel', () => {
  const tails = new EntryTails(4 * 228);
  const [resting, busy] = [tails.open(0), tails.open(0)];
  resting.push(entry(1));
  for (let sequence = 1; sequence <= 3; sequence++) busy.push(entry(sequence));
  assert.ok(tails.sizeBytes <= 4 * 228);
  assert.deepEqual(sequences(resting.read(1, 1_000, 10)), [1]);
  for (let sequence = 4; sequence <= 6; sequence++) busy.push(entry(sequence));
  assert.equal(resting.read(1, 1_000, 10), null);
  assert.deepEqual(sequences(resting.read(2, 1_000, 10)), []);
  assert.equal(busy.read(1, 1_000, 10), null);
  assert.deepEqual(sequences(busy.read(busy.first, 1_000, 10))!.at(-1), 6);
  assert.ok(tails.sizeBytes <= 4 * 228);
});

test('an entry above the bound is not kept, and the next is followed from the log', () => {
  const tails = new EntryTails(500);
  const tail = tails.open(0);
  tail.push(entry(1, 1_000));
  assert.equal(tails.sizeBytes, 0);
  assert.equal(tail.read(1, 10_000, 10), null);
  tail.push(entry(2));
  assert.deepEqual(sequences(tail.read(2, 10_000, 10)), [2]);
});

test('long use keeps what the bound allows', () => {
  const tails = new EntryTails(10_000);
  const tail = tails.open(0);
  for (let sequence = 1; sequence <= 20_000; sequence++) tail.push(entry(sequence));
  assert.deepEqual(sequences(tail.read(tail.first, 1_000_000, 1_000_000)), [
    ...Array.from({ length: tail.last - tail.first + 1 }, (_, index) => tail.first + index),
  ]);
  assert.equal(tail.last - tail.first + 1, Math.floor(10_000 / 228));
});
