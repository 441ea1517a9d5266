import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IdAllocator } from './id-allocator.ts';
import { NEXT_ID_KEY } from './keys.ts';
import { createSimulatedHost } from '../host/simulated/index.ts';
import { FaultableMetastore } from '../metastore/faultable-metastore.ts';
import { MemoryMetastore } from '../metastore/memory/memory-metastore.ts';

test('ids are unique over allocators and ascend within one, over the ends of blocks', async () => {
  await using metastore = new MemoryMetastore({ host: createSimulatedHost() });
  const allocators = [3, 5, 7].map((block) => new IdAllocator(metastore, block));
  const taken = await Promise.all(
    allocators.map(async (allocator) => {
      const ids: string[] = [];
      for (let round = 0; round < 10; round++) ids.push(...(await allocator.take(round)));
      return ids;
    }),
  );
  for (const ids of taken) {
    assert.deepEqual(
      ids,
      ids.toSorted((a, b) => Number(a) - Number(b)),
    );
  }
  const all = taken.flat();
  assert.equal(all.length, 135);
  assert.equal(new Set(all).size, all.length);
});

test('concurrent takers share one reservation', async () => {
  await using metastore = new MemoryMetastore({ host: createSimulatedHost() });
  const allocator = new IdAllocator(metastore, 100);
  const ids = await Promise.all(Array.from({ length: 50 }, () => allocator.takeOne()));
  assert.equal(new Set(ids).size, 50);
  assert.equal((await metastore.get(NEXT_ID_KEY))!.value, '101');
});

test('more ids than a block has come from one larger block', async () => {
  await using metastore = new MemoryMetastore({ host: createSimulatedHost() });
  const ids = await new IdAllocator(metastore, 10).take(25);
  assert.deepEqual(
    ids,
    Array.from({ length: 25 }, (_, index) => String(index + 1)),
  );
});

test('a reservation whose answer was lost is not used; the next one is', async () => {
  const metastore = new FaultableMetastore(new MemoryMetastore({ host: createSimulatedHost() }));
  await using _metastore = metastore;
  const allocator = new IdAllocator(metastore, 10);
  metastore.loseReplies();
  await assert.rejects(allocator.takeOne(), { code: 'METASTORE_UNAVAILABLE' });
  assert.equal(await allocator.takeOne(), '11');
});

test('an allocator that starts anew gives higher ids than any before', async () => {
  await using metastore = new MemoryMetastore({ host: createSimulatedHost() });
  const [first, second] = [new IdAllocator(metastore, 10), new IdAllocator(metastore, 10)];
  assert.deepEqual([await first.takeOne(), await second.takeOne()], ['1', '11']);
  first.startAnew();
  assert.equal(await first.takeOne(), '21');
});

test('a damaged counter is refused', async () => {
  await using metastore = new MemoryMetastore({ host: createSimulatedHost() });
  await metastore.transact({ compares: [], then: [{ kind: 'put', key: NEXT_ID_KEY, value: '-1' }] });
  await assert.rejects(new IdAllocator(metastore).takeOne(), { code: 'CORRUPT_DATA' });
});
