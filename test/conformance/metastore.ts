import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SeededRandom } from '../../src/host/index.ts';
import type { KeyValue, Metastore, Transaction, WatchEvent } from '../../src/metastore/metastore.ts';
import { compareKeys } from '../../src/metastore/metastore-rules.ts';
import {
  del,
  put,
  rejectsWith,
  until,
  write,
  type It,
  type MetastoreFixture,
} from '../support/metastore-stage.ts';
import { testSeed } from '../support/seed.ts';
import { testLeaseEdges, testLeases } from './metastore-leases.ts';
import { testWatchLimits, testWatches } from './metastore-watches.ts';

/** What every driver of `Metastore` must do. */
export function testMetastore(name: string, createFixture: () => Promise<MetastoreFixture>): void {
  const it: It = (title, run) => {
    test(title, async () => {
      await using fixture = await createFixture();
      await run({ store: await fixture.open(), other: await fixture.open(), fixture });
    });
  };
  describe(`${name} metastore`, () => {
    testKeys(it);
    testTransactions(it);
    testConcurrency(it);
    testWatches(it);
    testWatchLimits(it);
    testLeases(it);
    testLeaseEdges(it);
    testRefusals(it);
  });
}

function testKeys(it: It): void {
  it('keeps a key with its revisions, for every client', async ({ store, other }) => {
    assert.equal(await store.get('a'), null);
    const first = await write(store, put('a', 'one'));
    assert.deepEqual(await other.get('a'), {
      key: 'a',
      value: 'one',
      createRevision: first,
      modRevision: first,
    });
    const second = await write(other, put('a', 'two'));
    assert.equal(second, first + 1);
    assert.deepEqual(await store.get('a'), {
      key: 'a',
      value: 'two',
      createRevision: first,
      modRevision: second,
    });
    await write(store, del('a'));
    assert.equal(await other.get('a'), null);
    const fourth = await write(store, put('a', 'three'));
    assert.equal((await other.get('a'))?.createRevision, fourth);
  });

  it('ranges over a prefix in the order of code points, at one revision', async ({ store, other }) => {
    const keys = [
      'p',
      'p/',
      'p/a',
      'p/a/b',
      'p/aa',
      'p/~',
      'p/\u00e9',
      'p/\uff5e',
      'p/\u{1f600}',
      'q',
      'o',
      'p0',
    ];
    const revision = await write(store, ...keys.map((key) => put(key, `value of ${key}`)));
    const { revision: seen, entries } = await other.range('p/');
    assert.equal(seen, revision);
    assert.deepEqual(
      entries.map(({ key }) => key),
      ['p/', 'p/a', 'p/a/b', 'p/aa', 'p/~', 'p/\u00e9', 'p/\uff5e', 'p/\u{1f600}'],
    );
    assert.equal((await other.range('')).entries.length, keys.length);
    assert.deepEqual((await other.range('nothing')).entries, []);
  });

  it('ranges over prefixes at the end of the alphabet', async ({ store }) => {
    const keys = ['\ud7ff', '\ud7ffx', '\ue000', '\u{10ffff}', '\u{10ffff}x', 'a\u{10ffff}', 'b'];
    await write(store, ...keys.map((key) => put(key, '')));
    for (const prefix of ['\ud7ff', '\u{10ffff}', 'a\u{10ffff}', 'a']) {
      const { entries } = await store.range(prefix);
      assert.deepEqual(
        entries.map(({ key }) => key),
        keys.filter((key) => key.startsWith(prefix)).sort(compareKeys),
      );
    }
  });

  it('keeps any text, up to the limits', async ({ store, other }) => {
    const key = `k\0${'\u00e9'.repeat(511)}`;
    const value = `\0"'\u{1f600}${'x'.repeat(1024 * 1024 - 7)}`;
    await write(store, put(key, value), put('empty', ''));
    assert.equal((await other.get(key))?.value, value);
    assert.equal((await other.get('empty'))?.value, '');
    assert.equal((await other.range('k\0')).entries.length, 1);
  });
}

