import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { MilvusClient } from '@zilliz/milvus2-sdk-node';
import { succeeded } from '../support/milvus.ts';
import { createPoints, nearest, randomPoints, searchIds } from '../support/points.ts';
import { TestCluster } from '../support/test-cluster.ts';

const ROWS = 3_000;
const LISTS = 32;

interface Case {
  readonly type: string;
  readonly params: Readonly<Record<string, number | string | boolean>>;
  /** Too little to find everything, and enough to. */
  readonly narrow: Readonly<Record<string, number>>;
  readonly wide: Readonly<Record<string, number>>;
  /** Share of the nearest rows that the wide search must find. */
  readonly recall: number;
}

const CASES: readonly Case[] = [
  {
    type: 'IVF_FLAT',
    params: { nlist: LISTS },
    narrow: { nprobe: 1 },
    wide: { nprobe: LISTS },
    recall: 1,
  },
  {
    type: 'IVF_SQ8',
    params: { nlist: LISTS },
    narrow: { nprobe: 1 },
    wide: { nprobe: LISTS },
    recall: 0.95,
  },
  {
    type: 'IVF_PQ',
    params: { nlist: LISTS, m: 4, nbits: 8 },
    narrow: { nprobe: 1 },
    wide: { nprobe: LISTS },
    recall: 0.8,
  },
  {
    type: 'IVF_RABITQ',
    params: { nlist: LISTS, refine: true, refine_type: 'SQ8' },
    narrow: { nprobe: 1 },
    wide: { nprobe: LISTS, refine_k: 20 },
    recall: 0.9,
  },
  {
    type: 'SCANN',
    params: { nlist: LISTS, with_raw_data: true },
    narrow: { nprobe: 1 },
    wide: { nprobe: LISTS, reorder_k: 200 },
    recall: 0.95,
  },
  {
    type: 'HNSW_SQ',
    params: { M: 4, efConstruction: 20, sq_type: 'SQ6', refine: true, refine_type: 'FP16' },
    narrow: { ef: 10 },
    wide: { ef: 200, refine_k: 4 },
    recall: 0.95,
  },
  {
    type: 'HNSW_PQ',
    params: { M: 4, efConstruction: 20, m: 4, nbits: 8 },
    narrow: { ef: 10 },
    wide: { ef: 200 },
    recall: 0.95,
  },
  {
    type: 'DISKANN',
    params: { max_degree: 6, search_list_size: 10, pq_code_budget_gb_ratio: 0.05 },
    narrow: { search_list: 10 },
    wide: { search_list: 400, beam_width_ratio: 8 },
    recall: 0.95,
  },
];

async function buildAll(client: MilvusClient, name: string, { type, params }: Case): Promise<void> {
  const named = { collection_name: name, index_name: 'nearby' };
  const index = { ...named, field_name: 'vector', index_type: type, metric_type: 'L2', params };
  succeeded(await client.createIndex(index));
  while (Number((await client.getIndexBuildProgress(named)).indexed_rows) < ROWS) await setImmediate();
}

for (const one of CASES) {
  test(`${one.type}: built, described, loaded and searched through the Milvus front`, async () => {
    await using cluster = await TestCluster.start({ settings: ['writer.index_rows_min=100'] });
    const client = await cluster.client();
    const name = 'points';
    await createPoints(client, name, 1);
    const points = randomPoints(ROWS);
    succeeded(await client.insert({ collection_name: name, data: points }));
    succeeded(await client.flushSync({ collection_names: [name] }));
    await buildAll(client, name, one);
    const described = succeeded(await client.describeIndex({ collection_name: name }));
    const shown = new Map(
      described.index_descriptions[0]!.params.map(({ key, value }) => [key, String(value)]),
    );
    assert.equal(shown.get('index_type'), one.type);
    assert.deepEqual(JSON.parse(shown.get('params')!), one.params);
    succeeded(await client.loadCollectionSync({ collection_name: name }));

    const queries = randomPoints(20, 1_000_000).map((point) => point.vector);
    const recall = async (params: object, filter = '', among = points): Promise<number> => {
      let hits = 0;
      for (const query of queries) {
        const found = new Set(await searchIds(client, name, query, 10, { params, filter }));
        hits += nearest(among, query, 10).filter((id) => found.has(id)).length;
      }
      return hits / (10 * queries.length);
    };
    assert.ok((await recall(one.narrow)) < 1, 'the index answers, not an exact search');
    assert.ok((await recall(one.wide)) >= one.recall);
    const even = points.filter(({ tag }) => tag === 'even');
    assert.ok((await recall(one.wide, 'tag == "even"', even)) >= one.recall);

    for (const key of Object.keys(one.wide)) {
      const refused = await client.search({
        collection_name: name,
        data: queries[0]!,
        limit: 5,
        params: { [key]: 0 },
      });
      assert.match(
        refused.status.reason,
        new RegExp(`'${key}' \\(0\\) should be in range|(ef|search_list)\\(0\\) should be larger`),
      );
    }
  });
}
