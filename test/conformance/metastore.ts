import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isErrorWithCode, type ErrorCode } from '../../src/errors/index.ts';
import { SeededRandom } from '../../src/host/index.ts';
import type { KeyValue, Metastore, Transaction, WatchEvent, Write } from '../../src/metastore/metastore.ts';
import { compareKeys } from '../../src/metastore/metastore-rules.ts';
import { testSeed } from '../support/seed.ts';

/** One empty metadata service. Disposing closes what was opened and removes it. */
export interface MetastoreFixture extends AsyncDisposable {
  /** A client of the service: each call is as another process would open it. */
  open(): Promise<Metastore>;
  /** Lets at least this much of the service's time pass, and what follows from it happen. */
  passTime(durationMs: number): Promise<void>;
  /** The service keeps fewer revisions than this for watches. */
  readonly keptRevisionsBelow: number;
}

interface Stage {
  readonly store: Metastore;
  readonly other: Metastore;
  readonly fixture: MetastoreFixture;
}

type It = (title: string, run: (stage: Stage) => Promise<void>) => void;

const put = (key: string, value: string, leaseId?: string): Write =>
  leaseId === undefined ? { kind: 'put', key, value } : { kind: 'put', key, value, leaseId };
const del = (key: string): Write => ({ kind: 'delete', key });

async function write(store: Metastore, ...then: Write[]): Promise<number> {
  const result = await store.transact({ compares: [], then });
  assert.equal(result.succeeded, true);
  return result.revision;
}

async function rejectsWith(promise: Promise<unknown>, code: ErrorCode): Promise<void> {
  await assert.rejects(promise, (error) => isErrorWithCode(error, code) || assert.fail(String(error)));
}

async function until(fixture: MetastoreFixture, condition: () => boolean): Promise<void> {
  for (let step = 0; !condition(); step++) {
    assert.ok(step < 2_000, 'what was waited for did not happen');
    await fixture.passTime(10);
  }
}

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

/** Everything a watch says, as it says it. */
interface Record {
  readonly calls: { readonly revision: number; readonly events: readonly WatchEvent[] }[];
  readonly resets: string[];
  readonly watcher: {
    onEvents(events: readonly WatchEvent[], revision: number): void;
    onReset(reason: string): void;
  };
}

function recorder(): Record {
  const calls: Record['calls'] = [];
  const resets: string[] = [];
  const onEvents = (events: readonly WatchEvent[], revision: number): void =>
    void calls.push({ revision, events });
  return { calls, resets, watcher: { onEvents, onReset: (reason) => void resets.push(reason) } };
}

const revisionsOf = ({ calls }: Record): number[] => calls.map(({ revision }) => revision);

function testWatches(it: It): void {
  it('tells changes in order, whole revisions at a time', async ({ store, other, fixture }) => {
    const seen = recorder();
    const start = await write(store, put('w/before', ''));
    await using _watch = other.watch('w/', start, seen.watcher);
    await write(store, put('w/b', '1'), put('elsewhere', ''), put('w/a', '1'));
    await write(other, put('elsewhere', '2'));
    await write(other, del('w/b'), put('w/a', '2'));
    await until(fixture, () => seen.calls.length >= 2);
    const [revision, next] = [start + 1, start + 3];
    const created = { createRevision: revision, modRevision: revision };
    assert.deepEqual(seen.calls, [
      {
        revision,
        events: [
          { kind: 'put', entry: { key: 'w/b', value: '1', ...created } },
          { kind: 'put', entry: { key: 'w/a', value: '1', ...created } },
        ],
      },
      {
        revision: next,
        events: [
          { kind: 'delete', key: 'w/b', modRevision: next },
          { kind: 'put', entry: { key: 'w/a', value: '2', createRevision: revision, modRevision: next } },
        ],
      },
    ]);
    assert.deepEqual(seen.resets, []);
  });

  it('starts from an earlier revision, and anew from where it ended', async ({ store, other, fixture }) => {
    const first = await write(store, put('w/a', '1'));
    for (let value = 2; value <= 5; value++) await write(store, put('w/a', String(value)));
    const before = recorder();
    const watch = other.watch('w/', first, before.watcher);
    await until(fixture, () => before.calls.length >= 4);
    await watch[Symbol.asyncDispose]();
    await write(store, put('w/a', '6'));
    await write(other, put('w/a', '7'));
    const after = recorder();
    await using _watch = other.watch('w/', before.calls.at(-1)!.revision, after.watcher);
    await until(fixture, () => after.calls.length >= 2);
    assert.deepEqual(
      [...revisionsOf(before), ...revisionsOf(after)],
      [1, 2, 3, 4, 5, 6].map((step) => first + step),
    );
  });

  it('says nothing once disposed', async ({ store, fixture }) => {
    const [ended, living] = [recorder(), recorder()];
    const watch = store.watch('', 0, ended.watcher);
    await using _living = store.watch('', 0, living.watcher);
    const written = write(store, put('a', ''));
    await watch[Symbol.asyncDispose]();
    await written;
    await until(fixture, () => living.calls.length === 1);
    assert.equal(ended.calls.length, 0);
  });

  it('serves several watches, which may be set and ended from within', async ({ store, fixture }) => {
    const outer = recorder();
    const inner = recorder();
    const handles: AsyncDisposable[] = [];
    handles.push(
      store.watch('a', 0, {
        onEvents: (events, revision) => {
          outer.watcher.onEvents(events, revision);
          if (outer.calls.length === 2) void handles[0]?.[Symbol.asyncDispose]();
          else handles.push(store.watch('b', revision, inner.watcher));
        },
        onReset: (reason) => assert.fail(reason),
      }),
    );
    await write(store, put('a', '1'));
    await until(fixture, () => outer.calls.length === 1);
    await write(store, put('b', '1'), put('a', '2'));
    await write(store, put('b', '2'), put('a', '3'));
    await until(fixture, () => inner.calls.length === 2);
    assert.equal(outer.calls.length, 2);
  });
}