function testTransactions(it: It): void {
  const compares = (modRevision: number): [Transaction['compares'][number], boolean][] => [
    [{ kind: 'mod-revision', key: 'a', revision: modRevision }, true],
    [{ kind: 'mod-revision', key: 'a', revision: modRevision - 1 }, false],
    [{ kind: 'mod-revision', key: 'a', revision: 0 }, false],
    [{ kind: 'mod-revision', key: 'none', revision: 0 }, true],
    [{ kind: 'mod-revision', key: 'none', revision: 1 }, false],
    [{ kind: 'value', key: 'a', value: 'one' }, true],
    [{ kind: 'value', key: 'a', value: 'two' }, false],
    [{ kind: 'value', key: 'none', value: '' }, false],
    [{ kind: 'absent', key: 'none' }, true],
    [{ kind: 'absent', key: 'a' }, false],
    [{ kind: 'exists', key: 'a' }, true],
    [{ kind: 'exists', key: 'none' }, false],
  ];

  it('writes only when every compare holds', async ({ store, other }) => {
    await write(store, put('before', ''));
    const revision = await write(store, put('a', 'one'));
    for (const [compare, holds] of compares(revision)) {
      const result = await other.transact({ compares: [compare], then: [] });
      assert.deepEqual(result, { succeeded: holds, revision }, JSON.stringify(compare));
    }
    const [holding] = compares(revision)[0]!;
    const [failing] = compares(revision)[1]!;
    const refused = await other.transact({
      compares: [holding, failing],
      then: [put('a', 'no'), put('b', 'no')],
    });
    assert.deepEqual(refused, { succeeded: false, revision });
    assert.equal((await store.get('a'))?.value, 'one');
    assert.equal(await store.get('b'), null);
    const done = await other.transact({ compares: [holding], then: [del('a'), put('b', 'yes')] });
    assert.deepEqual(done, { succeeded: true, revision: revision + 1 });
    assert.equal(await store.get('a'), null);
    assert.equal((await store.get('b'))?.modRevision, revision + 1);
  });

  it('raises the revision by one a transaction, and not when nothing changes', async ({ store }) => {
    const revision = await write(store, put('a', ''), put('b', ''), put('c', ''));
    assert.equal(await write(store, del('a'), del('b')), revision + 1);
    assert.equal(await write(store, del('a'), del('never')), revision + 1);
    assert.equal(await write(store), revision + 1);
    assert.equal(await write(store, put('c', '')), revision + 2);
  });

  it('takes transactions up to the limits', async ({ store }) => {
    const keys = Array.from({ length: 512 }, (_, index) => `k${index}`);
    const result = await store.transact({
      compares: keys.map((key) => ({ kind: 'absent', key })),
      then: keys.map((key) => put(key, key)),
    });
    assert.equal(result.succeeded, true);
    assert.equal((await store.range('k')).entries.length, 512);
  });
}

