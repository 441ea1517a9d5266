import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSegmentCache, type CachedFile, type SegmentCache } from './segment-cache.ts';
import type { SegmentFile } from '../catalog/model.ts';
import { MishardsError } from '../errors/index.ts';
import { SeededRandom } from '../host/index.ts';
import { createSimulatedHost, fileError, type SimulatedHost } from '../host/simulated/index.ts';
import { MemoryObjectStore } from '../object-store/memory/memory-object-store.ts';
import { testSeed } from '../../test/support/seed.ts';

const DIRECTORY = '/cache';

/** Counts downloads, and holds them back while `gate` is set. */
class WatchedStore extends MemoryObjectStore {
  readonly downloads: string[] = [];
  gate: Promise<void> | undefined;

  override async getToFile(key: string, path: string, signal?: AbortSignal): Promise<void> {
    this.downloads.push(key);
    await this.gate;
    await super.getToFile(key, path, signal);
  }

  async add(key: string, sizeBytes: number): Promise<SegmentFile> {
    await this.put(key, new Uint8Array(sizeBytes).fill(sizeBytes));
    return { objectKey: key, sizeBytes };
  }
}

interface Setup {
  readonly host: SimulatedHost;
  readonly objectStore: WatchedStore;
  open(bytesMax: number): Promise<SegmentCache>;
}

function setup(): Setup {
  const host = createSimulatedHost();
  const objectStore = new WatchedStore({ host });
  return {
    host,
    objectStore,
    open: (bytesMax) => createSegmentCache({ host, objectStore, directory: DIRECTORY, bytesMax }),
  };
}

async function use(cache: SegmentCache, file: SegmentFile): Promise<void> {
  await using cached = await cache.open(file);
  assert.equal(cached.sizeBytes, file.sizeBytes);
}

test('a file is downloaded once, however many ask for it at once or later', async () => {
  const { host, objectStore, open } = setup();
  await using cache = await open(100);
  const file = await objectStore.add('segment/1/2/rows.arrow', 40);
  const opened = await Promise.all([1, 2, 3].map(() => cache.open(file)));
  for (const cached of opened) {
    assert.deepEqual(await host.files.read(cached.path), await objectStore.get(file.objectKey));
    await cached[Symbol.asyncDispose]();
  }
  await use(cache, file);
  assert.deepEqual(objectStore.downloads, [file.objectKey]);
  assert.equal(cache.sizeBytes, 40);
});

test('the least recently used file that is not open makes room', async () => {
  const { host, objectStore, open } = setup();
  await using cache = await open(100);
  const [a, b, c, d] = await Promise.all(['a', 'b', 'c', 'd'].map((key) => objectStore.add(key, 40)));
  await use(cache, a!);
  await use(cache, b!);
  await use(cache, a!);
  await use(cache, c!);
  assert.deepEqual(
    (await host.files.list(DIRECTORY)).filter((name) => name !== 'incoming'),
    ['a@40', 'c@40'],
  );
  const pinned = await cache.open(a!);
  await use(cache, d!);
  await use(cache, a!);
  assert.deepEqual(objectStore.downloads, ['a', 'b', 'c', 'd']);
  assert.equal(cache.sizeBytes, 80);
  await pinned[Symbol.asyncDispose]();
  await pinned[Symbol.asyncDispose]();
});

test('when all files are open, more are refused until one is closed', async () => {
  const { objectStore, open } = setup();
  await using cache = await open(100);
  const [a, b, c] = await Promise.all(['a', 'b', 'c'].map((key) => objectStore.add(key, 40)));
  const pinned = [await cache.open(a!), await cache.open(b!)];
  await assert.rejects(cache.open(c!), { code: 'MEMORY_LIMIT', message: /lacks 20 of 100 bytes/ });
  await assert.rejects(cache.open(await objectStore.add('large', 101)), { code: 'MEMORY_LIMIT' });
  await pinned[0]![Symbol.asyncDispose]();
  await use(cache, c!);
  await pinned[1]![Symbol.asyncDispose]();
});

test('complete files survive a restart, cut ones and the bound do not', async () => {
  const { host, objectStore, open } = setup();
  const files = await Promise.all(['a', 'b', 'c'].map((key) => objectStore.add(key, 40)));
  {
    await using cache = await open(120);
    for (const file of files) {
      await use(cache, file);
      host.clock.skip(1000);
    }
  }
  await host.files.write(`${DIRECTORY}/b@40`, new Uint8Array(39));
  await host.files.write(`${DIRECTORY}/incoming/7`, new Uint8Array(10));
  await host.files.write(`${DIRECTORY}/stranger`, new Uint8Array(10));
  await using cache = await open(79);
  assert.deepEqual(await host.files.list(DIRECTORY), ['c@40', 'incoming']);
  assert.deepEqual(await host.files.list(`${DIRECTORY}/incoming`), []);
  assert.equal(cache.sizeBytes, 40);
  await use(cache, files[2]!);
  assert.equal(objectStore.downloads.length, 3);
});

test('another size is another file; an object of another size than asked for is refused', async () => {
  const { host, objectStore, open } = setup();
  await using cache = await open(200);
  const old = await objectStore.add('a', 40);
  const opened = await cache.open(old);
  const newer = await objectStore.add('a', 50);
  await using again = await cache.open(newer);
  assert.equal((await host.files.read(opened.path)).byteLength, 40);
  assert.equal((await host.files.read(again.path)).byteLength, 50);
  await opened[Symbol.asyncDispose]();
  await assert.rejects(cache.open({ objectKey: 'a', sizeBytes: 60 }), { code: 'CORRUPT_DATA' });
  assert.equal(cache.sizeBytes, 90);
});

