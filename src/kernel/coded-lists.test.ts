import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { SeededRandom } from '../host/index.ts';
import { DENSE_METRICS } from '../schema/index.ts';
import {
  checkInstructionSets,
  checkKept,
  checkOddRows,
  checkPages,
  checkRange,
  checkRecall,
  checkScores,
} from '../../test/support/index-checks.ts';
import { IndexStage } from '../../test/support/index-stage.ts';
import { testSeed } from '../../test/support/seed.ts';
import { clusteredVectors, recallOf } from '../../test/support/vectors.ts';
import type { IndexType } from './index-types.ts';

const DIM = 50;
const ROWS = 6_000;
const LISTS = 60;
const NPROBE = 30;
const SHAPE = { dim: DIM, rowCount: ROWS, queryCount: 30 };

interface Case {
  readonly name: string;
  readonly type: IndexType;
  readonly params: Readonly<Record<string, number | boolean>>;
  /** Search parameters that let the exact scores correct the codes. */
  readonly refined: Readonly<Record<string, number>>;
  /** Recall at 10 with half of the lists: without and with those. */
  readonly recall: number;
  readonly refinedRecall: number;
  /** Of the index, at most; ids and centres included. */
  readonly rowBytes: number;
}

const CASES: readonly Case[] = [
  {
    name: 'IVF_SQ8',
    type: 'IVF_SQ8',
    params: {},
    refined: {},
    recall: 0.97,
    refinedRecall: 0.97,
    rowBytes: 72,
  },
  {
    name: 'IVF_PQ',
    type: 'IVF_PQ',
    params: { m: 25 },
    refined: {},
    recall: 0.9,
    refinedRecall: 0.9,
    rowBytes: 45,
  },
  {
    name: 'IVF_PQ of 4 bits',
    type: 'IVF_PQ',
    params: { m: 25, nbits: 4 },
    refined: {},
    recall: 0.75,
    refinedRecall: 0.75,
    rowBytes: 35,
  },
  {
    name: 'IVF_RABITQ',
    type: 'IVF_RABITQ',
    params: { refine: true },
    refined: { refine_k: 15 },
    recall: 0.6,
    refinedRecall: 0.95,
    rowBytes: 32,
  },
  {
    name: 'SCANN',
    type: 'SCANN',
    params: {},
    refined: { reorder_k: 100 },
    recall: 0.75,
    refinedRecall: 0.97,
    rowBytes: 35,
  },
];

console.log(`seed ${testSeed}`);

for (const one of CASES) {
  describe(one.name, () => {
    const { type, params, refined, refinedRecall } = one;
    const searchParams = { nprobe: NPROBE, ...refined };
    const stage = new IndexStage({ ...SHAPE, type, params: { nlist: LISTS, ...params }, searchParams });
    before(() => stage.open());
    after(() => stage[Symbol.asyncDispose]());

    for (const metric of DENSE_METRICS) {
      test(`${metric}: recall, and scores that are the exact ones`, async () => {
        const plain = await stage.both({ metric, params: { nprobe: NPROBE } });
        const recall = checkRecall(plain.found, plain.truth, one.recall);
        const { found, truth } = await stage.both({ metric });
        checkRecall(found, truth, Math.max(refinedRecall, recall), 'refined');
        checkScores(found, truth);
      });
    }

    for (const share of [0.9, 0.3, 0.02, 0.001]) {
      test(`a filter that keeps ${share * 100} % keeps recall, and returns nothing else`, async () => {
        const allowed = stage.randomFilter(share);
        for (const metric of DENSE_METRICS) {
          const { found, truth } = await stage.both({ metric }, allowed);
          checkRecall(found, truth, refinedRecall - 0.03, metric);
          checkKept(found, truth, allowed);
        }
      });
    }

    test('bounds keep their range of scores', async () => {
      for (const metric of DENSE_METRICS) await checkRange(stage, metric, refinedRecall - 0.15);
    });

    for (const metric of DENSE_METRICS) {
      test(`${metric}: pages that go on from the last score reach every row`, () =>
        checkPages(stage, metric, { nprobe: 4 }));
    }

    test('a row takes few bytes, and the file is the same with any number of threads', async () => {
      const bytesOf = async (threads: number): Promise<Buffer> => {
        const build = stage.build({ threads, seed: 11 });
        await stage.kernel.buildIndex(build);
        return readFile(build.path);
      };
      const first = await bytesOf(1);
      assert.ok(first.equals(await bytesOf(2)));
      const centres = LISTS * DIM * 4 + (type === 'IVF_PQ' ? 256 : 16) * DIM * 4;
      const rowBytes = (first.length - centres) / ROWS;
      assert.ok(rowBytes <= one.rowBytes, `${rowBytes} bytes a row`);
    });

    test('every instruction set finds the same rows', async () => {
      // A table or a query may be rounded to the other side, which more than the last bits of a sum follow from.
      await checkInstructionSets(stage, { nprobe: 10, ...refined }, 4);
    });

    test('rows that are equal, zero or not finite can be indexed', async () => {
      await checkOddRows(stage, { ...params, nlist: 10 }, { nprobe: 3 });
    });

    for (const rowCount of [0, 1, 33]) {
      test(`an index over ${rowCount} rows`, async () => {
        using few = await stage.indexOver(clusteredVectors(new SeededRandom(2), rowCount, DIM));
        const { found, truth } = await stage.both({ k: 5, params: {} }, null, few);
        checkRecall(found, truth, 0.9);
      });
    }
  });
}

test('IVF_RABITQ: fewer bits of the query lose recall, all of them none', async () => {
  await using stage = new IndexStage({ ...SHAPE, type: 'IVF_RABITQ', params: { nlist: 16 } });
  await stage.open();
  const recall = async (rbq_query_bits: number): Promise<number> => {
    const { found, truth } = await stage.both({ params: { nprobe: 8, rbq_query_bits } });
    return recallOf(found, truth);
  };
  const [whole, eight, one] = [await recall(0), await recall(8), await recall(1)];
  assert.ok(Math.abs(whole - eight) < 0.05, `${whole} with all bits, ${eight} with 8`);
  assert.ok(one < whole, `${one} with 1 bit, ${whole} with all`);
});