function testWatchLimits(it: It): void {
  it('resets a watch from revisions no longer kept', async ({ store, other, fixture }) => {
    await write(store, put('w/a', 'old'));
    for (let round = 0; round < fixture.keptRevisionsBelow; round++)
      await write(store, put('x', String(round)));
    const seen = recorder();
    await using _watch = other.watch('w/', 0, seen.watcher);
    await until(fixture, () => seen.resets.length > 0);
    const { revision } = await other.range('w/');
    const anew = recorder();
    await using _anew = other.watch('w/', revision, anew.watcher);
    await write(store, put('w/a', 'new'));
    await until(fixture, () => anew.calls.length > 0);
    assert.deepEqual([seen.resets.length, seen.calls.length, anew.resets.length], [1, 0, 0]);
  });

  it('does not reset a watch whose prefix is quiet', async ({ store, other, fixture }) => {
    const seen = recorder();
    await using _watch = other.watch('quiet/', 0, seen.watcher);
    for (let round = 0; round < fixture.keptRevisionsBelow * 2; round++) {
      await write(store, put('loud', String(round)));
      if (round % 4 === 0) await fixture.passTime(50);
    }
    await write(store, put('quiet/a', ''));
    await until(fixture, () => seen.calls.length > 0);
    assert.deepEqual(seen.resets, []);
  });

  it('resets a watch that is ahead of the store', async ({ store, fixture }) => {
    const seen = recorder();
    await using _watch = store.watch('', 1_000_000, seen.watcher);
    await until(fixture, () => seen.resets.length > 0);
    assert.equal(seen.calls.length, 0);
  });
}

function testLeases(it: It): void {
  it('removes the keys of a lease that is not renewed, and tells it', async ({ store, other, fixture }) => {
    const lease = await store.grantLease(1_000);
    const revision = await write(
      store,
      put('l/a', '', lease.id),
      put('l/b', '', lease.id),
      put('l/free', ''),
    );
    const seen = recorder();
    await using _watch = other.watch('l/', revision, seen.watcher);
    await fixture.passTime(500);
    assert.equal((await other.range('l/')).entries.length, 3);
    await fixture.passTime(600);
    await until(fixture, () => seen.calls.length > 0);
    const gone = seen.calls.flatMap(({ events }) =>
      events.map((event) => event.kind === 'delete' && event.key),
    );
    assert.deepEqual(gone.sort(), ['l/a', 'l/b']);
    assert.deepEqual(
      (await store.range('l/')).entries.map(({ key }) => key),
      ['l/free'],
    );
  });

  it('keeps the keys of a lease that is renewed', async ({ store, other, fixture }) => {
    const lease = await store.grantLease(1_000);
    await write(store, put('a', '', lease.id));
    for (let round = 0; round < 5; round++) {
      await fixture.passTime(600);
      await lease.renew();
    }
    assert.notEqual(await other.get('a'), null);
    await fixture.passTime(1_100);
    assert.equal(await other.get('a'), null);
  });

  it('refuses to renew an expired lease or to put with it', async ({ store, fixture }) => {
    const lease = await store.grantLease(1_000);
    await fixture.passTime(1_100);
    await rejectsWith(lease.renew(), 'FENCED');
    await rejectsWith(write(store, put('first', ''), put('a', '', lease.id)), 'FENCED');
    assert.deepEqual((await store.range('')).entries, []);
    await lease.revoke();
    await lease[Symbol.asyncDispose]();
  });

  it('removes the keys of a revoked or disposed lease at once', async ({ store, other }) => {
    const revoked = await store.grantLease(60_000);
    const disposed = await store.grantLease(60_000);
    await write(store, put('a', '', revoked.id), put('b', '', disposed.id), put('c', '', revoked.id));
    const before = (await other.range('')).revision;
    await revoked.revoke();
    const { revision, entries } = await other.range('');
    assert.deepEqual(
      entries.map(({ key }) => key),
      ['b'],
    );
    assert.equal(revision, before + 1);
    await disposed[Symbol.asyncDispose]();
    assert.equal(await other.get('b'), null);
    await rejectsWith(revoked.renew(), 'FENCED');
  });
}

function testLeaseEdges(it: It): void {
  it('ends leases whose process is gone', async ({ store, other, fixture }) => {
    const lease = await store.grantLease(1_000);
    await write(store, put('a', '', lease.id));
    await store[Symbol.asyncDispose]();
    await fixture.passTime(1_100);
    assert.equal(await other.get('a'), null);
  });

  it('frees a key that is written without its lease, and moves one to another', async ({
    store,
    fixture,
  }) => {
    const [short, long] = [await store.grantLease(1_000), await store.grantLease(60_000)];
    await write(store, put('freed', '1', short.id), put('moved', '1', short.id), put('kept', '1', short.id));
    await write(store, put('freed', '2'), put('moved', '2', long.id));
    await fixture.passTime(1_100);
    assert.deepEqual(
      (await store.range('')).entries.map(({ key }) => key),
      ['freed', 'moved'],
    );
    await long.revoke();
    assert.deepEqual(
      (await store.range('')).entries.map(({ key }) => key),
      ['freed'],
    );
  });

  it('leaves alone a key that was deleted and made anew', async ({ store, fixture }) => {
    const lease = await store.grantLease(1_000);
    await write(store, put('a', '1', lease.id));
    await write(store, del('a'));
    await write(store, put('a', '2'));
    await fixture.passTime(1_100);
    assert.equal((await store.get('a'))?.value, '2');
  });
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
