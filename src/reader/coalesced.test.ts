import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Coalesced } from './coalesced.ts';

/** Work that runs until it is told to end. */
class HeldWork {
  readonly runs: PromiseWithResolvers<void>[] = [];

  readonly start = (): Promise<void> => {
    const run = Promise.withResolvers<void>();
    this.runs.push(run);
    return run.promise;
  };
}

test('a request is served by a run that began after it, and runs never overlap', async () => {
  const work = new HeldWork();
  const coalesced = new Coalesced(work.start);
  let served = 0;
  const first = coalesced.request();
  const later = [1, 2, 3].map(() => coalesced.request().then(() => served++));
  assert.equal(work.runs.length, 1);
  work.runs[0]!.resolve();
  await first;
  const latest = coalesced.request();
  assert.equal(served, 0);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(work.runs.length, 2);
  work.runs[1]!.resolve();
  await Promise.all([...later, latest]);
  assert.equal(served, 3);
  const third = coalesced.request();
  assert.equal(work.runs.length, 3);
  work.runs[2]!.resolve();
  await third;
});

test('a failed run fails its own requests only', async () => {
  const work = new HeldWork();
  const coalesced = new Coalesced(work.start);
  const first = coalesced.request();
  const second = coalesced.request();
  work.runs[0]!.reject(new Error('storage is away'));
  await assert.rejects(first, /storage is away/);
  await new Promise((resolve) => setImmediate(resolve));
  work.runs[1]!.resolve();
  await second;
});
