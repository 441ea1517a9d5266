import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newBitmap, setBit } from '../columns/bitmap.ts';
import { DENSE_METRICS } from '../schema/index.ts';
import { checkRecall, checkScores } from '../../test/support/index-checks.ts';
import { IndexStage, type IndexStageOptions } from '../../test/support/index-stage.ts';
import { testSeed } from '../../test/support/seed.ts';

const ROWS = 3_000;
const GRAPH = { M: 16, efConstruction: 100 };

interface Case extends Pick<IndexStageOptions, 'type' | 'params' | 'format'> {
  readonly search?: Readonly<Record<string, number>>;
  readonly recall: number;
}

const REFINED = { search: { refine_k: 4 }, recall: 0.95 };
const CASES: readonly Case[] = [
  { type: 'HNSW_SQ', params: {}, recall: 0.95 },
  { type: 'HNSW_SQ', params: { sq_type: 'SQ4U', refine: true }, ...REFINED },
  { type: 'HNSW_PQ', params: { m: 9 }, recall: 0.95 },
  { type: 'HNSW_PQ', params: { m: 9, refine: true }, ...REFINED },
  { type: 'HNSW_PRQ', params: { m: 9, nrq: 2 }, recall: 0.95 },
  { type: 'HNSW_PRQ', params: { m: 9, nrq: 2, refine: true }, ...REFINED },
  { type: 'HNSW', params: {}, format: 'float16', recall: 0.97 },
  { type: 'HNSW', params: {}, format: 'bfloat16', recall: 0.97 },
  { type: 'HNSW', params: {}, format: 'int8', recall: 0.97 },
];

console.log(`seed ${testSeed}`);

for (const { type, params, search, recall, format = 'float32' } of CASES) {
  test(`${type} ${JSON.stringify(params)} over ${format}: recall with and without a filter, and exact scores`, async () => {
    await using stage = new IndexStage({
      type,
      params: { ...GRAPH, ...params },
      format,
      // No multiple of any register's width.
      dim: 45,
      rowCount: ROWS,
      queryCount: 20,
    });
    await stage.open();
    const allowed = newBitmap(ROWS, 0);
    for (let row = 0; row < ROWS; row += 5) setBit(allowed, row);
    for (const metric of DENSE_METRICS) {
      const index = stage.index(metric);
      assert.deepEqual([index.type, index.metric, index.rowCount], [type, metric, ROWS]);
      assert.deepEqual([index.format, index.dim], [format, 45]);
      for (const filter of [null, allowed]) {
        const { found, truth } = await stage.both({ metric, params: { ef: 200, ...search } }, filter);
        checkRecall(found, truth, recall, metric);
        checkScores(found, truth);
      }
    }
  });
}
