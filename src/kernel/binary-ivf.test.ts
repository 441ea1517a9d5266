import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { newBitmap, setBit } from '../columns/bitmap.ts';
import { SeededRandom } from '../host/index.ts';
import { testSeed } from '../../test/support/seed.ts';
import { temporaryDirectory } from '../../test/support/temporary-directory.ts';
import { hitKeys, recallOf, searchOf, wholeSource, writeAndOpen } from '../../test/support/vectors.ts';
import { createKernel } from './native-kernel.ts';

const DIM = 128;
const ROWS = 6_000;
const QUERIES = 20;
const SHAPE = { format: 'binary', dim: DIM } as const;

console.log(`seed ${testSeed}`);

/** Rows around random centres: each bit of a centre is flipped in one row of eight. */
function clusteredBits(rowCount: number): Uint8Array {
  const random = new SeededRandom(testSeed);
  const centres = Uint8Array.from({ length: (40 * DIM) / 8 }, () => random.below(256));
  const out = new Uint8Array((rowCount * DIM) / 8);
  for (let row = 0; row < rowCount; row++) {
    const centre = random.below(40);
    for (let byte = 0; byte < DIM / 8; byte++) {
      let flips = 0;
      for (let bit = 0; bit < 8; bit++) if (random.below(8) === 0) flips |= 1 << bit;
      out[(row * DIM) / 8 + byte] = centres[(centre * DIM) / 8 + byte]! ^ flips;
    }
  }
  return out;
}

test('BIN_IVF_FLAT finds nearly all in few lists and all in all of them', async () => {
  await using directory = await temporaryDirectory();
  await using kernel = createKernel({ threads: 2, queueMax: 100 });
  const all = clusteredBits(ROWS + QUERIES);
  const queries = all.subarray((ROWS * DIM) / 8);
  using vectors = await writeAndOpen(
    kernel,
    directory.path,
    all.subarray(0, (ROWS * DIM) / 8),
    DIM,
    'v',
    'binary',
  );
  const some = newBitmap(ROWS, 0);
  for (let row = 0; row < ROWS; row += 3) setBit(some, row);
  for (const metric of ['HAMMING', 'JACCARD'] as const) {
    const path = directory.file(metric);
    const fractions: number[] = [];
    const build = {
      type: 'BIN_IVF_FLAT',
      metric,
      vectors,
      params: { nlist: 64 },
      seed: 5,
      threads: 2,
    } as const;
    await kernel.buildIndex({ ...build, path, onProgress: (fraction) => fractions.push(fraction) });
    assert.ok(
      fractions.at(-1) === 1 && fractions.every((value, at) => at === 0 || value >= fractions[at - 1]!),
    );
    using index = await kernel.openIndex(path, vectors);
    assert.deepEqual([index.type, index.metric, index.format], ['BIN_IVF_FLAT', metric, 'binary']);
    for (const allowed of [null, some]) {
      const search = searchOf({ sources: [wholeSource(index, allowed)], queries, ...SHAPE, metric });
      const truth = await kernel.search({ ...search, sources: [wholeSource(vectors, allowed)] });
      const few = recallOf(await kernel.search({ ...search, params: { nprobe: 6 } }), truth);
      assert.ok(few > 0.85, `${metric} recall ${few}`);
      const found = await kernel.search({ ...search, params: { nprobe: 64 } });
      assert.deepEqual(found.scores, truth.scores);
      // The third best score bounds a range from above and below.
      const scoreUpTo = truth.scores[2]!;
      const ranged = await kernel.search({ ...search, scoreUpTo, params: { nprobe: 64 } });
      for (const score of ranged.scores.subarray(0, ranged.counts[0])) assert.ok(score <= scoreUpTo);
      const rest = { ...search, scoreUpTo };
      const page = await kernel.search({ ...rest, params: { nprobe: 1 } });
      const all = await kernel.search({ ...rest, sources: [wholeSource(vectors, allowed)] });
      assert.deepEqual(page.scores, all.scores, 'lists passed over hold rows of a page');
    }
    const again = directory.file('again');
    await kernel.buildIndex({ ...build, path: again, threads: 1 });
    assert.ok(
      (await readFile(path)).equals(await readFile(again)),
      'a build is the same on any number of threads',
    );
  }
});

test('a filter that leaves the nearest lists empty is answered from the others', async () => {
  await using directory = await temporaryDirectory();
  await using kernel = createKernel({ threads: 1, queueMax: 100 });
  const rows = clusteredBits(ROWS);
  using vectors = await writeAndOpen(kernel, directory.path, rows, DIM, 'v', 'binary');
  const path = directory.file('index');
  const build = { type: 'BIN_IVF_FLAT', metric: 'HAMMING', vectors, path, params: { nlist: 64 } } as const;
  await kernel.buildIndex({ ...build, seed: 1, threads: 1 });
  using index = await kernel.openIndex(path, vectors);
  const queries = rows.subarray(0, DIM / 8);
  const search = searchOf({ sources: [wholeSource(vectors)], queries, ...SHAPE, metric: 'HAMMING', k: ROWS });
  const order = (await kernel.search(search)).rows;
  const far = newBitmap(ROWS, 0);
  for (const row of order.subarray(ROWS / 2)) setBit(far, row);
  const params = { nprobe: 1 };
  const found = await kernel.search({ ...search, k: 10, params, sources: [wholeSource(index, far)] });
  assert.equal(hitKeys(found, 0).length, 10);
});
