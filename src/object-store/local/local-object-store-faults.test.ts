import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Interleaving } from '../../../test/support/interleaving.ts';
import { testSeed } from '../../../test/support/seed.ts';
import { isErrorWithCode } from '../../errors/index.ts';
import { SeededRandom, type Random } from '../../host/index.ts';
import {
  MemoryDisk,
  SimulatedClock,
  SimulatedTimers,
  createSimulatedHost,
  type FileOperation,
  type SimulatedHost,
} from '../../host/simulated/index.ts';
import { createLocalObjectStore, type LocalObjectStore } from './local-object-store.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (value: Uint8Array): string => new TextDecoder().decode(value);
const LOCK_TIMEOUT_MS = 1_000;

/** One disk and one time, on which processes open stores. */
class Place {
  readonly clock = new SimulatedClock();
  readonly timers = new SimulatedTimers(this.clock);
  readonly disk = new MemoryDisk({ clock: this.clock });
  #seed = 1;

  host(): SimulatedHost {
    return createSimulatedHost({
      seed: this.#seed++,
      clock: this.clock,
      timers: this.timers,
      disk: this.disk,
    });
  }

  async open(host: SimulatedHost = this.host(), lockTimeoutMs = LOCK_TIMEOUT_MS): Promise<LocalObjectStore> {
    return await createLocalObjectStore({ host, directory: '/objects', lockTimeoutMs });
  }

  /** Files that are not objects, without the one that every open store has. */
  async leftovers(): Promise<string[]> {
    const files = this.disk.mount();
    const names = (await files.list('/objects/.staging')).map((name) => `/objects/.staging/${name}`);
    const staged = await Promise.all(names.map((name) => files.list(name)));
    const extra = staged.map((files) => files.filter((name) => name !== '0'));
    return [...extra.flat(), ...(await files.list('/objects/.locks'))];
  }
}

test('a full disk refuses the put, keeps the object and leaves nothing behind', async () => {
  const place = new Place();
  const store = await place.open();
  await store.put('a/b', bytes('old'));
  place.disk.capacityBytes = place.disk.usedBytes() + 5;
  await assert.rejects(store.put('a/b', bytes('much too long')), /the disk is full/);
  await assert.rejects(store.put('new', bytes('much too long')), /the disk is full/);
  assert.equal(text(await store.get('a/b')), 'old');
  place.disk.capacityBytes = 0;
  await store.delete('a/b');
  place.disk.capacityBytes = 1_000;
  await store.put('a/b', bytes('new'));
  assert.equal(text(await store.get('a/b')), 'new');
  assert.deepEqual(await place.leftovers(), []);
});

test('a process that died in the middle of anything holds others up for a while only', async () => {
  let hasDied = true;
  for (let index = 0; hasDied; index++) {
    const place = new Place();
    const other = await place.open();
    const { etag } = await other.put('k', bytes('old'));
    const host = place.host();
    const store = await place.open(host);
    let count = 0;
    host.files.intercept = () => (count++ === index ? host.files.kill() : undefined);
    await store.put('k', bytes('from the dead'), { kind: 'if-match', etag }).catch(() => undefined);
    hasDied = count > index;
    const found = text(await other.get('k'));
    assert.ok(found === 'old' || found === 'from the dead', found);
    const { etag: current } = await other.stat('k');
    await place.timers.advanceUntil(other.put('k', bytes('alive'), { kind: 'if-match', etag: current }), 50);
    assert.equal(text(await other.get('k')), 'alive');
  }
});

/** Pauses a process before the operation that `picks` the first time. */
function holdWhere(
  host: SimulatedHost,
  picks: (operation: FileOperation, path: string) => boolean,
): { readonly reached: Promise<void>; release(): void } {
  const reached = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  host.files.intercept = (operation, path) => {
    if (!picks(operation, path)) return undefined;
    host.files.intercept = undefined;
    reached.resolve();
    return released.promise;
  };
  return { reached: reached.promise, release: released.resolve };
}

/** Picks one of the operations of a put between taking the lock, which is free, and the rename. */
function picksUnderLock(index: number): Parameters<typeof holdWhere>[1] {
  let count = -1;
  return (operation, path) => {
    if (operation === 'link' && path.includes('.locks')) count = 0;
    else if (count >= 0 && operation !== 'rename') return count++ === index;
    return false;
  };
}

test('a holder that was paused for too long anywhere before its rename gives up', async () => {
  for (let index = 0; index < 4; index++) {
    const place = new Place();
    const host = place.host();
    const [store, other] = [await place.open(host), await place.open()];
    const { etag } = await store.put('k', bytes('old'));
    const held = holdWhere(host, picksUnderLock(index));
    const paused = store.put('k', bytes('too late'), { kind: 'if-match', etag });
    await held.reached;
    const replaced = other.put('k', bytes('in time'), { kind: 'if-match', etag });
    const { etag: current } = await place.timers.advanceUntil(replaced, 50);
    held.release();
    await assert.rejects(paused, (error) => isErrorWithCode(error, 'OBJECT_CONFLICT', 'STORAGE_UNAVAILABLE'));
    assert.equal((await store.stat('k')).etag, current);
    assert.deepEqual(await place.leftovers(), []);
  }
});

