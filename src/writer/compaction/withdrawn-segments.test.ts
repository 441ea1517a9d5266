import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MishardsError } from '../../errors/index.ts';
import type { ObjectStore } from '../../object-store/object-store.ts';
import { CompactionStage, GRACE_MS } from '../../../test/support/compaction-stage.ts';
import { InterceptedObjectStore } from '../../../test/support/intercepted-object-store.ts';

/** Segments whose indexes cannot be stored, from when it is told. */
class Unindexable {
  code: 'STORAGE_UNAVAILABLE' | 'CORRUPT_DATA' | null = null;
  attempts = 0;

  readonly decorate = (store: ObjectStore): ObjectStore =>
    new InterceptedObjectStore(store, {
      before: async (key) => {
        if (this.code === null || !key.endsWith('.idx')) return;
        this.attempts++;
        throw new MishardsError(this.code, 'no index for this one');
      },
    });

  /** Two indexed segments, and a third with which they are merged. */
  async merged(stage: CompactionStage, code: 'STORAGE_UNAVAILABLE' | 'CORRUPT_DATA'): Promise<void> {
    await stage.open();
    await stage.load();
    for (let count = 0; count < 2; count++) await stage.flushed(20);
    await stage.cluster.until(() => stage.segments.every(({ indexes }) => indexes.length === 1));
    this.code = code;
    await stage.flushed(5);
    await stage.cluster.until(() => stage.incoming.length === 1);
  }
}

test('W12: a merged segment that cannot be indexed is given up, and what it was made of rests', async () => {
  for (const code of ['STORAGE_UNAVAILABLE', 'CORRUPT_DATA'] as const) {
    const index = new Unindexable();
    const limits = { compactionBuildFailuresMax: 4, compactionRestMs: 600_000 };
    await using stage = new CompactionStage(limits, index.decorate);
    await index.merged(stage, code);
    const sources = stage.segments.map(({ id }) => id);
    const wish = await stage.compact();
    await stage.cluster.until(() => stage.incoming.length === 0);
    // A damaged copy is fetched anew once. One more may begin before the next look at what is hopeless.
    const attempts = code === 'CORRUPT_DATA' ? 2 : 4;
    assert.ok([attempts, attempts + 1].includes(index.attempts), `${index.attempts} attempts`);
    const idsOf = (): readonly string[] => stage.segments.map(({ id }) => id);
    assert.deepEqual(idsOf(), sources);
    assert.equal(stage.process.writer.figures!.compactionsWithdrawn, 1);
    await stage.cluster.host.timers.advance(1_000);
    const { executingCount, failedCount } = await stage.state(wish);
    assert.deepEqual({ executingCount, failedCount }, { executingCount: 0, failedCount: 1 });
    assert.equal(await stage.rowCount(), 45);
    await stage.cluster.host.timers.advance(GRACE_MS + 1_000);
    await stage.assertTidy();
    for (let count = 0; count < 2; count++) await stage.flushed(3);
    await stage.cluster.host.timers.advance(300_000);
    assert.equal(stage.segments.length, 5, 'the same is not tried again at once');
    await stage.flushed(3);
    await stage.replaced(4);
    assert.deepEqual(idsOf().slice(0, 3), sources, 'others are merged meanwhile');
    index.code = null;
    await stage.cluster.host.timers.advance(300_000);
    await stage.replaced(1);
    assert.equal(await stage.rowCount(), 54);
  }
});

test('who asks for compaction need not wait for the end of a rest', async () => {
  const index = new Unindexable();
  await using stage = new CompactionStage({ compactionRestMs: 600_000 }, index.decorate);
  await index.merged(stage, 'CORRUPT_DATA');
  await stage.cluster.until(() => stage.incoming.length === 0);
  index.code = null;
  await stage.cluster.host.timers.advance(30_000);
  assert.equal(stage.segments.length, 3);
  await stage.compact();
  await stage.replaced(1);
  assert.equal(await stage.rowCount(), 45);
});

test('a writer that is killed before or after it gives a segment up leaves nothing of it', async () => {
  for (const isBefore of [true, false]) {
    const index = new Unindexable();
    await using stage = new CompactionStage({ compactionBuildFailuresMax: 4 }, index.decorate);
    await index.merged(stage, 'STORAGE_UNAVAILABLE');
    await stage.cluster.until(() => (isBefore ? index.attempts === 3 : stage.incoming.length === 0));
    await stage.killed();
    index.attempts = 0;
    assert.equal(stage.incoming.length, isBefore ? 1 : 0);
    await stage.cluster.until(() => stage.process.writer.figures!.compactionsWithdrawn === 1);
    assert.ok(index.attempts >= 4, 'the next writer counts anew');
    assert.equal(await stage.rowCount(), 45);
    await stage.cluster.host.timers.advance(3 * GRACE_MS + 10_000);
    await stage.assertTidy();
  }
});