test('a failed download leaves nothing and can be tried again', async () => {
  const { host, objectStore, open } = setup();
  await using cache = await open(100);
  await assert.rejects(cache.open({ objectKey: 'absent', sizeBytes: 10 }), { code: 'OBJECT_NOT_FOUND' });
  const file = await objectStore.add('a', 40);
  host.files.intercept = (operation) => {
    if (operation === 'rename') throw fileError('ENOSPC', 'rename', DIRECTORY);
  };
  await assert.rejects(cache.open(file), { code: 'STORAGE_UNAVAILABLE' });
  host.files.intercept = undefined;
  assert.equal(cache.sizeBytes, 0);
  assert.deepEqual(await host.files.list(`${DIRECTORY}/incoming`), []);
  await use(cache, file);
});

test('one who gives up leaves the download to the others', async () => {
  const { objectStore, open } = setup();
  await using cache = await open(100);
  const file = await objectStore.add('a', 40);
  const gate = Promise.withResolvers<void>();
  objectStore.gate = gate.promise;
  const controller = new AbortController();
  const given = cache.open(file, controller.signal);
  const other = cache.open(file);
  controller.abort(new MishardsError('CANCELLED', 'no longer wanted'));
  await assert.rejects(given, { code: 'CANCELLED' });
  gate.resolve();
  await (await other)[Symbol.asyncDispose]();
  assert.deepEqual(objectStore.downloads, ['a']);
  await assert.rejects(cache.open(file, controller.signal), { code: 'CANCELLED' });
  await using _all = await cache.open(await objectStore.add('b', 100));
});

test('a check runs once a copy, and what it refuses is downloaded anew', async () => {
  const { objectStore, open } = setup();
  await using cache = await open(100);
  const file = await objectStore.add('a', 40);
  let checkCount = 0;
  const check = async (verdict: boolean): Promise<void> => {
    await using cached = await cache.open(file);
    await cached.verify(async () => {
      checkCount++;
      if (!verdict) throw new MishardsError('CORRUPT_DATA', 'damaged');
    });
  };
  await assert.rejects(check(false), { code: 'CORRUPT_DATA' });
  await check(true);
  await check(false);
  assert.equal(checkCount, 2);
  assert.deepEqual(objectStore.downloads, ['a', 'a']);
});

test('closing the cache ends its downloads', async () => {
  const { objectStore, open } = setup();
  const cache = await open(100);
  const gate = Promise.withResolvers<void>();
  objectStore.gate = gate.promise;
  const opening = cache.open(await objectStore.add('a', 40));
  const closing = cache[Symbol.asyncDispose]();
  gate.resolve();
  await assert.rejects(opening, { code: 'CANCELLED' });
  await closing;
  await assert.rejects(cache.open({ objectKey: 'a', sizeBytes: 40 }), /disposed/);
});

test(`under random use the bound holds and open files stay (seed ${testSeed})`, async () => {
  const random = new SeededRandom(testSeed);
  const { host, objectStore, open } = setup();
  await using cache = await open(100);
  const files: SegmentFile[] = [];
  for (let index = 0; index < 12; index++)
    files.push(await objectStore.add(`f/${index}`, 5 + random.below(30)));
  const held: { readonly file: SegmentFile; readonly cached: CachedFile }[] = [];
  for (let step = 0; step < 200; step++) {
    if (random.below(2) === 0 && held.length > 0) {
      const [released] = held.splice(random.below(held.length), 1);
      const isLast = !held.some(({ file }) => file === released!.file);
      if (isLast && random.below(4) === 0) await released!.cached.discard();
      await released!.cached[Symbol.asyncDispose]();
    } else {
      const file = files[random.below(files.length)]!;
      const opening = cache.open(file);
      const result = await opening.catch((error: unknown) => error as MishardsError);
      if (result instanceof Error) assert.equal(result.code, 'MEMORY_LIMIT');
      else held.push({ file, cached: result });
    }
    assert.ok(cache.sizeBytes <= 100, `${cache.sizeBytes}`);
    for (const one of held) {
      assert.equal((await host.files.stat(one.cached.path)).sizeBytes, one.file.sizeBytes);
    }
  }
});

test('files of objects that are no longer named go, but for those somebody has open', async () => {
  const { host, objectStore, open } = setup();
  await using cache = await open(1_000);
  const [kept, gone, held] = [
    await objectStore.add('segment/1/2/rows.arrow', 10),
    await objectStore.add('segment/1/3/rows.arrow', 20),
    await objectStore.add('segment/1/4/rows.arrow', 30),
  ];
  await use(cache, kept);
  await use(cache, gone);
  const open4 = await cache.open(held);
  await cache.retain(new Set([kept.objectKey]));
  assert.equal(cache.sizeBytes, 40);
  assert.deepEqual(await host.files.read(open4.path), await objectStore.get(held.objectKey));
  await open4[Symbol.asyncDispose]();
  await cache.retain(new Set([kept.objectKey]));
  assert.equal(cache.sizeBytes, 10);
  await use(cache, kept);
  assert.deepEqual(
    objectStore.downloads,
    [kept, gone, held].map(({ objectKey }) => objectKey),
  );
});