test('a lock that was taken away by mistake is given back', async () => {
  const place = new Place();
  const [deadHost, slowHost, fastHost] = [place.host(), place.host(), place.host()];
  const dead = await place.open(deadHost);
  await dead.put('k', bytes('old'));
  deadHost.files.intercept = (operation) => void (operation === 'rename' && deadHost.files.kill());
  await dead.put('k', bytes('never')).catch(() => undefined);
  const [slow, fast] = [await place.open(slowHost, 2 * LOCK_TIMEOUT_MS), await place.open(fastHost)];
  const breaking = holdWhere(
    slowHost,
    (operation, path) => operation === 'rename' && path.includes('.locks'),
  );
  let hasTried = false;
  const holding = holdWhere(fastHost, (operation, path) => {
    if (operation === 'link' && path.includes('.locks')) hasTried = true;
    return hasTried && operation === 'stat' && path === '/objects/k';
  });
  const slowPut = slow.put('k', bytes('slow'));
  await place.timers.advanceUntil(breaking.reached, 10);
  const fastPut = fast.put('k', bytes('fast'));
  await place.timers.advanceUntil(holding.reached, 10);
  breaking.release();
  await place.timers.advance(100);
  holding.release();
  await place.timers.advanceUntil(Promise.all([slowPut, fastPut]), 10);
  assert.equal(text(await slow.get('k')), 'slow');
});

test('a newer version never has an earlier time, whatever the clocks say', async () => {
  const place = new Place();
  const clock = { ...place.clock, nowMs: () => place.clock.nowMs() + 60_000, monotonicMs: () => 0 };
  const ahead = await place.open({ ...place.host(), clock: clock as unknown as SimulatedClock });
  const behind = await place.open();
  let lastMs = 0;
  for (const store of [ahead, behind, ahead, behind, behind]) {
    const { modifiedMs } = await store.put('k', bytes('same size'));
    assert.ok(modifiedMs >= lastMs, `${modifiedMs} after ${lastMs}`);
    lastMs = modifiedMs;
  }
});

test('many waiters break a dead lock without ever holding it together', async () => {
  const place = new Place();
  const host = place.host();
  const dead = await place.open(host);
  await dead.put('k', bytes('0'));
  host.files.intercept = (operation, path) => {
    if (operation === 'rename' && path.includes('.staging')) host.files.kill();
  };
  await dead.put('k', bytes('never')).catch(() => undefined);
  const stores = await Promise.all(Array.from({ length: 6 }, () => place.open()));
  const work = Promise.all(stores.map((store) => increment(store, 'k', () => {})));
  await place.timers.advanceUntil(work, 20);
  assert.equal(text(await stores[0]!.get('k')), '6');
  assert.deepEqual(
    await place.leftovers().then((names) => names.length),
    1,
    'only the dead process leaves its file',
  );
});

test('a file system that does not keep exact times is refused', async () => {
  const place = new Place();
  const host = place.host();
  const setModified = host.files.setModified.bind(host.files);
  host.files.setModified = async (path, modifiedMs) => {
    await setModified(path, Math.floor(modifiedMs / 100_000) * 100_000);
  };
  const store = await place.open(host);
  await assert.rejects(store.put('k', bytes('one')), /modification times to the microsecond/);
});

test('closing removes what the store made for itself, opening what the dead left long ago', async () => {
  const place = new Place();
  const host = place.host();
  const store = await place.open(host);
  await store.put('k', bytes('x'));
  const dead = await place.open();
  await dead.put('l', bytes('x'));
  await store[Symbol.asyncDispose]();
  const ofTheDead = await place.disk.mount().list('/objects/.staging');
  assert.equal(ofTheDead.length, 1);
  place.clock.skip(25 * 3_600_000);
  const next = await place.open();
  const ofTheLiving = await place.disk.mount().list('/objects/.staging');
  assert.equal(ofTheLiving.length, 1);
  assert.notDeepEqual(ofTheLiving, ofTheDead);
  await next.put('m', bytes('x'));
  // A store that was only idle makes its directory anew.
  await dead.put('k', bytes('y'));
  assert.deepEqual(
    (await next.list('')).map(({ key }) => key),
    ['k', 'l', 'm'],
  );
});

/** Adds one by compare and swap until it succeeds; `onDone` gets the value it wrote. */
async function increment(
  store: LocalObjectStore,
  key: string,
  onDone: (value: number) => void,
): Promise<void> {
  for (;;) {
    const { etag } = await store.stat(key);
    const value = Number(text(await store.get(key))) + 1;
    try {
      // Between the two reads the object may have changed: then the etag is the older one, and the put is refused.
      await store.put(key, bytes(String(value)), { kind: 'if-match', etag });
    } catch (error) {
      if (!isErrorWithCode(error, 'OBJECT_CONFLICT')) throw error;
      continue;
    }
    return onDone(value);
  }
}