function testConcurrency(it: It): void {
  it('loses no increment made by compare and swap', async ({ store, other }) => {
    await write(store, put('counter', '0'));
    const increment = async (mine: Metastore): Promise<void> => {
      for (let succeeded = false; !succeeded;) {
        const { value, modRevision: revision } = (await mine.get('counter'))!;
        const compares = [{ kind: 'mod-revision', key: 'counter', revision }] as const;
        ({ succeeded } = await mine.transact({
          compares,
          then: [put('counter', String(Number(value) + 1))],
        }));
      }
    };
    const workers = Array.from({ length: 8 }, async (_, index) => {
      for (let round = 0; round < 10; round++) await increment(index % 2 === 0 ? store : other);
    });
    await Promise.all(workers);
    assert.equal((await store.get('counter'))?.value, '80');
  });

  it('shows whole transactions to ranges', async ({ store, other }) => {
    await write(store, put('pair/left', '0'), put('pair/right', '0'));
    let isDone = false;
    const writing = async (): Promise<void> => {
      for (let round = 1; round <= 50; round++) {
        await write(store, put('pair/left', String(round)), put('pair/right', String(round)));
      }
      isDone = true;
    };
    const reading = async (): Promise<void> => {
      while (!isDone) {
        const { entries } = await other.range('pair/');
        assert.equal(entries[0]?.value, entries[1]?.value);
      }
    };
    await Promise.all([writing(), reading()]);
  });

  it(`replays random transactions to the state of a range (seed ${testSeed})`, async ({
    store,
    other,
    fixture,
  }) => {
    const random = new SeededRandom(testSeed);
    const replayed = new Map<string, KeyValue>();
    let lastRevision = 0;
    await using _watch = other.watch('r/', 0, {
      onEvents: (events, revision) => {
        assert.ok(revision > lastRevision);
        lastRevision = revision;
        for (const event of events) replay(replayed, event);
      },
      onReset: (reason) => assert.fail(reason),
    });
    for (let round = 0; round < fixture.keptRevisionsBelow - 1; round++) {
      const keys = new Set(Array.from({ length: 1 + random.below(4) }, () => `r/${random.below(12)}`));
      const then = Array.from(keys, (key) =>
        random.next() < 0.3 ? del(key) : put(key, String(random.next())),
      );
      await write(random.next() < 0.5 ? store : other, ...then);
    }
    const { entries } = await store.range('r/');
    await write(store, put('r/end', ''));
    await until(fixture, () => replayed.delete('r/end'));
    assert.deepEqual(
      [...replayed.values()].sort((a, b) => compareKeys(a.key, b.key)),
      entries,
    );
  });
}

function replay(state: Map<string, KeyValue>, event: WatchEvent): void {
  if (event.kind === 'put') state.set(event.entry.key, event.entry);
  else assert.equal(state.delete(event.key), true, `the deleted key ${event.key} was not there`);
}

function testRefusals(it: It): void {
  it('refuses what is above the limits', async ({ store }) => {
    const many = Array.from({ length: 513 }, (_, index) => `k${index}`);
    const compares = many.map((key) => ({ kind: 'absent', key }) as const);
    await rejectsWith(store.transact({ compares, then: [] }), 'PARAMETER_TOO_LARGE');
    await rejectsWith(write(store, ...many.map((key) => put(key, ''))), 'PARAMETER_TOO_LARGE');
    await rejectsWith(write(store, put('k'.repeat(1025), '')), 'PARAMETER_TOO_LARGE');
    await rejectsWith(write(store, put('\u00e9'.repeat(513), '')), 'PARAMETER_TOO_LARGE');
    await rejectsWith(write(store, put('k', 'x'.repeat(1024 * 1024 + 1))), 'PARAMETER_TOO_LARGE');
    await rejectsWith(store.get('k'.repeat(1025)), 'PARAMETER_TOO_LARGE');
    assert.deepEqual((await store.range('')).entries, []);
  });

  it('refuses what makes no sense', async ({ store }) => {
    await rejectsWith(write(store, put('a', '1'), del('a')), 'PARAMETER_INVALID');
    await rejectsWith(write(store, put('', '1')), 'PARAMETER_INVALID');
    await rejectsWith(write(store, put('\ud800', '1')), 'PARAMETER_INVALID');
    await rejectsWith(write(store, put('a', '\udc00')), 'PARAMETER_INVALID');
    await rejectsWith(write(store, put('a', '', 'no lease')), 'FENCED');
    for (const ttlMs of [0, -1, 1.5, Number.POSITIVE_INFINITY]) {
      await rejectsWith(store.grantLease(ttlMs), 'PARAMETER_INVALID');
    }
  });

  it('refuses everything once closed, and closes twice', async ({ store, other }) => {
    const lease = await store.grantLease(60_000);
    await store[Symbol.asyncDispose]();
    await store[Symbol.asyncDispose]();
    await rejectsWith(store.get('a'), 'METASTORE_UNAVAILABLE');
    await rejectsWith(store.range(''), 'METASTORE_UNAVAILABLE');
    await rejectsWith(write(store, put('a', '')), 'METASTORE_UNAVAILABLE');
    await rejectsWith(lease.renew(), 'METASTORE_UNAVAILABLE');
    await lease[Symbol.asyncDispose]();
    assert.equal(await other.get('a'), null);
  });
}
