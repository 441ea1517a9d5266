import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { DataType, RRFRanker, WeightedRanker } from '@zilliz/milvus2-sdk-node';
import { startTestFront, type TestFront } from '../../../test/support/front.ts';
import { refused, succeeded } from '../../../test/support/milvus.ts';

const NAME = 'two';

describe('hybrid search', () => {
  let front: TestFront;
  before(async () => {
    front = await startTestFront();
    const { client } = front;
    await client.connectPromise;
    succeeded(
      await client.createCollection({
        collection_name: NAME,
        fields: [
          { name: 'id', data_type: DataType.Int64, is_primary_key: true },
          { name: 'tag', data_type: DataType.VarChar, max_length: 8 },
          { name: 'place', data_type: DataType.FloatVector, dim: 2 },
          { name: 'words', data_type: DataType.SparseFloatVector },
        ],
      }),
    );
    const index = { collection_name: NAME, index_type: 'AUTOINDEX' };
    succeeded(await client.createIndex({ ...index, field_name: 'place', metric_type: 'L2' }));
    succeeded(await client.createIndex({ ...index, field_name: 'words', metric_type: 'IP' }));
    succeeded(await client.loadCollection({ collection_name: NAME }));
    const data = Array.from({ length: 10 }, (_, id) => ({
      id,
      tag: id % 2 === 0 ? 'even' : 'odd',
      place: [id, 0],
      words: { 1: id + 1 },
    }));
    succeeded(await client.insert({ collection_name: NAME, data: data as never }));
  });
  after(() => front[Symbol.asyncDispose]());

  /** Nearest to 0 first, and the most of word 1 first. */
  const place = { anns_field: 'place', data: [0, 0] };
  const words = { anns_field: 'words', data: { 1: 1 } };
  const search = async (
    data: readonly object[],
    options: object,
  ): Promise<{ id: string; score: number; tag?: string }[]> => {
    const request = { collection_name: NAME, data, limit: 3, ...options };
    return succeeded(await front.client.hybridSearch(request as never)).results as never;
  };
  const ids = (hits: readonly { id: string }[]): string[] => hits.map(({ id }) => String(id));

  test('merges the hits of two fields by rank', async () => {
    const hits = await search([place, words], { rerank: RRFRanker(1), output_fields: ['id', 'tag'] });
    assert.deepEqual(ids(hits), ['0', '9', '1']);
    assert.deepEqual(
      hits.map(({ tag }) => tag),
      ['even', 'odd', 'odd'],
    );
    assert.equal(hits[0]!.score, 0.5);
    const rest = await search([place, words], { rerank: RRFRanker(1), offset: 1 });
    assert.deepEqual(ids(rest).slice(0, 2), ['9', '1']);
  });

  test('merges by weight, with a filter and a limit for each search', async () => {
    const all = { limit: 10 };
    const first = await search(
      [
        { ...place, ...all },
        { ...words, ...all },
      ],
      {
        rerank: WeightedRanker([1, 0]),
      },
    );
    assert.deepEqual(ids(first), ['0', '1', '2']);
    const filtered = await search(
      [
        { ...place, expr: 'tag == "odd"' },
        { ...words, expr: 'id < 3' },
      ],
      {
        rerank: WeightedRanker([0, 1]),
      },
    );
    assert.deepEqual(ids(filtered), ['2', '1', '0']);
  });

  test('one search alone keeps its order', async () => {
    assert.deepEqual(ids(await search([place], {})), ['0', '1', '2']);
  });

  test('sums of distances are shown as distances', async () => {
    const rerank = { strategy: 'weighted', params: { weights: [0.5, 0.5], norm_score: false } };
    const hits = await search([place, { ...place, data: [2, 0] }], { rerank, limit: 10 });
    assert.equal(hits.find(({ id }) => id === '3')!.score, (9 + 1) / 2);
  });

  test('is refused where the searches do not fit together', async () => {
    const { client } = front;
    const hybrid = (data: readonly object[], more: object = {}): Promise<object> =>
      client.hybridSearch({ collection_name: NAME, data, limit: 3, ...more } as never);
    const two = { ...place, data: [place.data, place.data] };
    await refused(hybrid([two, words]), 1100, /nq should be the same.*expected=2.*actual=1/);
    const rerank = WeightedRanker([1]);
    await refused(hybrid([place, words], { rerank }), 1100, /mismatch with ann search requests/);
    const none = await front.call('HybridSearch', { collectionName: NAME, requests: [] });
    assert.match(none.status!.reason!, /minimum of ann search requests is 1/);
  });
});
