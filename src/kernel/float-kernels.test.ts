import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRandom } from '../host/index.ts';
import { DENSE_METRICS } from '../schema/index.ts';
import { testSeed } from '../../test/support/seed.ts';
import { exactScore, randomVectors, searchOf, wholeSource } from '../../test/support/vectors.ts';
import { nativeBinding } from './native-binding.ts';
import { createKernel } from './native-kernel.ts';

const DIMS = [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 23, 31, 32, 33, 47, 48, 49, 63, 64, 65, 100, 127, 129, 257];
const ROWS = 9;

for (const instructionSet of nativeBinding().instructionSets()) {
  test(`${instructionSet} scores like doubles at every dimension and alignment`, async () => {
    console.log(`seed ${testSeed}`);
    const random = new SeededRandom(testSeed);
    await using kernel = createKernel({ threads: 1, queueMax: 4, instructionSet });
    assert.equal(kernel.info.instructionSet, instructionSet);
    for (const dim of DIMS) {
      const vectors = randomVectors(random, ROWS, dim);
      // Four bytes off every wider alignment; the rows of odd dimensions are anyway.
      const query = randomVectors(random, 1, dim + 1).subarray(1);
      using block = kernel.createBlock({ format: 'float32', dim, capacity: ROWS });
      block.append(vectors);
      for (const metric of DENSE_METRICS) {
        const hits = await kernel.search(
          searchOf({ sources: [wholeSource(block)], queries: query, dim, metric }),
        );
        assert.equal(hits.counts[0], ROWS);
        for (let j = 0; j < ROWS; j++) {
          const row = vectors.subarray(hits.rows[j]! * dim, (hits.rows[j]! + 1) * dim);
          const truth = exactScore(metric, query, row);
          const size = metric === 'COSINE' ? 1 : Math.abs(exactScore('L2', query, row)) + dim;
          const error = Math.abs(hits.scores[j]! - truth);
          assert.ok(error <= 2e-6 * size, `${metric} dim ${dim}: ${hits.scores[j]} is not ${truth}`);
        }
      }
    }
  });

  test(`${instructionSet} drops scores that are not numbers and keeps infinite ones`, async () => {
    await using kernel = createKernel({ threads: 1, queueMax: 4, instructionSet });
    for (const dim of [3, 40]) {
      using block = kernel.createBlock({ format: 'float32', dim, capacity: 4 });
      for (const special of [NaN, Infinity, -Infinity, 0]) {
        const row = new Float32Array(dim).fill(0.5);
        row[dim - 1] = special;
        block.append(row);
      }
      const queries = new Float32Array(dim).fill(1);
      const found = async (metric: 'L2' | 'IP') => {
        const hits = await kernel.search(searchOf({ sources: [wholeSource(block)], queries, dim, metric }));
        return Array.from(
          { length: hits.counts[0]! },
          (_, j) => [hits.rows[j], hits.scores[j]] as [number, number],
        );
      };
      assert.deepEqual(await found('IP'), [
        [1, Infinity],
        [3, (dim - 1) / 2],
        [2, -Infinity],
      ]);
      assert.deepEqual(await found('L2'), [
        [3, -((dim - 1) / 4 + 1)],
        [1, -Infinity],
        [2, -Infinity],
      ]);
    }
  });
}

test('a zero vector has cosine 0 with everything', async () => {
  await using kernel = createKernel({ threads: 1, queueMax: 4 });
  using block = kernel.createBlock({ format: 'float32', dim: 3, capacity: 3 });
  block.append(Float32Array.of(0, 0, 0, 1, 0, 0, -1, 0, 0));
  const search = (query: Float32Array) =>
    kernel.search(searchOf({ sources: [wholeSource(block)], queries: query, dim: 3, metric: 'COSINE' }));
  const hits = await search(Float32Array.of(2, 0, 0));
  assert.deepEqual([...hits.rows.subarray(0, 3)], [1, 0, 2]);
  assert.deepEqual([...hits.scores.subarray(0, 3)], [1, 0, -1]);
  assert.deepEqual([...(await search(new Float32Array(3))).scores.subarray(0, 3)], [0, 0, 0]);
});

test('both forms of CRC-32C agree with RFC 3720 and with each other', () => {
  const { checksum } = nativeBinding();
  const digits = new TextEncoder().encode('123456789');
  assert.equal(checksum(digits, false), 0xe3069283);
  assert.equal(checksum(digits, true), 0xe3069283);
  const random = new SeededRandom(testSeed);
  const bytes = Uint8Array.from({ length: 1000 }, () => random.below(256));
  for (let end = 0; end < 80; end++) {
    const part = bytes.subarray(end % 9, 900 + end);
    assert.equal(checksum(part, false), checksum(part, true));
  }
});
