import assert from 'node:assert/strict';
import { del, put, recorder, rejectsWith, until, write, type It } from '../support/metastore-stage.ts';

export function testLeases(it: It): void {
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

export function testLeaseEdges(it: It): void {
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
