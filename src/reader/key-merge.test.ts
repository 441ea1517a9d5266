import assert from 'node:assert/strict';
import { test } from 'node:test';
import { firstByKey } from './key-merge.ts';
import { setRows } from './bitmaps.ts';
import { keyAt, newBitmap, setBit, type KeyValue } from '../columns/index.ts';
import { SeededRandom } from '../host/index.ts';
import { createSimulatedHost } from '../host/simulated/index.ts';
import { MemoryKernel } from '../kernel/memory/memory-kernel.ts';
import { freshSources } from '../../test/support/fresh-sources.ts';
import { vectorSchema } from '../../test/support/schemas.ts';
import { testSeed } from '../../test/support/seed.ts';

const kernel = new MemoryKernel({ files: createSimulatedHost().files });

test('keys come ascending, each once with its newest row, up to the limit', (context) => {
  context.diagnostic(`seed ${testSeed}`);
  const random = new SeededRandom(testSeed);
  for (let round = 0; round < 60; round++) {
    const keyType = random.below(2) === 0 ? 'Int64' : 'VarChar';
    const keyOf = (): KeyValue =>
      keyType === 'Int64' ? BigInt(random.below(40) - 20) : `é${random.below(40)}`;
    const lists = Array.from({ length: random.below(4) }, () =>
      Array.from({ length: 1 + random.below(50) }, () => ({ key: keyOf(), vector: [0, 0] })),
    );
    const sources = freshSources(kernel, vectorSchema({ dim: 2, keyType }), lists);
    const selections = sources.map((source) => {
      const bitmap = newBitmap(source.rowCount, 0);
      for (let row = 0; row < source.rowCount; row++) if (random.below(3) > 0) setBit(bitmap, row);
      return { kind: 'bitmap', bitmap } as const;
    });
    const newest = new Map<KeyValue, bigint>();
    sources.forEach((source, index) => {
      for (const row of setRows(selections[index]!.bitmap, source.rowCount)) {
        const key = keyAt(source.keys, row);
        const timestamp = source.timestamps[row]!;
        if (timestamp > (newest.get(key) ?? -1n)) newest.set(key, timestamp);
      }
    });
    const limit = random.below(3) === 0 ? null : 1 + random.below(30);
    const refs = firstByKey(sources, selections, limit);
    const found = [...refs.rows].map((row, index) => {
      const source = sources[refs.sources[index]!]!;
      return [keyAt(source.keys, row), source.timestamps[row]!] as const;
    });
    const sorted = [...newest].toSorted(([a], [b]) => (a < b ? -1 : 1));
    assert.deepEqual(found, sorted.slice(0, limit ?? sorted.length), `round ${round}`);
  }
});
