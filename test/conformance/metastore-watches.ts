import assert from 'node:assert/strict';
import { del, put, recorder, until, write, type It, type Record } from '../support/metastore-stage.ts';

const revisionsOf = ({ calls }: Record): number[] => calls.map(({ revision }) => revision);

export function testWatches(it: It): void {
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

export function testWatchLimits(it: It): void {
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
