import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testObjectStore } from '../../test/conformance/object-store.ts';
import { MishardsError, isErrorWithCode } from '../errors/index.ts';
import { createNodeHost } from '../host/node/index.ts';
import { createSimulatedHost } from '../host/simulated/index.ts';
import {
  MemoryObjectVolume,
  createMemoryObjectStore,
  type MemoryObjectStore,
} from './memory/memory-object-store.ts';
import { MeteredObjectStore, type ObjectStoreSample } from './metered-object-store.ts';
import type { ObjectStore } from './object-store.ts';
import { PrefixedObjectStore } from './prefixed-object-store.ts';
import { RetryingObjectStore } from './retrying-object-store.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const ifAbsent = { kind: 'if-absent' } as const;

function conformsWhenDecorated(name: string, decorate: (store: ObjectStore) => ObjectStore): void {
  testObjectStore(name, async () => {
    const host = createNodeHost(1);
    const volume = new MemoryObjectVolume();
    return {
      open: async () => decorate(createMemoryObjectStore({ host, volume })),
      [Symbol.asyncDispose]: async () => {},
    };
  });
}

const realHost = createNodeHost(1);
conformsWhenDecorated('retrying', (store) => new RetryingObjectStore(store, realHost, { attemptsMax: 1 }));
conformsWhenDecorated('metered', (store) => new MeteredObjectStore(store, realHost.clock, () => {}));

test('a prefixed store is a part of the other', async () => {
  const host = createSimulatedHost();
  const outer = createMemoryObjectStore({ host });
  const inner = new PrefixedObjectStore(outer, 'clusters/a/');
  await outer.put('clusters/b/x', bytes('of another'));
  await outer.put('clusters/a0', bytes('of another'));
  const stat = await inner.put('x/y', bytes('mine'));
  await inner.put('z', bytes('mine'));
  assert.deepEqual(await outer.stat('clusters/a/x/y'), stat);
  assert.deepEqual(
    (await inner.list('')).map(({ key }) => key),
    ['x/y', 'z'],
  );
  assert.deepEqual(
    (await inner.list('', { startAfter: 'x/y', limit: 1 })).map(({ key }) => key),
    ['z'],
  );
  await assert.rejects(inner.put('../b/x', bytes('x')), (error) =>
    isErrorWithCode(error, 'PARAMETER_INVALID'),
  );
  await inner.delete('x/y');
  await assert.rejects(inner.get('x/y'), (error) => isErrorWithCode(error, 'OBJECT_NOT_FOUND'));
  assert.throws(
    () => new PrefixedObjectStore(outer, '/x/'),
    (error) => isErrorWithCode(error, 'PARAMETER_INVALID'),
  );
});

/** Makes the next puts fail, before or after they happen. Counts all. */
function failPuts(store: MemoryObjectStore, failures: ('before' | 'after')[]): { calls: number } {
  const counter = { calls: 0 };
  const put = store.put.bind(store);
  store.put = async (...parameters) => {
    counter.calls++;
    const failure = failures.shift();
    const stat = failure === 'before' ? undefined : await put(...parameters);
    if (failure !== undefined || stat === undefined)
      throw new MishardsError('STORAGE_UNAVAILABLE', 'no answer');
    return stat;
  };
  return counter;
}

function retryStage(failures: ('before' | 'after')[]) {
  const host = createSimulatedHost();
  const inner = createMemoryObjectStore({ host });
  const counter = failPuts(inner, failures);
  const store = new RetryingObjectStore(inner, host, { attemptsMax: 4, waitMs: 100, waitMaxMs: 250 });
  return { host, inner, counter, store };
}

test('a passing fault is bridged, waiting ever longer up to a bound', async () => {
  const { host, inner, counter, store } = retryStage(['before', 'before', 'after']);
  const put = store.put('k', bytes('x'));
  await host.timers.advanceUntil(put);
  assert.equal(counter.calls, 4);
  assert.ok(host.clock.monotonicMs() <= 100 + 200 + 250 + 3);
  assert.equal((await inner.get('k')).byteLength, 1);
});

test('a lasting fault is reported after the last attempt', async () => {
  const { host, counter, store } = retryStage(Array.from({ length: 9 }, () => 'before'));
  const put = store.put('k', bytes('x'));
  await assert.rejects(host.timers.advanceUntil(put), (error) =>
    isErrorWithCode(error, 'STORAGE_UNAVAILABLE'),
  );
  assert.equal(counter.calls, 4);
});

test('what a repetition cannot cure is not repeated', async () => {
  const { host, inner, counter, store } = retryStage([]);
  await inner.put('k', bytes('x'));
  counter.calls = 0;
  await assert.rejects(store.put('k', bytes('y'), ifAbsent), (error) =>
    isErrorWithCode(error, 'OBJECT_CONFLICT'),
  );
  await assert.rejects(store.get('missing'), (error) => isErrorWithCode(error, 'OBJECT_NOT_FOUND'));
  assert.deepEqual([counter.calls, host.timers.pendingCount], [1, 0]);
});

test('a conditional put whose first attempt failed is not called a conflict', async () => {
  const { host, inner, counter, store } = retryStage(['after']);
  const put = store.put('k', bytes('mine'), ifAbsent);
  await assert.rejects(
    host.timers.advanceUntil(put),
    /whether the conditional put of "k" happened is unclear/,
  );
  assert.equal(counter.calls, 2);
  assert.equal((await inner.get('k')).byteLength, 4);
});

test('a metered store reports calls, bytes and errors', async () => {
  const host = createSimulatedHost();
  const samples: ObjectStoreSample[] = [];
  const store = new MeteredObjectStore(createMemoryObjectStore({ host }), host.clock, (sample) =>
    samples.push(sample),
  );
  await host.files.makeDirectory('/tmp');
  await store.put('k', bytes('12345'));
  await store.get('k');
  await store.getRange('k', 1, 2);
  await store.getToFile('k', '/tmp/k');
  await store.putFile('l', '/tmp/k');
  await store.list('');
  await store.delete('k');
  await assert.rejects(store.stat('k'));
  assert.deepEqual(
    samples.map(({ operation, bytes: moved, error }) => [operation, moved, error]),
    [
      ['put', 5, undefined],
      ['get', 5, undefined],
      ['get', 2, undefined],
      ['get', 5, undefined],
      ['put', 5, undefined],
      ['list', 0, undefined],
      ['delete', 0, undefined],
      ['stat', 0, 'OBJECT_NOT_FOUND'],
    ],
  );
  assert.ok(samples.every(({ driver, durationMs }) => driver === 'memory' && durationMs === 0));
});
