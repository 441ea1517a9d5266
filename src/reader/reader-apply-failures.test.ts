import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ReaderOptions } from './reader-options.ts';
import { isErrorWithCode } from '../errors/index.ts';
import { SeededRandom } from '../host/index.ts';
import type { Guarantee, ReaderApi } from '../protocol/reader-api.ts';
import { BrittleKernel } from '../../test/support/brittle-kernel.ts';
import { CALL, expectedRows, keysOf, planOf, queryOf, strong } from '../../test/support/reader-asks.ts';
import { PARTITIONS, ReaderWorld, type RowToWrite } from '../../test/support/reader-world.ts';
import { testSeed } from '../../test/support/seed.ts';

const none: Guarantee = { kind: 'none' };
const [, OTHER] = PARTITIONS;
const rowsOf = (...keys: readonly number[]): RowToWrite[] =>
  keys.map((key) => ({ key: BigInt(key), vector: [key, 0, 0], price: null, tag: '' }));

interface Stage {
  readonly world: ReaderWorld;
  readonly kernel: BrittleKernel;
  readonly api: ReaderApi;
  readonly gauges: ReadonlyMap<string, () => number>;
}

async function stageOf(stack: AsyncDisposableStack, options: Partial<ReaderOptions> = {}): Promise<Stage> {
  const world = stack.use(await ReaderWorld.create());
  const kernel = new BrittleKernel({ files: world.host.files });
  const gauges = new Map<string, () => number>();
  const metrics = { gauge: (name: string, _: string, read: () => number) => void gauges.set(name, read) };
  const { api } = await world.startReader('reader-1', { kernel, options, metrics });
  return { world, kernel, api, gauges };
}

async function keysSeen({ world, api }: Pick<Stage, 'world' | 'api'>, guarantee: Guarantee) {
  const plan = planOf(world.catalog.snapshot(), guarantee);
  return keysOf(await world.run(api.query(queryOf(plan), CALL)));
}

const expectedKeys = (world: ReaderWorld) => expectedRows(world.model.alive()).map(({ key }) => key);

// R10 of docs/internals/read-path.md.
test('a channel whose entry was applied in part answers with the cause, and goes on once that is gone', async () => {
  await using stack = new AsyncDisposableStack();
  const stage = await stageOf(stack);
  const { world, kernel } = stage;
  await world.insert(rowsOf(1, 2, 3));
  assert.deepEqual(await keysSeen(stage, strong(world)), [1n, 2n, 3n]);
  kernel.isFull = true;
  // Its delete is applied when its row finds no room.
  await world.upsert(rowsOf(2), OTHER);
  await world.settle();
  const failure = { code: 'INTERNAL', message: /entry 2 of channel 1-0 cannot be applied here.*no memory/ };
  for (const guarantee of [none, strong(world), { kind: 'log-end' } as const]) {
    await assert.rejects(keysSeen(stage, guarantee), failure, guarantee.kind);
  }
  assert.equal(stage.gauges.get('reader_channels_failed')!(), 1);
  await world.delete([3n]);
  await world.settle(60_000);
  assert.ok(kernel.refusedCount < 20, `${kernel.refusedCount} tries in a minute`);
  await assert.rejects(keysSeen(stage, strong(world)), failure);
  kernel.isFull = false;
  await world.settle(30_000);
  assert.deepEqual(await keysSeen(stage, none), [1n, 2n]);
  assert.equal(stage.gauges.get('reader_channels_failed')!(), 0);
  await world.insert(rowsOf(9));
  assert.deepEqual(await keysSeen(stage, strong(world)), [1n, 2n, 9n]);
});

