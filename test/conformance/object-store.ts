import assert from 'node:assert/strict';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { isErrorWithCode, type ErrorCode } from '../../src/errors/index.ts';
import type { ObjectStore } from '../../src/object-store/object-store.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/** One empty place where objects are kept. Disposing closes what was opened and removes the place. */
export interface ObjectStoreFixture extends AsyncDisposable {
  /** A store on the place: each call is as another process would open it. */
  open(): Promise<ObjectStore>;
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (value: Uint8Array): string => new TextDecoder().decode(value);
const keysOf = (listed: readonly { readonly key: string }[]): string[] => listed.map(({ key }) => key);
const ifAbsent = { kind: 'if-absent' } as const;

async function rejectsWith(promise: Promise<unknown>, code: ErrorCode): Promise<void> {
  await assert.rejects(promise, (error) => isErrorWithCode(error, code) || assert.fail(String(error)));
}

/** What every driver of `ObjectStore` must do. */
export function testObjectStore(name: string, createFixture: () => Promise<ObjectStoreFixture>): void {
  const it = (title: string, run: (store: ObjectStore, other: ObjectStore) => Promise<void>): void => {
    test(title, async () => {
      await using fixture = await createFixture();
      await run(await fixture.open(), await fixture.open());
    });
  };
  describe(`${name} object store`, () => {
    testReadingAndWriting(it);
    testConditions(it);
    testListing(it);
    testFiles(it);
    testRefusals(it);
  });
}

type It = (title: string, run: (store: ObjectStore, other: ObjectStore) => Promise<void>) => void;

function testReadingAndWriting(it: It): void {
  it('gives back what was put, to every process', async (store, other) => {
    const stat = await store.put('a/b/c.bin', bytes('hello'));
    assert.equal(stat.sizeBytes, 5);
    assert.equal(text(await other.get('a/b/c.bin')), 'hello');
    assert.deepEqual(await other.stat('a/b/c.bin'), stat);
  });

  it('keeps its own copy of the bytes', async (store) => {
    const mine = bytes('hello');
    await store.put('k', mine);
    mine.fill(0);
    (await store.get('k')).fill(1);
    assert.equal(text(await store.get('k')), 'hello');
  });

  it('replaces whole objects and changes the etag', async (store, other) => {
    const first = await store.put('k', bytes('one and more'));
    const second = await other.put('k', bytes('two'));
    assert.notEqual(first.etag, second.etag);
    assert.equal(text(await store.get('k')), 'two');
    assert.deepEqual(await store.stat('k'), second);
  });

  it('gives same-sized successive versions different etags', async (store, other) => {
    const etags = new Set<string>();
    for (let version = 0; version < 30; version++) {
      etags.add((await (version % 2 === 0 ? store : other).put('k', bytes(String(version % 10)))).etag);
    }
    assert.equal(etags.size, 30);
  });

  it('reads ranges, fewer bytes where the object ends', async (store) => {
    await store.put('k', bytes('0123456789'));
    assert.equal(text(await store.getRange('k', 2, 3)), '234');
    assert.equal(text(await store.getRange('k', 8, 1_000_000)), '89');
    assert.equal((await store.getRange('k', 10, 5)).byteLength, 0);
    assert.equal((await store.getRange('k', 50, 5)).byteLength, 0);
    assert.equal((await store.getRange('k', 0, 0)).byteLength, 0);
  });

  it('stores empty and large objects', async (store) => {
    await store.put('empty', new Uint8Array(0));
    assert.equal((await store.get('empty')).byteLength, 0);
    const large = Uint8Array.from({ length: 3_000_001 }, (_, index) => (index * 7) & 255);
    await store.put('large', large);
    assert.equal(Buffer.compare(await store.get('large'), large), 0);
  });

  it('says that an object is missing', async (store) => {
    await store.put('a/b', bytes('x'));
    for (const key of ['nothing', 'a/c', 'a', 'a/b/c']) {
      await rejectsWith(store.get(key), 'OBJECT_NOT_FOUND');
      await rejectsWith(store.getRange(key, 0, 1), 'OBJECT_NOT_FOUND');
      await rejectsWith(store.stat(key), 'OBJECT_NOT_FOUND');
    }
  });

  it('deletes, also what is not there', async (store, other) => {
    await store.put('a/b/c', bytes('x'));
    await other.delete('a/b/c');
    await other.delete('a/b/c');
    await other.delete('a/b');
    await rejectsWith(store.get('a/b/c'), 'OBJECT_NOT_FOUND');
    await store.put('a', bytes('the name is free again'));
    assert.deepEqual(keysOf(await other.list('')), ['a']);
  });

  it('survives putting and deleting neighbours at once', async (store, other) => {
    const rounds = Array.from({ length: 40 }, async (_, index) => {
      const mine = index % 2 === 0 ? store : other;
      await mine.put(`d/e/${index}`, bytes('x'));
      if (index % 4 < 2) await mine.delete(`d/e/${index}`);
    });
    await Promise.all(rounds);
    assert.equal((await store.list('d/')).length, 20);
  });
}

function testConditions(it: It): void {
  it('creates only when absent', async (store, other) => {
    await store.put('k', bytes('one'), ifAbsent);
    await rejectsWith(other.put('k', bytes('two'), ifAbsent), 'OBJECT_CONFLICT');
    assert.equal(text(await other.get('k')), 'one');
    await store.delete('k');
    await other.put('k', bytes('three'), ifAbsent);
  });

  it('replaces only what it expects', async (store, other) => {
    const first = await store.put('k', bytes('one'));
    const second = await other.put('k', bytes('two'), { kind: 'if-match', etag: first.etag });
    await rejectsWith(store.put('k', bytes('no'), { kind: 'if-match', etag: first.etag }), 'OBJECT_CONFLICT');
    assert.equal(text(await store.get('k')), 'two');
    await store.delete('k');
    await rejectsWith(
      store.put('k', bytes('no'), { kind: 'if-match', etag: second.etag }),
      'OBJECT_CONFLICT',
    );
    await store.put('k', bytes('two'));
    await rejectsWith(
      store.put('k', bytes('no'), { kind: 'if-match', etag: second.etag }),
      'OBJECT_CONFLICT',
    );
  });

  it('lets one of many creators win', async (store, other) => {
    const attempts = Array.from({ length: 20 }, (_, index) =>
      (index % 2 === 0 ? store : other).put('k', bytes(String(index)), ifAbsent),
    );
    const results = await Promise.allSettled(attempts);
    const winners = results.flatMap((result, index) => (result.status === 'fulfilled' ? [index] : []));
    assert.equal(winners.length, 1);
    assert.equal(text(await store.get('k')), String(winners[0]));
  });

  it('loses no increment made by compare and swap', async (store, other) => {
    await store.put('counter', bytes('0'));
    const increment = async (mine: ObjectStore): Promise<void> => {
      for (;;) {
        const { etag } = await mine.stat('counter');
        const value = Number(text(await mine.get('counter')));
        try {
          return void (await mine.put('counter', bytes(String(value + 1)), { kind: 'if-match', etag }));
        } catch (error) {
          if (!isErrorWithCode(error, 'OBJECT_CONFLICT')) throw error;
        }
      }
    };
    const workers = Array.from({ length: 4 }, async (_, index) => {
      for (let round = 0; round < 5; round++) await increment(index % 2 === 0 ? store : other);
    });
    await Promise.all(workers);
    assert.equal(text(await store.get('counter')), '20');
  });
}

function testListing(it: It): void {
  const fill = async (store: ObjectStore, keys: readonly string[]): Promise<void> => {
    await Promise.all(keys.map((key) => store.put(key, bytes(key))));
  };

  it('lists by key, whatever looks like a directory', async (store, other) => {
    const keys = [
      'a',
      'a-b',
      'a.b/c',
      'a0',
      'b/a',
      'b-',
      'b-/z',
      'b.',
      'b/a-b',
      'b/aa/x',
      'b0/x',
      'c/d/e/f',
      'B',
    ];
    const stored = keys.filter((key) => key !== 'b-');
    await fill(store, stored);
    assert.deepEqual(keysOf(await other.list('')), [...stored].sort());
    assert.deepEqual(keysOf(await other.list('b/a')), ['b/a', 'b/a-b', 'b/aa/x']);
    assert.deepEqual(keysOf(await other.list('b')), stored.filter((key) => key.startsWith('b')).sort());
    assert.deepEqual(keysOf(await other.list('c/d/')), ['c/d/e/f']);
    assert.deepEqual(await other.list('c/d/e/f/'), []);
    assert.deepEqual(await other.list('nothing/here/'), []);
  });

  it('lists sizes and etags', async (store) => {
    const stat = await store.put('x/y', bytes('123'));
    assert.deepEqual(await store.list('x'), [{ key: 'x/y', ...stat }]);
  });

  it('lists page by page without gap or repetition', async (store) => {
    const keys = Array.from(
      { length: 23 },
      (_, index) => `p${index % 3}/${'q'.repeat(index % 4)}${index}`,
    ).sort();
    await fill(store, keys);
    for (const limit of [1, 4, 23, 1000]) {
      const seen: string[] = [];
      for (let page = await store.list('p', { limit }); page.length > 0;) {
        assert.ok(page.length <= limit);
        seen.push(...keysOf(page));
        page = await store.list('p', { limit, startAfter: seen.at(-1)! });
      }
      assert.deepEqual(seen, keys);
    }
    assert.deepEqual(
      keysOf(await store.list('p', { startAfter: 'p1' })),
      keys.filter((key) => key > 'p1'),
    );
  });
}

function testFiles(it: It): void {
  it('takes from and gives to local files', async (store, other) => {
    await using directory = await temporaryDirectory();
    const source = join(directory.path, 'source');
    await writeFile(source, 'from a file');
    const stat = await store.putFile('f/g', source, ifAbsent);
    assert.equal(stat.sizeBytes, 11);
    await rejectsWith(store.putFile('f/g', source, ifAbsent), 'OBJECT_CONFLICT');
    const target = join(directory.path, 'new/directory/target');
    await other.getToFile('f/g', target);
    assert.equal(await readFile(target, 'utf8'), 'from a file');
    assert.equal(await readFile(source, 'utf8'), 'from a file');
    const replaced = await store.putFile('f/g', source, { kind: 'if-match', etag: stat.etag });
    assert.notEqual(replaced.etag, stat.etag);
  });

  it('leaves no file behind when there is no object or the fetch was given up', async (store) => {
    await using directory = await temporaryDirectory();
    const target = join(directory.path, 'target');
    await rejectsWith(store.getToFile('missing', target), 'OBJECT_NOT_FOUND');
    await store.put('k', bytes('x'));
    const reason = new Error('given up');
    await assert.rejects(
      store.getToFile('k', target, AbortSignal.abort(reason)),
      (error) => error === reason,
    );
    assert.deepEqual(await readdir(directory.path), []);
  });

  it('says when the file to store is missing', async (store) => {
    await using directory = await temporaryDirectory();
    await rejectsWith(store.putFile('k', join(directory.path, 'missing')), 'STORAGE_UNAVAILABLE');
    await rejectsWith(store.stat('k'), 'OBJECT_NOT_FOUND');
  });
}

function testRefusals(it: It): void {
  it('refuses keys out of the rules', async (store) => {
    const long = 'x'.repeat(256);
    for (const key of [
      '',
      '/a',
      'a/',
      'a//b',
      '.',
      '..',
      'a/../b',
      '.hidden',
      'a/.b',
      'ä',
      'a b',
      'a\n',
      long,
    ]) {
      await rejectsWith(store.put(key, bytes('x')), 'PARAMETER_INVALID');
      await rejectsWith(store.get(key), 'PARAMETER_INVALID');
      await rejectsWith(store.delete(key), 'PARAMETER_INVALID');
    }
    const longest = `${'a'.repeat(255)}/${'b'.repeat(255)}/`;
    await store.put(`${longest}`.slice(0, 511), bytes('x'));
    await rejectsWith(store.put(`${longest}c`, bytes('x')), 'PARAMETER_INVALID');
  });

  it('refuses a key that continues another', async (store, other) => {
    await store.put('a/b', bytes('x'));
    await rejectsWith(other.put('a', bytes('x')), 'PARAMETER_INVALID');
    await rejectsWith(other.put('a', bytes('x'), ifAbsent), 'PARAMETER_INVALID');
    await rejectsWith(other.put('a/b/c', bytes('x')), 'PARAMETER_INVALID');
    await rejectsWith(other.put('a/b/c/d', bytes('x'), ifAbsent), 'PARAMETER_INVALID');
    assert.deepEqual(keysOf(await store.list('')), ['a/b']);
  });

  it('refuses ranges and limits out of bounds', async (store) => {
    await store.put('k', bytes('x'));
    await rejectsWith(store.getRange('k', -1, 1), 'PARAMETER_INVALID');
    await rejectsWith(store.getRange('k', 0, -1), 'PARAMETER_INVALID');
    await rejectsWith(store.getRange('k', 0.5, 1), 'PARAMETER_INVALID');
    await rejectsWith(store.list('', { limit: 0 }), 'PARAMETER_INVALID');
    await rejectsWith(store.list('', { limit: 1001 }), 'PARAMETER_INVALID');
    await rejectsWith(store.list('../'), 'PARAMETER_INVALID');
  });

  it('refuses everything once closed', async (store) => {
    await store.put('k', bytes('x'));
    await store[Symbol.asyncDispose]();
    await store[Symbol.asyncDispose]();
    await rejectsWith(store.get('k'), 'STORAGE_UNAVAILABLE');
    await rejectsWith(store.put('k', bytes('x')), 'STORAGE_UNAVAILABLE');
    await rejectsWith(store.list(''), 'STORAGE_UNAVAILABLE');
  });
}