async function raceIncrements(random: Random, withDeath: boolean): Promise<void> {
  const place = new Place();
  await (await place.open()).put('k', bytes('0'));
  const interleaving = new Interleaving(random);
  const written: number[] = [];
  let unclear = 0;
  const work = async (dies: boolean): Promise<void> => {
    const host = place.host();
    const store = await place.open(host);
    const lifetime = dies ? random.below(60) : Number.POSITIVE_INFINITY;
    let count = 0;
    host.files.intercept = (operation, path) => {
      if (count++ === lifetime) host.files.kill();
      return interleaving.intercept(operation, path);
    };
    try {
      for (let round = 0; round < 3; round++) await increment(store, 'k', (value) => written.push(value));
    } catch (error) {
      if (!dies || !isErrorWithCode(error, 'STORAGE_UNAVAILABLE')) throw error;
      unclear++;
    }
  };
  const workers = [work(false), work(false), work(false), ...(withDeath ? [work(true)] : [])];
  await interleaving.run(workers, () => place.timers.advance(1));
  assert.equal(new Set(written).size, written.length, `a value was written twice: ${written.join()}`);
  const last = Number(text(await (await place.open()).get('k')));
  assert.ok(
    last >= written.length && last <= written.length + unclear,
    `${last} after ${written.length} increments`,
  );
}

test(`racing compare and swap loses nothing, whatever the order (seed ${testSeed})`, async () => {
  const random = new SeededRandom(testSeed);
  for (let run = 0; run < 15; run++) await raceIncrements(random.fork(String(run)), run % 3 === 0);
});

test(`racing creators, writers and deleters leave one whole object or none (seed ${testSeed})`, async () => {
  const random = new SeededRandom(testSeed).fork('mixed');
  for (let run = 0; run < 15; run++) {
    const place = new Place();
    const interleaving = new Interleaving(random);
    const work = async (name: string): Promise<void> => {
      const host = place.host();
      const store = await place.open(host);
      host.files.intercept = interleaving.intercept;
      for (let round = 0; round < 3; round++) {
        const content = bytes(`${name}${round} `.repeat(1 + random.below(20)));
        const condition = random.next() < 0.5 ? ({ kind: 'if-absent' } as const) : undefined;
        try {
          await store.put('d/k', content, condition);
          const read = text(await store.get('d/k'));
          assert.match(read, /^(\w\d )\1*$/);
          await store.delete('d/k');
        } catch (error) {
          assert.ok(isErrorWithCode(error, 'OBJECT_CONFLICT', 'OBJECT_NOT_FOUND'), String(error));
        }
      }
    };
    await interleaving.run([work('a'), work('b'), work('c')], () => place.timers.advance(1));
    const store = await place.open();
    assert.ok((await store.list('')).length <= 1);
    assert.deepEqual(await place.leftovers(), []);
  }
});

test(`a power cut at any moment keeps every object that was acknowledged (seed ${testSeed})`, async () => {
  const random = new SeededRandom(testSeed);
  let isOver = false;
  for (let moment = 0; !isOver; moment++) {
    const place = new Place();
    /** What each key may hold: the last acknowledged content, and what was being done to it. */
    const allowed = new Map<string, Set<string | undefined>>();
    const change = async (
      key: string,
      content: string | undefined,
      act: () => Promise<unknown>,
    ): Promise<void> => {
      allowed.set(key, (allowed.get(key) ?? new Set([undefined])).add(content));
      await act();
      allowed.set(key, new Set([content]));
    };
    place.disk.crashAfter(moment, moment % 2 === 0 ? random : undefined);
    try {
      const store = await place.open();
      for (const key of ['a/b/c', 'a/d']) {
        const big = 'x'.repeat(2_000);
        await change(key, 'one', () => store.put(key, bytes('one'), { kind: 'if-absent' }));
        await change(key, big, () => store.put(key, bytes(big)));
        const { etag } = await store.stat(key);
        await change(key, 'three', () => store.put(key, bytes('three'), { kind: 'if-match', etag }));
      }
      await change('a/b/c', undefined, () => store.delete('a/b/c'));
      await change('a/b/c', 'again', () => store.put('a/b/c', bytes('again'), { kind: 'if-absent' }));
    } catch (error) {
      assert.ok(isErrorWithCode(error, 'STORAGE_UNAVAILABLE'), String(error));
    }
    isOver = place.disk.generation === 0;
    place.disk.crash();
    const store = await place.open();
    for (const [key, contents] of allowed) {
      const found = await store.get(key).then(text, (error: unknown) => {
        assert.ok(isErrorWithCode(error, 'OBJECT_NOT_FOUND'), String(error));
      });
      assert.ok(contents.has(found ?? undefined), `${key} holds ${found} after a cut at ${moment}`);
      await place.timers.advanceUntil(store.put(key, bytes('after')), 50);
    }
  }
});