test('rows are made anew from the checkpoint, which may move before they are', async () => {
  for (const isBeyond of [false, true]) {
    await using stack = new AsyncDisposableStack();
    const stage = await stageOf(stack);
    const { world, kernel } = stage;
    const [channel] = world.channels;
    await world.insert(rowsOf(1, 2, 3, 4));
    await world.delete([4n]);
    await world.settle();
    kernel.isFull = true;
    await world.upsert(rowsOf(2), OTHER);
    await world.settle();
    await assert.rejects(keysSeen(stage, none), { code: 'INTERNAL' });
    // Segments are opened while the rows are broken, and know what the channel has applied.
    await world.flush(channel!, isBeyond ? 3 : 1);
    await world.log.truncate(channel!, isBeyond ? 4 : 2);
    await world.settle(1_000);
    kernel.isFull = isBeyond;
    await world.settle(30_000);
    assert.deepEqual(await keysSeen(stage, strong(world)), [1n, 2n, 3n], `beyond: ${isBeyond}`);
    kernel.isFull = false;
    await world.delete([1n]);
    assert.deepEqual(await keysSeen(stage, strong(world)), [2n, 3n]);
  }
});

test('rows that were made anew go when a checkpoint that moved meanwhile has had its grace', async () => {
  await using stack = new AsyncDisposableStack();
  const stage = await stageOf(stack, { freshGraceMs: 100, sweepIntervalMs: 10 });
  const { world, kernel, gauges } = stage;
  await world.insert(rowsOf(1, 2));
  await world.insert(rowsOf(3));
  await world.settle();
  kernel.isFull = true;
  await world.insert(rowsOf(4), OTHER);
  await world.settle();
  await world.flush(world.channels[0]!, 1);
  await world.settle(1_000);
  kernel.isFull = false;
  await world.settle(30_000);
  assert.equal(gauges.get('reader_fresh_rows')!(), 2);
  assert.deepEqual(await keysSeen(stage, strong(world)), [1n, 2n, 3n, 4n]);
});

test('a damaged entry is tried again with growing rests, and those before it count', async () => {
  await using world = await ReaderWorld.create();
  const { api } = await world.startReader();
  await world.insert(rowsOf(1));
  await world.settle();
  await world.appendRaw(world.channels[0]!, { type: 1, payload: new Uint8Array(5) });
  await world.settle();
  const { readCount } = world.log;
  await world.settle(60_000);
  assert.ok(world.log.readCount - readCount < 20, `${world.log.readCount - readCount} reads in a minute`);
  await assert.rejects(keysSeen({ world, api }, strong(world)), { code: 'CORRUPT_DATA' });
  assert.deepEqual(await keysSeen({ world, api }, none), [1n], 'what came before it counts');
});

test('whenever entries fail, an answer is right or an error', async (context) => {
  context.diagnostic(`seed ${testSeed}`);
  let [right, refused] = [0, 0];
  for (let round = 0; round < 4; round++) {
    const random = new SeededRandom(testSeed + round);
    await using stack = new AsyncDisposableStack();
    const retries = { applyRetryMs: 10, applyRetryMaxMs: 50 };
    const graces = random.below(2) === 0 ? {} : { freshGraceMs: 30, sweepIntervalMs: 10 };
    const stage = await stageOf(stack, { ...retries, ...graces });
    const { world, kernel } = stage;
    for (let step = 0; step < 60; step++) {
      const rows = rowsOf(random.below(20), 20 + random.below(20));
      const partition = PARTITIONS[random.below(2)]!;
      kernel.isFull = random.below(4) === 0;
      if (random.below(3) === 0) await world.insert(rows, partition);
      else if (random.below(4) > 0) await world.upsert(rows, partition);
      else await world.delete(rows.map(({ key }) => key));
      if (random.below(6) === 0) await world.flush(world.channels[0]!);
      if (random.below(12) === 0) await world.compact(world.channels[0]!);
      if (random.below(2) === 0) await world.settle(10 * random.below(5));
      try {
        assert.deepEqual(await keysSeen(stage, strong(world)), expectedKeys(world));
        right++;
      } catch (error) {
        if (!isErrorWithCode(error, 'INTERNAL', 'STALE_PLAN')) throw error;
        refused++;
      }
    }
    kernel.isFull = false;
    await world.settle(1_000);
    assert.deepEqual(await keysSeen(stage, strong(world)), expectedKeys(world), `round ${round}`);
  }
  assert.ok(right > 20 && refused > 5, `${right} right, ${refused} refused`);
});
